"""The oracle's answers about admission and permissions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.snapshot import UNKNOWN_TIME, Source
from kubedoctor.collect.recording import whole_state
from kubedoctor.replay.admission.pod_security import parse_level, violations
from kubedoctor.replay.permissions.authorizer import authorize
from kubedoctor.replay.permissions.refusals import Refusal
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


def _access(request: msgspec.Raw) -> Answer:
    data = msgspec.json.decode(request)
    resource = "/".join(filter(None, (data.get("resource"), data.get("subresource"))))
    asked = Refusal(
        user=data.get("user", ""),
        verb=data.get("verb", ""),
        resource=resource,
        group=data.get("apiGroup", ""),
        namespace=data.get("namespace", ""),
        name=data.get("name", ""),
        path=data.get("path", ""),
        groups=tuple(data.get("groups") or ()),
    )
    decision = authorize(
        asked, Cluster(whole_state(UNKNOWN_TIME, Source("files", "question"), data.get("objects") or ()))
    )
    answer: Answer = {"allowed": decision.allowed, "reason": decision.reason}
    return answer if decision.allowed else answer | {"message": decision.message}


MODES: Final[dict[str, Callable[[msgspec.Raw], Answer]]] = {"podsecurity": _pod_security, "rbac": _access}
"""Modes of the oracle, by name."""
