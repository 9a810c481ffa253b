"""Failed lookups in the logs of pods."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import msgspec

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.wants import LogTail
from kubedoctor.cluster.triage import not_ready
from kubedoctor.replay.logs.log_lines import Sign, read_log

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
        sign = read_log(tail.lines) if tail is not None else None
        if tail is not None and sign is not None and sign.sign is Sign.UNRESOLVED_HOST:
            return FailedLookup(tail, sign.index)
    return None
