"""NodeResourcesFit: enough resources for the pod's requests, and for one more pod (`plugins/noderesources/fit.go`,
v1.37).

Not replayed: an extended resource that a DeviceClass stands for is left to DynamicResources.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from kubedoctor.cluster.changes import Operation, Path, Step
from kubedoctor.cluster.grammar.quantities import Quantity
from kubedoctor.cluster.kinds.containers import Container, ResourceRequirements
from kubedoctor.cluster.kinds.pods import Pod, PodSpec
from kubedoctor.cluster.kinds.references import ref
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
from kubedoctor.replay.scheduler.remedies.edits import Because, Edit, Kind, Remedy, Replaced
from kubedoctor.replay.scheduler.requests import amounts, counted, pod_requests
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo

RESOURCE: Final = Obstacle("resource")
TOO_MANY_PODS: Final = Obstacle("too many pods")
_TOO_MANY_PODS: Final = reason(TOO_MANY_PODS, "Too many pods")
_FIRST: Final = ("cpu", "memory", "ephemeral-storage")
_TOO_BIG_IS_FINAL_SINCE: Final = SchedulerRelease(34)
"""From this release on a request above the node's total rules out preemption."""
_KIBI: Final = 1 << 10
_MEBI: Final = 1 << 20
_BYTES: Final = ("memory", "ephemeral-storage")
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
        requests = counted(pod_requests(pod.spec))
        extended = sorted(name for name in requests if name not in _FIRST)
        ordered = tuple((name, requests[name]) for name in (*_FIRST, *extended) if requests.get(name, 0) > 0)
        return Prepared(SUCCESS, _Filter(ordered, final=state.release >= _TOO_BIG_IS_FINAL_SINCE))

    def remedies(self, pod: Pod, state: ClusterState, node: NodeInfo, status: Status) -> list[Remedy]:
        return _lowered(pod, node.name, status.shortages)

    def remedies_for_new(self, pod: Pod, node: NodeInfo) -> list[Remedy]:
        """A new node has fewer pods than the node that it is modelled on."""
        node_filter = self.pre_filter(pod, ClusterState()).node_filter
        shortages = node_filter.check(node).shortages if node_filter is not None else ()
        return _lowered(pod, "", shortages)


class _Filter(NodeFilter):
    def __init__(self, requests: tuple[tuple[str, int], ...], *, final: bool) -> None:
        self.requests = requests
        self.final = final
        self.insufficient = tuple(
            (name, amount, reason(RESOURCE, f"Insufficient {name}", name)) for name, amount in requests
        )

    def check(self, node: NodeInfo) -> Status:
        allocatable, requested = node.allocatable, node.requested
        code = Code.UNSCHEDULABLE
        short: list[Shortage] = []
        reasons: list[Reason] = []
        if len(node.pods) + 1 > node.most_pods:
            short.append(Shortage("pods", 1, len(node.pods), node.most_pods))
            reasons.append(_TOO_MANY_PODS)
        for name, amount, insufficient in self.insufficient:
            capacity, used = allocatable.get(name, 0), requested.get(name, 0)
            if amount > capacity - used:
                short.append(Shortage(name, amount, used, capacity))
                reasons.append(insufficient)
                if amount > capacity and self.final:
                    code = Code.UNRESOLVABLE
        return Status(code, tuple(reasons), tuple(short)) if short else SUCCESS

    def alike(self, classes: NodeClasses) -> Grouping:
        """By used amount and capacity of the resources that are too small; one more pod counts as a resource too."""
        lacking = []
        for name, amount in (("pods", 1), *self.requests):
            free, numbers = _room(name, classes)
            short = [number if amount > room else -1 for number, room in enumerate(free)]
            if max(short) >= 0:
                lacking.append([short[number] for number in numbers])
        if not lacking:
            return classes.alike
        return classes.grouping(zip(*lacking, strict=True) if len(lacking) > 1 else lacking[0])


def _room(name: str, classes: NodeClasses) -> tuple[list[int], list[int]]:
    """The free amounts of a resource, once for each pair of used amount and capacity, and the index of each node's
    amount."""
    return _ROOMS.kept(classes, name, lambda: _worked_out(name, classes))


def _worked_out(name: str, classes: NodeClasses) -> tuple[list[int], list[int]]:
    number_of: dict[tuple[int, int], int] = {}
    if name == "pods":
        pairs = [(node.most_pods, len(node.pods)) for node in classes.nodes]
    else:
        pairs = [(node.allocatable.get(name, 0), node.requested.get(name, 0)) for node in classes.nodes]
    numbers = [number_of.setdefault(pair, len(number_of)) for pair in pairs]
    return [capacity - used for capacity, used in number_of], numbers


