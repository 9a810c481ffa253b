"""Of which ready pods a scan reads the log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from kubedoctor.cluster import Cluster, Pod, Want, controller_of, placed, ready, ref

MOST: Final = 30
"""So many logs a scan reads of pods that are ready; fewer where others are not."""
MOST_BESIDE: Final = 1
"""And so many the examination of one object, of those around it."""
_LONG_AGO: Final = datetime(1, 1, 1, tzinfo=UTC)


def with_a_log_to_read(cluster: Cluster) -> Callable[[Pod], bool]:
    """A predicate of the pods whose log is at hand; in a live cluster of one pod of each template, the newest templates
    first: what was changed last is what fails most often."""
    snapshot = cluster.snapshot
    at_hand = {(want.namespace, want.pod) for want in snapshot.logs()}
    chosen = set() if snapshot.closed else _chosen(cluster)
    if not at_hand and not chosen:
        return lambda _: False
    return lambda pod: (pod.namespace, pod.name) in at_hand or (pod.namespace, pod.name) in chosen


def _chosen(cluster: Cluster) -> set[tuple[str, str]]:
    newest: dict[object, Pod] = {}
    troubled: set[object] = set()
    for pod in cluster.maybe.all(Pod):
        if not placed(pod):
            continue
        template = (controller_of(pod) or ref(pod), pod.spec.containers[0].name if pod.spec.containers else "")
        if ready(pod):
            newest.setdefault(template, pod)
        else:
            troubled.add(template)
    most = MOST if cluster.snapshot.covers(Want("Pod")) else MOST_BESIDE
    first = sorted(newest.values(), key=lambda pod: pod.metadata.creation_timestamp or _LONG_AGO, reverse=True)
    return {(pod.namespace, pod.name) for pod in first[: max(0, most - len(troubled))]}
