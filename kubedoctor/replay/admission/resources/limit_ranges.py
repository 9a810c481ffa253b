"""LimitRanges: the defaults that they give to containers, and what they refuse.

`plugin/pkg/admission/limitranger/admission.go` and `SetDefaults_LimitRangeItem` (`pkg/apis/core/v1/defaults.go`), v1.37.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from kubedoctor.cluster.grammar.quantities import Quantity
from kubedoctor.cluster.kinds.core import LimitRange, LimitRangeItem
from kubedoctor.cluster.kinds.storage import PersistentVolumeClaim
from kubedoctor.replay.admission.resources.created_pod import (
    PodAmounts,
    limits_of,
    requests_of,
    rounded,
    rounded_amounts,
)
from kubedoctor.replay.scheduler.requests import Amounts, amounts

_CONTAINER: Final = "Container"
_POD: Final = "Pod"
_CLAIM: Final = "PersistentVolumeClaim"
_MOST_MILLI: Final = ((1 << 63) - 1) // 1000
"""Above it values are compared in whole units."""
_ZERO: Final = Quantity()


class LimitedPod:
    """A pod after the LimitRanges of its namespace. annotation: what they set, as the API server notes it on the pod.
    errors: what each refuses, by its name."""

    def __init__(self, pod: PodAmounts, annotation: str, errors: dict[str, list[str]]) -> None:
        self.pod, self.annotation, self.errors = pod, annotation, errors


def limited_pod(pod: PodAmounts, ranges: Iterable[LimitRange]) -> LimitedPod:
    """First all give their defaults, then all check. Changes the pod."""
    all_ranges, annotation = tuple(ranges), ""
    for limit_range in all_ranges:
        annotation = _fill_in(pod, limit_range) or annotation
    pod.fill_in_whole()
    errors = {one.name: sorted(set(_refusals(pod, one))) for one in all_ranges}
    return LimitedPod(pod, annotation, {name: texts for name, texts in errors.items() if texts})


def limited_claim(claim: PersistentVolumeClaim, ranges: Iterable[LimitRange]) -> dict[str, list[str]]:
    """What each LimitRange refuses of a claim, by its name."""
    requests, _ = rounded(claim.spec.resources)
    errors = {one.name: sorted(set(_claim_refusals(requests, one))) for one in ranges}
    return {name: texts for name, texts in errors.items() if texts}


def defaults_of(limit_range: LimitRange) -> tuple[Amounts, Amounts]:
    """The requests and limits that it gives to containers without their own."""
    requests: Amounts = {}
    limits: Amounts = {}
    for item in limit_range.spec.limits or ():
        if item.type == _CONTAINER:
            own_limits = {**amounts(item.max), **amounts(item.default)}
            limits |= own_limits
            requests |= {**amounts(item.min), **own_limits, **amounts(item.default_request)}
    return rounded_amounts(requests), rounded_amounts(limits)


def _fill_in(pod: PodAmounts, limit_range: LimitRange) -> str:
    requests, limits = defaults_of(limit_range)
    notes: list[str] = []
    for container in pod.each:
        kind = "init container" if container.is_init else "container"
        for side, own, given in (("request", container.requests, requests), ("limit", container.limits, limits)):
            if new := sorted(given.keys() - own.keys()):
                own.update({name: given[name] for name in new})
                notes.append(f"{', '.join(new)} {side} for {kind} {container.name}")
    return f"LimitRanger plugin set: {'; '.join(notes)}" if notes else ""


def _refusals(pod: PodAmounts, limit_range: LimitRange) -> Iterator[str]:
    for item in limit_range.spec.limits or ():
        if item.type == _CONTAINER:
            for container in pod.each:
                yield from _checked(item, container.requests, container.limits)
        elif item.type == _POD:
            whole = ("cpu", "memory")
            requests = pod.of_containers(requests_of) | {
                name: pod.requests[name] for name in whole if name in pod.requests
            }
            limits = pod.of_containers(limits_of) | {name: pod.limits[name] for name in whole if name in pod.limits}
            yield from _checked(item, requests, limits)


def _checked(item: LimitRangeItem, requests: Amounts, limits: Amounts) -> Iterator[str]:
    for resource, least in rounded_amounts(amounts(item.min)).items():
        yield from _below(item.type, resource, least, requests.get(resource), limits.get(resource))
    for resource, most in rounded_amounts(amounts(item.max)).items():
        yield from _above(item.type, resource, most, requests.get(resource), limits.get(resource))
    for resource, ratio in rounded_amounts(amounts(item.max_limit_request_ratio)).items():
        yield from _ratio(item.type, resource, ratio, requests.get(resource), limits.get(resource))


def _claim_refusals(requests: Amounts, limit_range: LimitRange) -> Iterator[str]:
    for item in limit_range.spec.limits or ():
        if item.type != _CLAIM:
            continue
        for resource, least in rounded_amounts(amounts(item.min)).items():
            yield from _below(_CLAIM, resource, least, requests.get(resource), None)
        for resource, most in rounded_amounts(amounts(item.max)).items():
            head, request = f"maximum {resource} usage per {_CLAIM} is {most}", requests.get(resource)
            if request is None:
                yield f"{head}.  No request is specified"
            elif _more(request, most, _ZERO):
                yield f"{head}, but request is {request}"


def _below(
    kind: str, resource: str, least: Quantity, request: Quantity | None, limit: Quantity | None
) -> Iterator[str]:
    head = f"minimum {resource} usage per {kind} is {least}"
    if request is None:
        yield f"{head}.  No request is specified"
    elif _more(least, request, limit or _ZERO):
        yield f"{head}, but request is {request}"
    elif limit is not None and _more(least, limit, request):
        yield f"{head}, but limit is {limit}"


def _above(kind: str, resource: str, most: Quantity, request: Quantity | None, limit: Quantity | None) -> Iterator[str]:
    head = f"maximum {resource} usage per {kind} is {most}"
    if limit is None:
        yield f"{head}.  No limit is specified"
    elif _more(limit, most, request or _ZERO):
        yield f"{head}, but limit is {limit}"
    elif request is not None and _more(request, most, limit):
        yield f"{head}, but request is {request}"


def _ratio(
    kind: str, resource: str, ratio: Quantity, request: Quantity | None, limit: Quantity | None
) -> Iterator[str]:
    head = f"{resource} max limit to request ratio per {kind} is {ratio}"
    asked, most = _in_one_unit(request or _ZERO, limit or _ZERO, ratio)
    if not asked:
        yield f"{head}, but no request is specified or request is 0"
    elif not most:
        yield f"{head}, but no limit is specified or limit is 0"
    else:
        provided = most / asked
        in_milli = ratio.value() <= _MOST_MILLI
        if (provided * 1000 if in_milli else provided) > float(ratio.milli_value() if in_milli else ratio.value()):
            yield f"{head}, but provided ratio is {provided:f}"


def _more(left: Quantity, right: Quantity, third: Quantity) -> bool:
    """Whether left is more than right, in the unit that all three allow."""
    if max(left.value(), right.value(), third.value()) <= _MOST_MILLI:
        return left.milli_value() > right.milli_value()
    return left.value() > right.value()


def _in_one_unit(left: Quantity, right: Quantity, third: Quantity) -> tuple[int, int]:
    if max(left.value(), right.value(), third.value()) <= _MOST_MILLI:
        return left.milli_value(), right.milli_value()
    return left.value(), right.value()


def admitted_amounts(pod: PodAmounts, ranges: Iterable[LimitRange]) -> dict[tuple[str, str, str], Quantity]:
    """The amounts nearest to those of the containers that the bounds of containers admit, by container, side and
    resource; bounds of the whole pod leave open which container changes. Changes the pod."""
    all_ranges = tuple(ranges)
    for limit_range in all_ranges:
        _fill_in(pod, limit_range)
    changed: dict[tuple[str, str, str], Quantity] = {}
    items = [item for one in all_ranges for item in one.spec.limits or () if item.type == _CONTAINER]
    for container in pod.each:
        for item in items:
            for resource in {**(item.min or {}), **(item.max or {}), **(item.max_limit_request_ratio or {})}:
                for side, amount in _admitted(item, resource, container.requests, container.limits).items():
                    changed[container.name, side, resource] = amount
    return changed


def _admitted(item: LimitRangeItem, resource: str, requests: Amounts, limits: Amounts) -> dict[str, Quantity]:
    """What one item makes of a request and a limit, where it changes them; they are changed."""
    before = {"requests": requests.get(resource), "limits": limits.get(resource)}
    least, most = amounts(item.min).get(resource), amounts(item.max).get(resource)
    for own in (requests, limits):
        if resource in own and most is not None and own[resource] > most:
            own[resource] = most
        if resource in own and least is not None and own[resource] < least:
            own[resource] = least
    ratio = amounts(item.max_limit_request_ratio).get(resource)
    if ratio is not None and ratio.milli_value() and resource in limits and resource in requests:
        needed = -(-limits[resource].milli_value() * 1000 // ratio.milli_value())
        if requests[resource].milli_value() < needed:
            requests[resource] = Quantity(needed * 1_000_000, limits[resource].format)
    after = {"requests": requests.get(resource), "limits": limits.get(resource)}
    return {side: amount for side, amount in after.items() if amount is not None and amount != before[side]}


class DefaultBelow(NamedTuple):
    """A request of a container that is above the limit which a LimitRange gives to containers without one: the pod is
    invalid."""

    container: str
    resource: str
    request: Quantity
    limit: Quantity
    limit_range: str


def defaults_below(pod: PodAmounts, ranges: Iterable[LimitRange]) -> Iterator[DefaultBelow]:
    """The requests that a default limit makes invalid. Changes the pod."""
    for limit_range in ranges:
        without = {(one.name, name) for one in pod.each for name in one.requests.keys() - one.limits.keys()}
        _fill_in(pod, limit_range)
        for container in pod.each:
            for resource, limit in container.limits.items():
                request = container.requests.get(resource)
                if request is not None and (container.name, resource) in without and request > limit:
                    yield DefaultBelow(container.name, resource, request, limit, limit_range.name)


def is_valid(pod: PodAmounts) -> bool:
    """No container requests more than its limit."""
    return all(
        container.requests[resource] <= limit
        for container in pod.each
        for resource, limit in container.limits.items()
        if resource in container.requests
    )