def _lowered(pod: Pod, node: str, shortages: tuple[Shortage, ...]) -> list[Remedy]:
    """One edit for each missing resource; none where the request of a single container cannot be lowered far enough."""
    edits = []
    for shortage in shortages:
        edit = None if shortage.resource == "pods" else _lower(pod, node, shortage)
        if edit is None:
            return []
        edits.append(edit)
    return [tuple(edits)] if edits else []


def _lower(pod: Pod, node: str, short: Shortage) -> Edit | None:
    """The lowered request that keeps the most, of the container with the largest request where several are possible."""
    free = short.capacity - short.used
    best: tuple[int, int, str, Path] | None = None
    holders = list(_holders(pod.spec, short.resource))
    for container, path, now in holders:
        amount = _largest(pod.spec, path, short.resource, now, free)
        if amount is not None and (best is None or now > best[0]):
            best = (now, amount, container, path)
    if best is None or best[1] == 0:
        return None  # With a request of 0 the container would have no device or memory: that is no fix.
    now, amount, container, path = best
    text = amount_text(short.resource, amount)
    steps = [Step((*path, "requests", short.resource), text)]
    if not _may_exceed(short.resource):
        steps.append(Step((*path, "limits", short.resource), text))
    return Edit(
        Kind.LOWER_REQUEST,
        ref(pod),
        (Operation(ref(pod), tuple(steps)),),
        (container, short.resource, text),
        2 + (now - amount) / now,
        replaced=(Replaced(short.resource, amount_text(short.resource, now), text),),
        because=Because.ALL_THAT_IS_FREE if len(holders) == 1 else Because.ALL_THAT_IS_LEFT,
        node=node,
    )


def _may_exceed(resource: str) -> bool:
    """Whether a limit may be above the request; extended resources and huge pages are not overcommitted."""
    return resource == "cpu" or resource in _BYTES


def _holders(spec: PodSpec, resource: str) -> Iterator[tuple[str, Path, int]]:
    """Everything in the pod that requests the resource, with the amount that the scheduler counts."""
    own = _request(spec.resources, resource)
    if own and resource not in _BYTES[1:]:
        yield "", ("spec", "resources"), own
        return
    for field, containers in (("containers", spec.containers), ("initContainers", spec.init_containers or ())):
        for index, container in enumerate(containers):
            if amount := _request(container.resources, resource):
                yield container.name, ("spec", field, index, "resources"), amount


def _request(resources: ResourceRequirements | None, resource: str) -> int:
    return counted(amounts(resources.requests if resources else None)).get(resource, 0)


def _largest(spec: PodSpec, path: Path, resource: str, now: int, free: int) -> int | None:
    """The largest amount that fits, in round units; None where not even 0 fits."""

    def fits(amount: int) -> bool:
        changed = _with_request(spec, path, resource, amount_text(resource, amount))
        request = counted(pod_requests(changed)).get(resource, 0)
        return request <= free or not request

    if not fits(0):
        return None
    least, most = 0, now
    while least < most:
        middle = (least + most + 1) // 2
        if fits(middle):
            least = middle
        else:
            most = middle - 1
    return _rounded(resource, least)


def _rounded(resource: str, amount: int) -> int:
    """Rounded down to whole MiB or KiB, unless that gives 0."""
    if resource in _BYTES:
        for unit in (_MEBI, _KIBI):
            if amount >= unit:
                return amount // unit * unit
    return amount


def amount_text(resource: str, amount: int) -> str:
    """An amount that the scheduler counts, as the API writes it."""
    if resource == "cpu":
        return str(Quantity.of_milli(amount))
    return str(
        Quantity.of(amount, "BinarySI" if resource in _BYTES or resource.startswith("hugepages-") else "DecimalSI")
    )


def _with_request(spec: PodSpec, path: Path, resource: str, text: str) -> PodSpec:
    if path == ("spec", "resources"):
        return replace(spec, resources=_requesting(spec.resources, resource, text))
    _, field, index, _ = path
    assert isinstance(index, int)
    containers = list(spec.containers if field == "containers" else spec.init_containers or ())
    container: Container = containers[index]
    containers[index] = replace(container, resources=_requesting(container.resources, resource, text))
    if field == "containers":
        return replace(spec, containers=tuple(containers))
    return replace(spec, init_containers=tuple(containers))


def _requesting(resources: ResourceRequirements | None, resource: str, text: str) -> ResourceRequirements:
    resulting = resources or ResourceRequirements()
    return replace(resulting, requests={**(resulting.requests or {}), resource: text})
