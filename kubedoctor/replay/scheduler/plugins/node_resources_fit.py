"""NodeResourcesFit: room for the pod's requests, and for one pod more (`plugins/noderesources/fit.go`, v1.37).

Not replayed: an extended resource that a DeviceClass stands for is left to DynamicResources.
"""

from __future__ import annotations

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.framework import (
    SUCCESS,
    Code,
    NodeFilter,
    Prepared,
    Shortage,
    Status,
)
from kubedoctor.replay.scheduler.requests import counted, pod_requests
from kubedoctor.replay.scheduler.said import reasons
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo

_FIRST = ("cpu", "memory", "ephemeral-storage")


class NodeResourcesFit:
    name = "NodeResourcesFit"

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        wanted = counted(pod_requests(pod.spec))
        others = sorted(name for name in wanted if name not in _FIRST)
        ordered = tuple((name, wanted[name]) for name in (*_FIRST, *others) if wanted.get(name, 0) > 0)
        return Prepared(SUCCESS, ResourcesFilter(ordered, final=state.release.too_big_is_final))


class ResourcesFilter(NodeFilter):
    def __init__(self, wanted: tuple[tuple[str, int], ...], *, final: bool) -> None:
        self.wanted = wanted
        self.final = final
        self.asked = tuple((name, amount, reasons.insufficient(name)) for name, amount in wanted)

    def check(self, node: NodeInfo) -> Status:
        allocatable, requested = node.allocatable, node.requested
        code = Code.UNSCHEDULABLE
        short: list[Shortage] = []
        texts: list[str] = []
        if len(node.pods) + 1 > node.most_pods:
            short.append(Shortage("pods", 1, len(node.pods), node.most_pods))
            texts.append(reasons.TOO_MANY_PODS)
        for name, amount, text in self.asked:
            capacity, used = allocatable.get(name, 0), requested.get(name, 0)
            if amount > capacity - used:
                short.append(Shortage(name, amount, used, capacity))
                texts.append(text)
                if amount > capacity and self.final:
                    code = Code.UNRESOLVABLE
        return Status(code, tuple(texts), tuple(short)) if short else SUCCESS
