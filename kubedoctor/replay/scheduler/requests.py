"""What a pod asks for (`component-helpers/resource.PodRequests`, v1.37, without the status of a running resize)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kubedoctor.cluster.pods import Container, PodSpec, ResourceRequirements
from kubedoctor.cluster.quantities import Quantity, QuantityError, parse_quantity

Amounts = dict[str, Quantity]


def amounts(texts: Mapping[str, str] | None) -> Amounts:
    """Quantities of a resource list; a text that is no quantity counts as absent."""
    found: Amounts = {}
    for name, text in (texts or {}).items():
        try:
            found[name] = parse_quantity(text)
        except QuantityError:
            continue
    return found


def pod_requests(spec: PodSpec, *, defaulted: bool = True) -> Amounts:
    """What the scheduler looks for on a node: containers together, or the neediest moment of the start.

    defaulted: False for a template, whose missing requests the API server will copy from the limits.
    """
    return _pod_amounts(spec, "requests", defaulted=defaulted)


def pod_limits(spec: PodSpec) -> Amounts:
    """The limits by the same rule, as quotas count them."""
    return _pod_amounts(spec, "limits", defaulted=True)


def _pod_amounts(spec: PodSpec, side: str, *, defaulted: bool) -> Amounts:
    total: Amounts = {}
    for container in spec.containers:
        _add(total, _asked(container.resources, side, defaulted=defaulted))
    sidecars: Amounts = {}
    peak: Amounts = {}
    for container in spec.init_containers or ():
        own = _init_need(container, sidecars, side, defaulted=defaulted)
        _raise(peak, own)
    _add(total, sidecars)
    _raise(total, peak)
    for name, amount in _asked(spec.resources, side, defaulted=defaulted).items():
        if name in ("cpu", "memory") or name.startswith("hugepages-"):
            total[name] = amount
    overhead = amounts(spec.overhead)
    if side == "requests":
        _add(total, overhead)
    else:
        _add(total, {name: amount for name, amount in overhead.items() if name in total and not total[name].is_zero})
    return total


def _init_need(container: Container, sidecars: Amounts, side: str, *, defaulted: bool) -> Amounts:
    """What is needed while this init container starts; a sidecar is added to `sidecars`."""
    own = _asked(container.resources, side, defaulted=defaulted)
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
    found = {} if defaulted else amounts(resources.limits)
    found.update(amounts(resources.requests))
    return found


def _add(total: Amounts, more: Mapping[str, Quantity]) -> None:
    for name, amount in more.items():
        total[name] = total[name] + amount if name in total else amount


def _raise(total: Amounts, least: Mapping[str, Quantity]) -> None:
    for name, amount in least.items():
        if name not in total or total[name] < amount:
            total[name] = amount


def summed(parts: Iterable[Mapping[str, Quantity]]) -> Amounts:
    """The sum by resource."""
    total: Amounts = {}
    for part in parts:
        _add(total, part)
    return total
