"""Pod logs as the API server and the kubelet return them, with their messages when there are none.

Sources: `pkg/registry/core/pod/strategy.go`, `validateContainerLogStatus` of `pkg/kubelet/kubelet_pods.go`, v1.37.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    """The log, limited as requested. A pod without a node has an empty log."""
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
    lines = recorded["previous" if previous else "current"].splitlines(keepends=True)
    tail = request.number("tailLines")
    if tail is not None:
        lines = lines[-tail:] if tail else []
    if request.flag("timestamps"):
        # A recording has no time per line: each line gets the start time of the container.
        started = _started(status, previous)
        lines = [f"{started} {line}" for line in lines]
    text = "".join(lines)
    limit = request.number("limitBytes")
    return text if limit is None else text.encode()[:limit].decode(errors="ignore")


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


def _started(status: Object | None, previous: bool) -> str:
    status = status or {}
    for field, kind in (("state", "running"), ("state", "terminated"), ("lastState", "terminated")):
        if previous and field == "state":
            continue
        if moment := (_state(status, field, kind) or {}).get("startedAt"):
            return f"{moment.removesuffix('Z')}.000000000Z"
    return "1970-01-01T00:00:00.000000000Z"
