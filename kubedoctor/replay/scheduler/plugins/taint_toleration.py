"""TaintToleration: the first untolerated taint that forbids scheduling (`plugins/tainttoleration`, v1.37)."""

from __future__ import annotations

from kubedoctor.cluster.grammar.tolerations import untolerated
from kubedoctor.cluster.kinds.core import Taint
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.framework import SUCCESS, NodeFilter, Prepared, Status, unresolvable
from kubedoctor.replay.scheduler.said.reasons import SchedulerRelease
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo


def taint_text(taint: Taint) -> str:
    """As `kubectl taint` takes it: `key=value:Effect`."""
    return f"{taint.key}={taint.value}:{taint.effect}" if taint.value else f"{taint.key}:{taint.effect}"


class TaintToleration:
    name = "TaintToleration"

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

    def _verdict(self, taints: tuple[Taint, ...]) -> Status:
        taint = untolerated(self.tolerations, taints)
        if taint is None:
            return SUCCESS
        return unresolvable(self.release.taint(taint.key, taint.value), named=(taint_text(taint),))
