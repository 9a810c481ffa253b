"""TaintToleration: the first untolerated taint that forbids scheduling (`plugins/tainttoleration`, v1.37)."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.changes import Operation, Step
from kubedoctor.cluster.grammar.tolerations import untolerated
from kubedoctor.cluster.kinds.core import Node, Taint
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
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
from kubedoctor.replay.scheduler.plugins.node_unschedulable import uncordon
from kubedoctor.replay.scheduler.releases import SchedulerRelease
from kubedoctor.replay.scheduler.remedies.edits import Edit, Kind, Remedy
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo
from kubedoctor.replay.scheduler.well_known import CORDON, KUBERNETES_OWN

TAINT: Final = Obstacle("taint", vague=True)
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

    def remedies(self, pod: Pod, state: ClusterState, node: NodeInfo, status: Status) -> list[Remedy]:
        return _remedies(pod, node.node)


def _remedies(pod: Pod, node: Node) -> list[Remedy]:
    """Tolerate all blocking taints, or remove them from the node. Taints that Kubernetes itself sets for the state of
    the node come back, and tolerating them does not repair the node."""
    minded = [
        (index, taint)
        for index, taint in enumerate(node.spec.taints or ())
        if untolerated(pod.spec.tolerations, (taint,)) is not None
    ]
    cordons = [taint for _, taint in minded if taint.key == CORDON.key]
    removable = [(index, taint) for index, taint in minded if taint.key != CORDON.key]
    if any(taint.key.startswith(KUBERNETES_OWN) for _, taint in removable):
        return []
    before: Remedy = (uncordon(node),) if cordons else ()
    tolerated = {(taint.key, taint.value, taint.effect): _tolerate(pod, taint) for _, taint in removable}
    removed = tuple(_remove_taint(node, index, taint) for index, taint in removable)
    return [(*before, *tolerated.values()), (*before, *removed)]


def _tolerate(pod: Pod, taint: Taint) -> Edit:
    toleration = {"key": taint.key, "operator": "Equal", "value": taint.value, "effect": taint.effect}
    if not taint.value:
        toleration = {"key": taint.key, "operator": "Exists", "effect": taint.effect}
    operation = Operation(ref(pod), (Step(("spec", "tolerations", "-"), toleration),))
    return Edit(Kind.ADD_TOLERATION, ref(pod), (operation,), (taint.key, taint.value, taint.effect), 3)


def _remove_taint(node: Node, index: int, taint: Taint) -> Edit:
    operation = Operation(ref(node), (Step(("spec", "taints", index), remove=True),))
    return Edit(Kind.REMOVE_TAINT, ref(node), (operation,), (taint.key, taint.value, taint.effect), 6)


class _Filter(NodeFilter):
    def __init__(self, pod: Pod, release: SchedulerRelease) -> None:
        self.tolerations = pod.spec.tolerations
        self.release = release
        self.known: dict[tuple[Taint, ...], Status] = {}

    def check(self, node: NodeInfo) -> Status:
        taints = node.node.spec.taints
        if not taints:
            return SUCCESS
        taint = self.known.get(taints)
        if taint is None:
            taint = self.known[taints] = self._verdict(taints)
        return taint

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
