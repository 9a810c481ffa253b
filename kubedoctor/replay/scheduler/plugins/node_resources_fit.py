"""NodeResourcesFit: room for the pod's requests, and for one pod more (`plugins/noderesources/fit.go`, v1.37).

Not replayed: an extended resource that a DeviceClass stands for is left to DynamicResources.
"""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.kinds.containers import Container
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.framework import (
    SUCCESS,
    Code,
    NodeFilter,
    Obstacle,
    Plugin,
    Prepared,
    Reason,
    Shortage,
    Status,
    Wording,
    reason,
)
from kubedoctor.replay.scheduler.many.node_classes import Grouping, NodeClasses
from kubedoctor.replay.scheduler.memos import Memo
from kubedoctor.replay.scheduler.releases import SchedulerRelease
from kubedoctor.replay.scheduler.requests import counted, pod_requests
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo

RESOURCE: Final = Obstacle("resource")
TOO_MANY_PODS: Final = Obstacle("too many pods")
_TOO_MANY_PODS: Final = reason(TOO_MANY_PODS, "Too many pods")
_FIRST: Final = ("cpu", "memory", "ephemeral-storage")
_TOO_BIG_IS_FINAL_SINCE: Final = SchedulerRelease(34)
"""From this release on a request above the node's total rules out preemption."""
_ROOMS: Final = Memo[str, tuple[list[int], list[int]]]()


def _requests(pod: Pod) -> object:
    spec = pod.spec
    own = [_requests_of(container) for container in spec.containers]
    return own, [_requests_of(container) for container in spec.init_containers or ()], spec.resources, spec.overhead


def _requests_of(container: Container) -> object:
    return container.resources, container.restart_policy


class NodeResourcesFit(Plugin):
    name = "NodeResourcesFit"
    pod_parts = (_requests,)
    wordings = (
        Wording(r"Too many pods", TOO_MANY_PODS),
        Wording(r"Insufficient (?P<detail>\S+)", RESOURCE),
    )

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        wanted = counted(pod_requests(pod.spec))
        others = sorted(name for name in wanted if name not in _FIRST)
        ordered = tuple((name, wanted[name]) for name in (*_FIRST, *others) if wanted.get(name, 0) > 0)
        return Prepared(SUCCESS, _Filter(ordered, final=state.release >= _TOO_BIG_IS_FINAL_SINCE))


class _Filter(NodeFilter):
    def __init__(self, wanted: tuple[tuple[str, int], ...], *, final: bool) -> None:
        self.wanted = wanted
        self.final = final
        self.asked = tuple((name, amount, reason(RESOURCE, f"Insufficient {name}", name)) for name, amount in wanted)

    def check(self, node: NodeInfo) -> Status:
        allocatable, requested = node.allocatable, node.requested
        code = Code.UNSCHEDULABLE
        short: list[Shortage] = []
        found: list[Reason] = []
        if len(node.pods) + 1 > node.most_pods:
            short.append(Shortage("pods", 1, len(node.pods), node.most_pods))
            found.append(_TOO_MANY_PODS)
        for name, amount, insufficient in self.asked:
            capacity, used = allocatable.get(name, 0), requested.get(name, 0)
            if amount > capacity - used:
                short.append(Shortage(name, amount, used, capacity))
                found.append(insufficient)
                if amount > capacity and self.final:
                    code = Code.UNRESOLVABLE
        return Status(code, tuple(found), tuple(short)) if short else SUCCESS

    def alike(self, classes: NodeClasses) -> Grouping:
        """By how much is taken of how much, of the resources of which there is too little; one more pod is wanted too."""
        lacking = []
        for name, amount in (("pods", 1), *self.wanted):
            free, numbers = _room(name, classes)
            short = [number if amount > left else -1 for number, left in enumerate(free)]
            if max(short) >= 0:
                lacking.append([short[number] for number in numbers])
        if not lacking:
            return classes.alike
        return classes.grouping(zip(*lacking, strict=True) if len(lacking) > 1 else lacking[0])


def _room(name: str, classes: NodeClasses) -> tuple[list[int], list[int]]:
    """What nodes have left of a resource, once for each amount taken of each capacity; and which of them is whose."""
    return _ROOMS.kept(classes, name, lambda: _worked_out(name, classes))


def _worked_out(name: str, classes: NodeClasses) -> tuple[list[int], list[int]]:
    known: dict[tuple[int, int], int] = {}
    if name == "pods":
        pairs = [(node.most_pods, len(node.pods)) for node in classes.nodes]
    else:
        pairs = [(node.allocatable.get(name, 0), node.requested.get(name, 0)) for node in classes.nodes]
    numbers = [known.setdefault(pair, len(known)) for pair in pairs]
    return [capacity - used for capacity, used in known], numbers
