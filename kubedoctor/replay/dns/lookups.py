"""Failed lookups in the logs of pods."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import msgspec

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.wants import LogTail
from kubedoctor.cluster.triage import not_ready
from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.reading import read_log

MOST_LOGS = 3


class FailedLookup(msgspec.Struct, frozen=True):
    """A log line about a name that was not resolved."""

    tail: LogTail
    index: int


def failed_lookup(pods: Iterable[Pod], cluster: Cluster) -> FailedLookup | None:
    """The first failed lookup in the logs of pods that are not ready; only a few logs are read, as each needs a
    request."""
    troubled = [pod for pod in pods if not_ready(pod)][:MOST_LOGS]
    logs = [
        partial(cluster.log_tail, pod, container.name, previous=previous)
        for pod in troubled
        for container in pod.spec.containers
        for previous in (False, True)
    ]
    cluster.together(*logs)
    for log in logs:
        tail = log()
        cause = read_log(tail.lines) if tail is not None else None
        if tail is not None and cause is not None and cause.fault is LogFault.NAME_NOT_RESOLVED:
            return FailedLookup(tail, cause.index)
    return None
