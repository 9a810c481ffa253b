"""What a pod requests, and what it uses on its node (`component-helpers/resource.PodRequests`, v1.37)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache

from kubedoctor.cluster.grammar.label_requirements import SelectorError, checked_requirement
from kubedoctor.cluster.grammar.quantities import Quantity, QuantityError, parse_quantity
from kubedoctor.cluster.kinds.containers import Container, ContainerStatus, ResourceRequirements
from kubedoctor.cluster.kinds.meta import condition
from kubedoctor.cluster.kinds.pods import Pod, PodSpec

Amounts = dict[str, Quantity]


def amounts(texts: Mapping[str, str] | None) -> Amounts:
    """Quantities of a resource list; an invalid quantity counts as absent."""
    parsed: Amounts = {}
    for name, text in (texts or {}).items():
        try:
            parsed[name] = parse_quantity(text)
        except QuantityError:
            continue
    return parsed


def pod_requests(spec: PodSpec, *, defaulted: bool = True) -> Amounts:
    """What the scheduler needs on a node: all containers together, or the largest need during the start.

    defaulted: False for a template, whose missing requests the API server will copy from the limits.
    """
    return _pod_amounts(spec, "requests", defaulted=defaulted)


def pod_limits(spec: PodSpec) -> Amounts:
    """The limits by the same rule, as quotas count them."""
    return _pod_amounts(spec, "limits", defaulted=True)


def _pod_amounts(spec: PodSpec, side: str, *, defaulted: bool) -> Amounts:
    total = _containers(spec, lambda container: _asked(container.resources, side, defaulted=defaulted))
    for name, amount in _asked(spec.resources, side, defaulted=defaulted).items():
        if is_pod_level(name):
            total[name] = amount
    overhead = amounts(spec.overhead)
    if side == "requests":
        _add(total, overhead)
    else:
        _add(total, {name: amount for name, amount in overhead.items() if name in total and not total[name].is_zero})
    return total


def _containers(spec: PodSpec, amounts_of: Callable[[Container], Amounts]) -> Amounts:
    """Containers and sidecars together, or the largest need during the start. `amounts_of` returns a new dict."""
    total: Amounts = {}
    for container in spec.containers:
        _add(total, amounts_of(container))
    sidecars: Amounts = {}
    peak: Amounts = {}
    for container in spec.init_containers or ():
        _raise(peak, _init_need(container, amounts_of(container), sidecars))
    _add(total, sidecars)
    _raise(total, peak)
    return total


def _init_need(container: Container, own: Amounts, sidecars: Amounts) -> Amounts:
    """What is needed while this init container starts; a sidecar is added to `sidecars`."""
    if container.restarts_always:
        _add(sidecars, own)
        return dict(sidecars)
    _add(own, sidecars)
    return own


def _asked(resources: ResourceRequirements | None, side: str, *, defaulted: bool) -> Amounts:
    if resources is None:
        return {}
    if side == "limits":
        return amounts(resources.limits)
    total = {} if defaulted else amounts(resources.limits)
    total.update(amounts(resources.requests))
    return total


def _add(total: Amounts, more: Mapping[str, Quantity]) -> None:
    for name, amount in more.items():
        total[name] = total[name] + amount if name in total else amount


def _raise(total: Amounts, least: Mapping[str, Quantity]) -> None:
    for name, amount in least.items():
        if name not in total or total[name] < amount:
            total[name] = amount


class Occupied:
    """What pods use as the scheduler counts it, computed once for all pods with the same requests."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Mapping[str, int]] = {}

    def of(self, pod: Pod) -> Mapping[str, int]:
        if _refused(pod) or (_states_amounts(pod) and _resizes(pod, _statuses(pod))):
            return counted(occupied(pod))
        spec = pod.spec
        written: Hashable = tuple([_written(container.resources) for container in spec.containers])
        if spec.init_containers or spec.resources or spec.overhead:
            starting = tuple(
                [
                    (init_container.restarts_always, _written(init_container.resources))
                    for init_container in spec.init_containers or ()
                ]
            )
            written = None, written, starting, _written(spec.resources), tuple((spec.overhead or {}).items())
        counts = self._known.get(written)
        if counts is None:
            counts = self._known[written] = counted(pod_requests(spec))
        return counts


def _written(resources: ResourceRequirements | None) -> tuple[tuple[str, str], ...]:
    return tuple(resources.requests.items()) if resources is not None and resources.requests else ()


