"""The logs of containers that may tell of a failed lookup."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Final

from kubedoctor.cluster import Cluster, LogTail, LogWant, Pod, all_statuses
from kubedoctor.replay.kubelet.endings import failing, last_ending
from kubedoctor.replay.status.vocabulary import START

_SIGKILL: Final = 137


def logs_of_failures(pod: Pod, cluster: Cluster) -> Iterator[LogTail]:
    """Of containers whose program failed by itself, or has been up for longer than a start takes, without being ready. Other
    diagnostics say that a log cannot be read."""
    runs = [LogWant(pod.namespace, pod.name, *run) for run in _runs(pod, cluster.taken_at)]
    readable = [want for want in runs if is_at_hand(want, cluster) or not cluster.snapshot.refusal(want)]
    logs = [partial(cluster.log_tail, pod, want.container, previous=want.previous) for want in readable]
    cluster.together(*logs)
    yield from (tail for log in logs if (tail := log()) is not None)


def is_at_hand(want: LogWant, cluster: Cluster) -> bool:
    """Whether the log was read already."""
    return cluster.snapshot.has_log(want)


def _runs(pod: Pod, now: datetime) -> Iterator[tuple[str, bool]]:
    for status in all_statuses(pod):
        ending, running = last_ending(status), status.state.running if status.state is not None else None
        well = status.ready and not failing(
            status, now
        )  # A program without a readiness probe is ready between crashes.
        if well or (ending is not None and (ending.is_out_of_memory or ending.never_ran)):
            continue
        if ending is not None and ending.exit_code not in (0, _SIGKILL):
            yield status.name, ending.place.startswith("last")
        elif running is not None and running.started_at is not None and now - running.started_at >= START:
            yield status.name, False
