"""The time of a bundle that does not record one: the newest time in its objects."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter
from typing import Any

from kubedoctor.cluster.kinds.core import Event
from kubedoctor.cluster.kinds.meta import Condition, KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.collect.recording import is_plausible


def newest_moment(objects: Iterable[KubernetesObject]) -> datetime | None:
    """The newest time at which something is known to have happened; None if there is none.

    Times in the future by design (the end of a grace period, of a certificate) do not count.
    """
    times: list[datetime] = []
    pods: list[Pod] = []
    for obj in objects:
        if isinstance(obj, Pod):
            pods.append(obj)
        else:
            _add_moments(times, obj)
    _add_moments_of_pods(times, pods)
    newest = max(times, default=None)
    return newest if newest is None or is_plausible(newest) else max(filter(is_plausible, times), default=None)


def _add_moments(times: list[datetime], obj: KubernetesObject) -> None:
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
    _add_times(times, status, _OF_STATUS)
    _add_times(times, spec, ("renew_time",))


def _add_moments_of_pods(times: list[datetime], pods: list[Pod]) -> None:
    # One list after the other instead of a call for each pod: a large cluster has a million times.
    stated = [condition for pod in pods for condition in pod.status.conditions or ()]
    states = [
        state
        for pod in pods
        for container in (*(pod.status.init_container_statuses or ()), *(pod.status.container_statuses or ()))
        for state in (container.state, container.last_state)
        if state
    ]
    times += filter(None, [pod.metadata.creation_timestamp for pod in pods])
    times += filter(None, [pod.status.start_time for pod in pods])
    for moment_of in map(attrgetter, _OF_POD_CONDITIONS):
        times += filter(None, map(moment_of, stated))
    times += [state.running.started_at for state in states if state.running and state.running.started_at]
    times += [state.terminated.finished_at for state in states if state.terminated and state.terminated.finished_at]


_OF_POD_CONDITIONS = ("last_transition_time", "last_probe_time")
_OF_CONDITIONS = ("last_transition_time", "last_update_time", "last_heartbeat_time", "last_probe_time")
_OF_STATUS = ("start_time", "completion_time", "last_schedule_time")


def _add_times(times: list[datetime], part: Any, names: Iterable[str]) -> None:
    times.extend(time for name in names if isinstance(time := getattr(part, name, None), datetime))
