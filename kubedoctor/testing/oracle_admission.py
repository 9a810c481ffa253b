"""The oracle's answers about admission."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.admission.pod_security import parse_level, violations
from kubedoctor.testing.asked import Answer, BadRequest, converted


def _pod_security(request: msgspec.Raw) -> Answer:
    data = msgspec.json.decode(request)
    level = parse_level(f"{data['level']}:{data['version']}")
    if level is None:
        raise BadRequest(f"bad request: {data['level']}:{data['version']} is no level")
    pod = converted(Pod, data["pod"])
    found = violations(pod.spec, pod.metadata.annotations or {}, level)
    answer: Answer = {
        "allowed": not found,
        "violations": [{"reason": one.reason, "detail": one.detail} for one in found],
    }
    if found:
        answer["message"] = f'violates PodSecurity "{level}": {", ".join(map(str, found))}'
    return answer


MODES: Final[dict[str, Callable[[msgspec.Raw], Answer]]] = {"podsecurity": _pod_security}
"""Modes of the oracle, by name."""
