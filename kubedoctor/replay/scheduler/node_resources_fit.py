"""NodeResourcesFit: room for the pod's requests, and for one pod more (`plugins/noderesources/fit.go`, v1.37).

Not replayed: an extended resource that a DeviceClass stands for is left to DynamicResources.
"""

from __future__ import annotations

from kubedoctor.cluster.pods import Pod
from kubedoctor.replay.scheduler import reasons
from kubedoctor.replay.scheduler.framework import (
    SUCCESS,
    Code,
    NodeFilter,
    Prepared,
    Shortage,
    Status,
)
from kubedoctor.replay.scheduler.requests import counted, pod_requests
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo

_FIRST = ("cpu", "memory", "ephemeral-storage")


class NodeResourcesFit:
    name = "NodeResourcesFit"

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        wanted = counted(pod_requests(pod.spec))
        others = sorted(name for name in wanted if name not in _FIRST)
        ordered = tuple((name, wanted[name]) for name in (*_FIRST, *others) if wanted.get(name, 0) > 0)
        return Prepared(SUCCESS, _Filter(ordered, final=state.release.too_big_is_final))


class _Filter(NodeFilter):
    def __init__(self, wanted: tuple[tuple[str, int], ...], *, final: bool) -> None:
        self.wanted = wanted
        self.final = final

    def check(self, node: NodeInfo) -> Status:
        allocatable, used = node.allocatable, node.requested
        full = len(node.pods) + 1 > node.most_pods
        if not full:
            for name, amount in self.wanted:
                if amount > allocatable.get(name, 0) - used.get(name, 0):
                    break
            else:
                return SUCCESS
        return self._rejection(node, full=full)

    def _rejection(self, node: NodeInfo, *, full: bool) -> Status:
        texts: list[str] = []
        short: list[Shortage] = []
        code = Code.UNSCHEDULABLE
        if full:
            texts.append(reasons.TOO_MANY_PODS)
            short.append(Shortage("pods", 1, len(node.pods), node.most_pods))
        for name, amount in self.wanted:
            capacity, used = node.allocatable.get(name, 0), node.requested.get(name, 0)
            if amount > capacity - used:
                texts.append(reasons.insufficient(name))
                short.append(Shortage(name, amount, used, capacity))
                if self.final and amount > capacity:
                    code = Code.UNRESOLVABLE
        return Status(code, tuple(texts), tuple(short))
