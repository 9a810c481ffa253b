"""When the taints of a node evict a pod (`pkg/controller/tainteviction`, v1.37)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from kubedoctor.cluster.grammar.tolerations import tolerates
from kubedoctor.cluster.kinds.core import Taint
from kubedoctor.cluster.kinds.pods import Pod

NO_EXECUTE = "NoExecute"


class TaintEviction(NamedTuple):
    """The taint that evicts first. after: since the taint was added; zero where no toleration tolerates it. at: None
    where it is not known when the taint was added."""

    taint: Taint
    after: timedelta
    at: datetime | None


def taint_eviction(pod: Pod, taints: Iterable[Taint] | None) -> TaintEviction | None:
    """How the taints of its node evict the pod; None where they do not."""
    evictions = [
        eviction for taint in taints or () if taint.effect == NO_EXECUTE and (eviction := _by(pod, taint)) is not None
    ]
    return min(evictions, key=lambda eviction: eviction.after, default=None)


def _by(pod: Pod, taint: Taint) -> TaintEviction | None:
    tolerations = [toleration for toleration in pod.spec.tolerations or () if tolerates(toleration, taint)]
    seconds = [toleration.toleration_seconds for toleration in tolerations if toleration.toleration_seconds is not None]
    if tolerations and not seconds:
        return None
    after = timedelta(seconds=max(min(seconds, default=0), 0))
    return TaintEviction(taint, after, taint.time_added + after if taint.time_added is not None else None)
