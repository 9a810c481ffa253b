"""The oracle's answers about admission and permissions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from kubedoctor.cluster.kinds.core import LimitRange, ResourceQuota, Service
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.storage import PersistentVolumeClaim
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.snapshot import UNKNOWN_TIME, Source
from kubedoctor.collect.recording import whole_state
from kubedoctor.replay.admission.pod_security import parse_level, violations
from kubedoctor.replay.admission.resources.created_pod import PodAmounts
from kubedoctor.replay.admission.resources.limit_ranges import limited_claim, limited_pod
from kubedoctor.replay.admission.resources.quotas import Created, admit, usage_of
from kubedoctor.replay.permissions.authorizer import authorize
from kubedoctor.replay.permissions.refusals import Refusal
from kubedoctor.replay.scheduler.requests import Amounts
from kubedoctor.testing.asked import Answer, BadRequest, State, converted


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


def _created(data: dict[str, Any]) -> Created:
    if data.get("pod"):
        return converted(Pod, data["pod"]).spec
    if data.get("claim"):
        return converted(PersistentVolumeClaim, data["claim"])
    return converted(Service, data["service"])


_RESOURCES: Final = {"pod": "pods", "claim": "persistentvolumeclaims", "service": "services"}


def _quota(request: msgspec.Raw) -> Answer:
    data = msgspec.json.decode(request)
    created = _created(data)
    verdict = admit(created, State(data.get("objects") or ()).of(ResourceQuota))
    usage = {name: str(amount) for name, amount in usage_of(created).items()}
    if verdict.text:
        (kind,) = (kind for kind in _RESOURCES if data.get(kind))
        name = data[kind]["metadata"]["name"]
        error = f'{_RESOURCES[kind]} "{name}" is forbidden: {verdict.text}'
        return {"allowed": False, "error": error, "usage": usage}
    return {"allowed": True, "usage": usage, "used": {name: _texts(used) for name, used in verdict.used.items()}}


def _limit_range(request: msgspec.Raw) -> Answer:
    data = msgspec.json.decode(request)
    ranges = State(data.get("objects") or ()).of(LimitRange)
    if data.get("claim"):
        return {"errors": limited_claim(converted(PersistentVolumeClaim, data["claim"]), ranges)}
    spec = converted(Pod, data["pod"]).spec
    limited = limited_pod(PodAmounts(spec), ranges)
    pod = limited.pod
    return {
        "errors": limited.errors,
        "annotation": limited.annotation,
        "containers": {one.name: _sides(one.requests, one.limits) for one in pod.containers},
        "initContainers": {one.name: _sides(one.requests, one.limits) for one in pod.init_containers},
        "podResources": _sides(pod.requests, pod.limits) if spec.resources is not None else None,
    }


def _sides(requests: Amounts, limits: Amounts) -> Answer:
    sides = {"requests": _texts(requests), "limits": _texts(limits)}
    return {side: amounts for side, amounts in sides.items() if amounts}


def _texts(given: Amounts) -> dict[str, str]:
    return {name: str(amount) for name, amount in given.items()}


MODES: Final[dict[str, Callable[[msgspec.Raw], Answer]]] = {
    "podsecurity": _pod_security,
    "rbac": _access,
    "quota": _quota,
    "limitrange": _limit_range,
}
"""Modes of the oracle, by name."""
