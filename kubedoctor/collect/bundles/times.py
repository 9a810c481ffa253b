"""The time of a bundle that does not record one: the newest time in its objects."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from kubedoctor.cluster.kinds.core import Event
from kubedoctor.cluster.kinds.meta import Condition, KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.triage import all_statuses
from kubedoctor.collect.recording import is_plausible


def newest_moment(objects: dict[str, list[KubernetesObject]]) -> datetime | None:
    """The newest time at which something is known to have happened; None if there is none.

    Times in the future by design (the end of a grace period, of a certificate) do not count.
    """
    times: list[datetime] = []
    for members in objects.values():
        for obj in members:
            _add_moments(times, obj)
    newest = max(times, default=None)
    return newest if newest is None or is_plausible(newest) else max(filter(is_plausible, times), default=None)


def _add_moments(times: list[datetime], obj: KubernetesObject) -> None:
    # One list instead of generators: a large cluster has a million times.
    if obj.metadata.creation_timestamp:
        times.append(obj.metadata.creation_timestamp)
    if isinstance(obj, Event):
        if obj.seen_at:
            times.append(obj.seen_at)
        return
    status, spec = getattr(obj, "status", None), getattr(obj, "spec", None)
    for condition in getattr(status, "conditions", None) or ():
        if type(condition) is Condition:
            times += filter(
                None,
                (
                    condition.last_transition_time,
                    condition.last_update_time,
                    condition.last_heartbeat_time,
                    condition.last_probe_time,
                ),
            )
        else:
            _add_times(times, condition, _OF_CONDITIONS)
    if isinstance(obj, Pod):
        _add_moments_of_pod(times, obj)
        return
    _add_times(times, status, _OF_STATUS)
    _add_times(times, spec, ("renew_time",))


def _add_moments_of_pod(times: list[datetime], pod: Pod) -> None:
    for container in all_statuses(pod):
        for state in (container.state, container.last_state):
            if state and state.running and state.running.started_at:
                times.append(state.running.started_at)
            if state and state.terminated and state.terminated.finished_at:
                times.append(state.terminated.finished_at)
    if pod.status.start_time:
        times.append(pod.status.start_time)


_OF_CONDITIONS = ("last_transition_time", "last_update_time", "last_heartbeat_time", "last_probe_time")
_OF_STATUS = ("start_time", "completion_time", "last_schedule_time")


def _add_times(times: list[datetime], part: Any, names: Iterable[str]) -> None:
    times.extend(time for name in names if isinstance(time := getattr(part, name, None), datetime))
