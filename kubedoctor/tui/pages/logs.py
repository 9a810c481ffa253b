"""The logs of the containers of a pod, as far as they were read."""

from __future__ import annotations

import msgspec

from kubedoctor.cluster import LogTail, LogWant, Pod, Snapshot
from kubedoctor.cluster.triage import all_statuses


class LogText(msgspec.Struct, frozen=True):
    """The log of one container; `why` is the reason if there is none."""

    container: str
    tail: LogTail | None
    why: str = ""


def wanted_logs(pod: Pod, *, previous: bool) -> tuple[LogWant, ...]:
    """The logs of all containers, init and ephemeral containers last."""
    spec = pod.spec
    containers = (*spec.containers, *(spec.init_containers or ()), *(spec.ephemeral_containers or ()))
    return tuple(LogWant(pod.namespace, pod.name, container.name, previous) for container in containers)


def log_texts(pod: Pod, snapshot: Snapshot, *, previous: bool) -> tuple[LogText, ...]:
    """The last lines of each container, or why there are none."""
    return tuple(_text(want, pod, snapshot) for want in wanted_logs(pod, previous=previous))


def _text(want: LogWant, pod: Pod, snapshot: Snapshot) -> LogText:
    try:
        tail = snapshot.log(want)
    except KeyError:
        return LogText(
            want.container, None, _why_not_started(want, pod) or snapshot.refusal(want) or "the log could not be read"
        )
    reason = "no previous run" if want.previous else _why_not_started(want, pod) or "the log is empty"
    return LogText(want.container, tail, "" if tail and tail.lines else reason)


def _why_not_started(want: LogWant, pod: Pod) -> str:
    """What a container that never ran waits for; empty for all others."""
    for status in all_statuses(pod):
        waiting = status.state.waiting if status.state else None
        if status.name == want.container and waiting and waiting.reason and not (status.restart_count or want.previous):
            return f"the container has not started: {waiting.reason}"
    return ""
