"""Pod logs as the API server and the kubelet return them, with their messages when there are none.

Sources: `pkg/registry/core/pod/strategy.go`, `validateContainerLogStatus` of `pkg/kubelet/kubelet_pods.go`, v1.37.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kubedoctor.sandbox.exchange import FailureStatus, Object, Request

Recorded = Mapping[str, str]


def container_asked_for(request: Request, pod: Object) -> str:
    """The container's name; refused when it is required but missing, or unknown in the pod."""
    spec, name = pod.get("spec") or {}, pod["metadata"]["name"]
    kinds = ("initContainers", "containers", "ephemeralContainers")
    names = [container_spec["name"] for kind in kinds for container_spec in spec.get(kind) or ()]
    container = request.query.get("container", "")
    if container:
        if container not in names:
            raise FailureStatus(400, "BadRequest", f"container {container} is not valid for pod {name}")
        return container
    ordinary: list[Object] = spec.get("containers") or []
    if len(ordinary) == 1:
        return str(ordinary[0]["name"])
    choice = f", choose one of: [{' '.join(names)}]" if ordinary else ""
    raise FailureStatus(400, "BadRequest", f"a container name must be specified for pod {name}{choice}")


def text_of(request: Request, pod: Object, container: str, recorded: Recorded | None) -> str:
    """The whole log. A pod without a node has an empty one."""
    if not (pod.get("spec") or {}).get("nodeName"):
        return ""
    if recorded is not None and "error" in recorded:
        raise FailureStatus(500, "InternalError", recorded["error"].removeprefix("Error from server: "))
    status = _status(pod, container)
    previous = request.flag("previous")
    if problem := _problem(pod["metadata"]["name"], container, status, previous):
        raise FailureStatus(400, "BadRequest", problem)
    if recorded is None or ("previous" if previous else "current") not in recorded:
        log_name = "previous log" if previous else "log"
        raise FailureStatus(404, "NotFound", f"This recording of a cluster has no {log_name} of container {container}.")
    return recorded["previous" if previous else "current"]


def life_of(request: Request, pod: Object, container: str, now: datetime) -> tuple[datetime, datetime]:
    """When the container that is asked for started and ended; `now` where it runs."""
    status, previous = _status(pod, container) or {}, request.flag("previous")
    for field, kind in (("state", "running"), ("state", "terminated"), ("lastState", "terminated")):
        if not (previous and field == "state") and (stated := _state(status, field, kind)) is not None:
            started, ended = _moment(stated.get("startedAt")), _moment(stated.get("finishedAt"))
            if started is not None:
                return started, ended or max(now, started)
    began = _moment((pod.get("status") or {}).get("startTime")) or _moment(pod["metadata"].get("creationTimestamp"))
    return began or datetime(1970, 1, 1, tzinfo=UTC), now


def is_running(pod: Object, container: str) -> bool:
    """Whether more lines may come, so that a followed log stays open."""
    status = _status(pod, container)
    return status is not None and (status.get("state") or {}).get("running") is not None


def _status(pod: Object, container: str) -> Object | None:
    rows: list[Object] = []
    for kind in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        rows += (pod.get("status") or {}).get(kind) or []
    return next((status for status in rows if status.get("name") == container), None)


def _state(status: Object, field: str, kind: str) -> Any:
    return (status.get(field) or {}).get(kind)


def _problem(pod: str, container: str, status: Object | None, previous: bool) -> str:
    if status is None:
        return f'container "{container}" in pod "{pod}" is not available'
    where = f'container "{container}" in pod "{pod}"'
    last, current = _state(status, "lastState", "terminated"), _state(status, "state", "terminated")
    if previous:
        return "" if last else f"previous terminated {where} not found"
    if last or _state(status, "state", "running") is not None:
        return ""
    if current is not None:
        return "" if current.get("containerID") else f"{where} is terminated"
    waiting = _state(status, "state", "waiting")
    if waiting is None:
        return f"{where} is waiting to start - no logs yet"
    why = {
        "ErrImagePull": "image can't be pulled",
        "ImagePullBackOff": "trying and failing to pull image",
    }.get(waiting.get("reason", ""), waiting.get("reason", ""))
    return f"{where} is waiting to start: {why}"


def _moment(text: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(text).replace("Z", "+00:00")) if text else None
    except ValueError:
        return None
    return at if at is None or at.tzinfo is not None else at.replace(tzinfo=UTC)
