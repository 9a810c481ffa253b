"""TaintToleration: the first untolerated taint that forbids scheduling (`plugins/tainttoleration`, v1.37)."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.grammar.tolerations import untolerated
from kubedoctor.cluster.kinds.core import Taint
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.framework import (
    SUCCESS,
    NodeFilter,
    Obstacle,
    Plugin,
    Prepared,
    Reason,
    Status,
    Wording,
    reason,
    unresolvable,
)
from kubedoctor.replay.scheduler.many.node_classes import Grouping, NodeClasses
from kubedoctor.replay.scheduler.plugins import pod_parts
from kubedoctor.replay.scheduler.releases import SchedulerRelease
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo

TAINT: Final = Obstacle("taint")
_UNNAMED_SINCE: Final = SchedulerRelease(34, 2)
"""From this release on the text does not quote the taint."""


def taint_text(taint: Taint) -> str:
    """As `kubectl taint` takes it: `key=value:Effect`."""
    return f"{taint.key}={taint.value}:{taint.effect}" if taint.value else f"{taint.key}:{taint.effect}"


class TaintToleration(Plugin):
    name = "TaintToleration"
    pod_parts = (pod_parts.tolerations,)
    wordings = (
        Wording(r"node\(s\) had untolerated taint(?:\(s\))?(?: \{(?P<detail>.*)\})?", TAINT),
        Wording(r"node\(s\) had taints? \{(?P<detail>.*)\}, that the pod didn't tolerate", TAINT),
    )

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        return Prepared(SUCCESS, _Filter(pod, state.release))


class _Filter(NodeFilter):
    def __init__(self, pod: Pod, release: SchedulerRelease) -> None:
        self.tolerations = pod.spec.tolerations
        self.release = release
        self.known: dict[tuple[Taint, ...], Status] = {}

    def check(self, node: NodeInfo) -> Status:
        taints = node.node.spec.taints
        if not taints:
            return SUCCESS
        found = self.known.get(taints)
        if found is None:
            found = self.known[taints] = self._verdict(taints)
        return found

    def alike(self, classes: NodeClasses) -> Grouping:
        return classes.by_class

    def _verdict(self, taints: tuple[Taint, ...]) -> Status:
        taint = untolerated(self.tolerations, taints)
        if taint is None:
            return SUCCESS
        return unresolvable(_reason(taint, self.release), named=(taint_text(taint),))


def _reason(taint: Taint, release: SchedulerRelease) -> Reason:
    if release >= _UNNAMED_SINCE:
        return reason(TAINT, "node(s) had untolerated taint(s)")
    detail = f"{taint.key}: {taint.value}"
    return reason(TAINT, f"node(s) had untolerated taint {{{detail}}}", detail)
