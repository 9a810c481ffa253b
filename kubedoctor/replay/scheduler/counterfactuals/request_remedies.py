"""Requests that fit: the most that may be asked for where there is too little."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from kubedoctor.cluster.changes import Operation, Path, Step
from kubedoctor.cluster.grammar.quantities import Quantity
from kubedoctor.cluster.kinds.containers import Container, ResourceRequirements
from kubedoctor.cluster.kinds.pods import Pod, PodSpec
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.replay.scheduler.counterfactuals.edits import Edit, Kind
from kubedoctor.replay.scheduler.framework import Shortage
from kubedoctor.replay.scheduler.requests import amounts, counted, pod_requests

_KIBI, _MEBI = 1 << 10, 1 << 20
_BYTES = ("memory", "ephemeral-storage")


def lower_requests(pod: Pod, node: str, shortages: tuple[Shortage, ...]) -> tuple[Edit, ...] | None:
    """One edit for each resource that is short, None where a request of one container cannot be lowered so far."""
    edits = []
    for one in shortages:
        edit = None if one.resource == "pods" else _lower(pod, node, one)
        if edit is None:
            return None
        edits.append(edit)
    return tuple(edits)


def _lower(pod: Pod, node: str, short: Shortage) -> Edit | None:
    """The request that keeps most, of the container that asks for most where several would do."""
    free = short.capacity - short.used
    best: tuple[int, int, str, Path] | None = None
    holders = list(_holders(pod.spec, short.resource))
    for container, path, now in holders:
        amount = _largest(pod.spec, path, short.resource, now, free)
        if amount is not None and (best is None or now > best[0]):
            best = (now, amount, container, path)
    if best is None or best[1] == 0:
        return None  # Who asks for nothing has no device and no room: that cures nothing.
    now, amount, container, path = best
    text = amount_text(short.resource, amount)
    steps = [Step((*path, "requests", short.resource), text)]
    if not _may_exceed(short.resource):
        steps.append(Step((*path, "limits", short.resource), text))
    whose = f"of container {container}" if container else "of the pod"
    left = "is free" if len(holders) == 1 else "is left for it"
    change = f"from {amount_text(short.resource, now)} to {text} (all that {left} on {node})"
    return Edit(
        Kind.LOWER_REQUEST,
        ref(pod),
        f"lower the {short.resource} request {whose} {change}",
        (Operation(ref(pod), tuple(steps)),),
        (container, short.resource, text),
        2 + (now - amount) / now,
    )


def _may_exceed(resource: str) -> bool:
    """Whether a limit may be above the request; extended resources and huge pages are not overcommitted."""
    return resource == "cpu" or resource in _BYTES


def _holders(spec: PodSpec, resource: str) -> Iterator[tuple[str, Path, int]]:
    """Everything that asks for the resource, with its amount as the scheduler counts it."""
    own = _asked(spec.resources, resource)
    if own and resource not in _BYTES[1:]:
        yield "", ("spec", "resources"), own
        return
    for field, containers in (("containers", spec.containers), ("initContainers", spec.init_containers or ())):
        for index, container in enumerate(containers):
            if amount := _asked(container.resources, resource):
                yield container.name, ("spec", field, index, "resources"), amount


def _asked(resources: ResourceRequirements | None, resource: str) -> int:
    return counted(amounts(resources.requests if resources else None)).get(resource, 0)


def _largest(spec: PodSpec, path: Path, resource: str, now: int, free: int) -> int | None:
    """The most that fits, in round units; None where not even nothing fits."""

    def fits(amount: int) -> bool:
        changed = _with_request(spec, path, resource, amount_text(resource, amount))
        asked = counted(pod_requests(changed)).get(resource, 0)
        return asked <= free or not asked

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
    """Down to whole MiB or KiB where that leaves something."""
    if resource in _BYTES:
        for unit in (_MEBI, _KIBI):
            if amount >= unit:
                return amount // unit * unit
    return amount


def amount_text(resource: str, amount: int) -> str:
    """As the API writes what the scheduler counts."""
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
    found = resources or ResourceRequirements()
    return replace(found, requests={**(found.requests or {}), resource: text})
