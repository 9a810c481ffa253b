"""How long a start takes, as far as it was seen, and the probe that lets it finish."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import timedelta
from typing import Final, NamedTuple

from kubedoctor.cluster.kinds.containers import Probe
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.kubelet.probes import gives_up_after, gives_up_not_before

MARGIN: Final = 1.5
"""What is added to a start that was seen: the next one may meet a slower node or a colder cache."""
_OUTLIER: Final = 10


class PodStart(NamedTuple):
    """A pod whose container became ready, and how long after its start."""

    took: timedelta
    pod: Pod


def slowest_start(container: str, pods: Iterable[Pod], window: timedelta) -> PodStart | None:
    """The slowest start among ready pods whose container was never restarted.

    A pod that was ready long after, ten times the probe's time, was rather unready in between.
    """
    starts = [start for pod in pods if (start := _start_of(container, pod)) and start.took <= _OUTLIER * window]
    return max(starts, key=lambda start: start.took, default=None)


def _start_of(container: str, pod: Pod) -> PodStart | None:
    ready = next((stated for stated in pod.status.conditions or () if stated.type == "ContainersReady"), None)
    for status in pod.status.container_statuses or ():
        running = status.state.running if status.state else None
        if status.name != container or status.restart_count or not status.ready or running is None:
            continue
        if ready is not None and ready.status == "True" and ready.last_transition_time and running.started_at:
            return PodStart(max(ready.last_transition_time - running.started_at, timedelta()), pod)
    return None


def finishes(probe: Probe, start: timedelta) -> bool:
    """Whether a start of that length ends before the probe gives up, even if it probes at the earliest moments."""
    return start <= gives_up_not_before(probe)


def threshold_for(probe: Probe, start: timedelta | None) -> int:
    """The failureThreshold that leaves a margin beyond a start that was seen, and always twice as long as now."""
    doubled = 2 * max(1, probe.failure_threshold)
    if start is None:
        return doubled
    needed = (start.total_seconds() * MARGIN - probe.initial_delay_seconds) / max(1, probe.period_seconds)
    return max(doubled, math.ceil(needed) + 1)


def time_allowed(probe: Probe, threshold: int) -> timedelta:
    """How long a start may take under that failureThreshold."""
    return gives_up_after(probe) + timedelta(
        seconds=probe.period_seconds * (threshold - max(1, probe.failure_threshold))
    )