def _statuses(pod: Pod) -> dict[str, ContainerStatus]:
    statuses: dict[str, ContainerStatus] = {}
    for status in (*(pod.status.container_statuses or ()), *(pod.status.init_container_statuses or ())):
        statuses.setdefault(status.name, status)
    return statuses


def _refused(pod: Pod) -> bool:
    """The kubelet will not grant the pod's new requests."""
    pending = condition(pod.status.conditions, "PodResizePending")
    return pending is not None and pending.reason == "Infeasible"


def occupied(pod: Pod) -> Amounts:
    """What a pod uses on its node: the maximum of its requests, the amounts granted by the kubelet, and those it runs
    with."""
    statuses, refused = _statuses(pod), _refused(pod)
    if not refused and not _resizes(pod, statuses):
        return pod_requests(pod.spec)
    actual = pod.status.resources.requests if pod.status.resources else None

    def granted(container: Container) -> Amounts:
        status = statuses.get(container.name)
        if status is not None and status.allocated_resources is not None:
            return amounts(status.allocated_resources)
        return {} if refused else _asked(container.resources, "requests", defaulted=True)

    def running(container: Container) -> Amounts:
        status = statuses.get(container.name)
        if status is not None and status.resources is not None and status.resources.requests is not None:
            return amounts(status.resources.requests)
        return granted(container)

    if pod.status.allocated_resources is not None and actual is not None:
        total = amounts(actual)
        _raise(total, amounts(pod.status.allocated_resources))
    else:
        total = _containers(pod.spec, running)
        _raise(total, _containers(pod.spec, granted))
    if not refused:
        _raise(total, _containers(pod.spec, lambda container: _asked(container.resources, "requests", defaulted=True)))
    _apply_pod_level(total, pod, refused=refused)
    _add(total, amounts(pod.spec.overhead))
    return total


def _states_amounts(pod: Pod) -> bool:
    """Whether the status says anything about resources, which older kubelets do not."""
    stated = pod.status
    if stated.resources is not None or stated.allocated_resources is not None:
        return True
    for status in (*(stated.container_statuses or ()), *(stated.init_container_statuses or ())):
        if status.resources is not None or status.allocated_resources is not None:
            return True
    return False


def _resizes(pod: Pod, statuses: Mapping[str, ContainerStatus]) -> bool:
    """Whether the status differs from the spec."""
    if pod.status.resources is not None or pod.status.allocated_resources is not None:
        return True
    for container in (*pod.spec.containers, *(pod.spec.init_containers or ())):
        status = statuses.get(container.name)
        if status is None:
            continue
        requests = (container.resources.requests if container.resources else None) or {}
        if status.allocated_resources is not None and status.allocated_resources != requests:
            return True
        if status.resources is not None and status.resources.requests not in (None, requests):
            return True
    return False


def _apply_pod_level(total: Amounts, pod: Pod, *, refused: bool) -> None:
    pod_level = _pod_level(pod.spec.resources.requests if pod.spec.resources else None)
    if not pod_level:
        return
    if pod.status.resources is not None:
        if refused:
            pod_level = {}
        _raise(pod_level, _pod_level(pod.status.resources.requests))
        _raise(pod_level, _pod_level(pod.status.allocated_resources))
    total.update(pod_level)


def _pod_level(texts: Mapping[str, str] | None) -> Amounts:
    """Of amounts for the pod as a whole, those that may be set for it."""
    return {name: amount for name, amount in amounts(texts).items() if is_pod_level(name)}


def is_pod_level(name: str) -> bool:
    """Whether the resource may be set for a pod as a whole (`component-helpers/resource`, v1.37)."""
    return name in ("cpu", "memory") or name.startswith("hugepages-")


def counted(quantities: Mapping[str, Quantity]) -> dict[str, int]:
    """What the scheduler counts of amounts: cpu in thousandths, all else in whole units, rounded up.

    Resources unknown to the scheduler are left out (`pkg/scheduler/framework.Resource.Add`).
    """
    return {
        name: amount.milli_value() if name == "cpu" else amount.value()
        for name, amount in quantities.items()
        if name in ("cpu", "memory", "ephemeral-storage") or is_scalar(name)
    }


@lru_cache(maxsize=4096)
def is_scalar(name: str) -> bool:
    """Huge pages, attachable volumes, extended resources and those with a name of Kubernetes' own domain."""
    if name.startswith(("hugepages-", "attachable-volumes-")) or "kubernetes.io/" in name:
        return True
    if "/" not in name or name.startswith("requests."):
        return False
    try:
        checked_requirement(f"requests.{name}", "exists", ())
    except SelectorError:
        return False
    return True
