"""The requests and limits of a pod that is being created, as the API server fills them in step by step.

`SetDefaults_Pod` (`pkg/apis/core/v1/defaults.go`) and `DefaultPodLevelResources` (`pkg/api/pod/util.go`), v1.37.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from kubedoctor.cluster.grammar.quantities import Quantity
from kubedoctor.cluster.kinds.containers import Container, ResourceRequirements
from kubedoctor.cluster.kinds.pods import PodSpec
from kubedoctor.replay.scheduler.requests import Amounts, amounts

HUGE_PAGES: Final = "hugepages-"
_MILLI: Final = 1_000_000
"""A thousandth, in billionths."""


class ContainerAmounts:
    """Requests and limits of a container, by resource; steps of admission change them."""

    def __init__(self, container: Container, *, is_init: bool) -> None:
        self.name, self.is_init, self.is_sidecar = container.name, is_init, is_init and container.restarts_always
        self.requests, self.limits = rounded(container.resources)
        for resource, amount in self.limits.items():
            self.requests.setdefault(resource, amount)


class PodAmounts:
    """The containers of a pod, its requests and limits as a whole, where it sets any, and its overhead."""

    def __init__(self, spec: PodSpec) -> None:
        self.containers = [ContainerAmounts(container, is_init=False) for container in spec.containers]
        self.init_containers = [ContainerAmounts(container, is_init=True) for container in spec.init_containers or ()]
        self.requests, self.limits = rounded(spec.resources)
        self.overhead = amounts(spec.overhead)
        self.sets_whole = any(map(is_pod_level, (*self.requests, *self.limits)))

    @property
    def each(self) -> Iterator[ContainerAmounts]:
        """Containers, then init containers."""
        yield from self.containers
        yield from self.init_containers

    def of_containers(self, side: Callable[[ContainerAmounts], Amounts]) -> Amounts:
        """All containers and sidecars together, or the largest need during the start."""
        total, sidecars, peak = _sum(map(side, self.containers)), Amounts(), Amounts()
        for container in self.init_containers:
            if container.is_sidecar:
                sidecars = _sum((sidecars, side(container)))
                _raise(peak, sidecars)
            else:
                _raise(peak, _sum((side(container), sidecars)))
        total = _sum((total, sidecars))
        _raise(total, peak)
        return total

    def fill_in_whole(self) -> None:
        """The requests and limits of the pod as a whole that it leaves out, where it sets any."""
        if not self.requests and not self.limits:
            return
        for resource, amount in self.of_containers(limits_of).items():
            if resource.startswith(HUGE_PAGES) and resource not in self.requests:
                self.limits.setdefault(resource, amount)
        for resource, amount in self.of_containers(requests_of).items():
            if is_pod_level(resource) and not resource.startswith(HUGE_PAGES):
                self.requests.setdefault(resource, amount)
        for resource, amount in self.limits.items():
            if is_pod_level(resource):
                self.requests.setdefault(resource, amount)
        self._fill_in_limits()

    def _fill_in_limits(self) -> None:
        """Where every container has a limit."""
        missing = [resource for resource in self.requests if is_pod_level(resource) and resource not in self.limits]
        together = self.of_containers(limits_of)
        for resource in missing:
            if resource in together and all(resource in container.limits for container in self.each):
                self.limits[resource] = max(together[resource], self.requests[resource])


def requests_of(container: ContainerAmounts) -> Amounts:
    return container.requests


def limits_of(container: ContainerAmounts) -> Amounts:
    return container.limits


def is_pod_level(resource: str) -> bool:
    """What a pod may set as a whole."""
    return resource in ("cpu", "memory") or resource.startswith(HUGE_PAGES)


def rounded(resources: ResourceRequirements | None) -> tuple[Amounts, Amounts]:
    """Requests and limits as the API server keeps them (`SetDefaults_ResourceList`)."""
    if resources is None:
        return {}, {}
    return rounded_amounts(amounts(resources.requests)), rounded_amounts(amounts(resources.limits))


def rounded_amounts(given: Amounts) -> Amounts:
    """Each at least in thousandths, rounded up."""
    return {name: Quantity(amount.milli_value() * _MILLI, amount.format) for name, amount in given.items()}


def _sum(parts: Iterable[Amounts]) -> Amounts:
    total: Amounts = {}
    for part in parts:
        for name, amount in part.items():
            total[name] = total[name] + amount if name in total else amount
    return total


def _raise(total: Amounts, least: Amounts) -> None:
    for name, amount in least.items():
        if name not in total or total[name] < amount:
            total[name] = amount
