"""The time of a bundle that does not record one: the newest time in its objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from kubedoctor.cluster.kinds.core import Event
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.triage import all_statuses
from kubedoctor.collect.recording import is_plausible


def newest_moment(objects: dict[str, list[KubernetesObject]]) -> datetime | None:
    """The newest time at which something is known to have happened; None if there is none.

    Times in the future by design (the end of a grace period, of a certificate) do not count.
    """
    times = (time for members in objects.values() for obj in members for time in _moments(obj))
    return max(filter(is_plausible, times), default=None)


def _moments(obj: KubernetesObject) -> Iterator[datetime]:
    if obj.metadata.creation_timestamp:
        yield obj.metadata.creation_timestamp
    if isinstance(obj, Event):
        if obj.seen_at:
            yield obj.seen_at
        return
    status, spec = getattr(obj, "status", None), getattr(obj, "spec", None)
    yield from _condition_times(getattr(status, "conditions", None) or ())
    if isinstance(obj, Pod):
        for container in all_statuses(obj):
            for state in (container.state, container.last_state):
                if state and state.running and state.running.started_at:
                    yield state.running.started_at
                if state and state.terminated and state.terminated.finished_at:
                    yield state.terminated.finished_at
    for part, names in ((status, ("start_time", "completion_time", "last_schedule_time")), (spec, ("renew_time",))):
        for name in names:
            if isinstance(time := getattr(part, name, None), datetime):
                yield time


def _condition_times(conditions: Iterable[Any]) -> Iterator[datetime]:
    for condition in conditions:
        for name in ("last_transition_time", "last_update_time", "last_heartbeat_time", "last_probe_time"):
            if isinstance(time := getattr(condition, name, None), datetime):
                yield time
