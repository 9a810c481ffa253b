"""Pods that a LimitRange refuses, or that its defaults make invalid: the amounts that would be admitted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from diagnostics.admission._refused import RefusedPods
from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster import Cluster, Evidence, KubernetesObject, LimitRange, quote, ref, template_of, template_path
from kubedoctor.cluster.changes import Step, edit
from kubedoctor.findings import Effect, Fix, command_line
from kubedoctor.replay.admission.resources.created_pod import PodAmounts
from kubedoctor.replay.admission.resources.limit_ranges import (
    DefaultBelow,
    admitted_amounts,
    defaults_below,
    is_valid,
    limited_pod,
)

BELOW = "must be less than or equal to"
"""What the API server says of a request above its limit."""
Said = tuple[str, tuple[Evidence, ...], tuple[Fix, ...]]


def out_of_bounds(refused: RefusedPods, cluster: Cluster) -> Said:
    """The sentence, the evidence and the fixes of a refusal by a LimitRange."""
    text, ranges = refused.refusal.text.strip("[]"), _ranges(refused, cluster)
    evidence = tuple(_bounds(text, ranges))
    names = ", ".join(sorted({fact.object.name for fact in evidence}))
    which = f"LimitRange {names}" if names else "a LimitRange of the namespace"
    workload = cluster.maybe.get_ref(refused.workload)
    template = template_of(workload) if workload is not None else None
    fixes: tuple[Fix, ...] = (Fix("Set an amount within the LimitRange, or change the LimitRange"),)
    if workload is not None and template is not None:
        amounts = {key: str(amount) for key, amount in admitted_amounts(PodAmounts(template.spec), ranges).items()}
        fixes = (_set(workload, amounts, f"as {which} allows", cluster), *fixes) if amounts else fixes
    return f"the pods violate {which}: {text}", evidence, fixes


def invalid_by_default(refused: RefusedPods, cluster: Cluster) -> Said | None:
    """A request above the limit that a LimitRange gives to a container without one; None where that is not the cause."""
    workload = cluster.maybe.get_ref(refused.workload)
    template = template_of(workload) if workload is not None else None
    if BELOW not in refused.refusal.text or workload is None or template is None:
        return None
    ranges = _ranges(refused, cluster)
    found = next(defaults_below(PodAmounts(template.spec), ranges), None)
    if found is None:
        return None
    summary = (
        f"container {found.container} requests {found.request} {found.resource} and has no limit: LimitRange"
        f" {found.limit_range} gives it a limit of {found.limit}, and the API server refuses the pods"
    )
    amounts = {(found.container, "limits", found.resource): str(found.request)}
    fix = _set(workload, amounts, "so that no default applies", cluster)
    other = Fix(f"Or raise the default of LimitRange {found.limit_range}")
    return summary, tuple(_default(found, ranges)), (fix, other)


def _ranges(refused: RefusedPods, cluster: Cluster) -> tuple[LimitRange, ...]:
    return cluster.maybe.all(LimitRange, refused.workload.namespace)


def _bounds(text: str, ranges: tuple[LimitRange, ...]) -> Iterator[Evidence]:
    """The bounds that the message quotes."""
    for limits in ranges:
        for index, item in enumerate(limits.spec.limits or ()):
            for side, word in (("max", "maximum"), ("min", "minimum")):
                for resource, amount in (getattr(item, side) or {}).items():
                    if f"{word} {resource} usage per {item.type} is {amount}" in text:
                        path = f"spec.limits[{index}].{side}[{resource}]"
                        yield quote(limits, path, f"{word} per {item.type}")


def _default(found: DefaultBelow, ranges: tuple[LimitRange, ...]) -> Iterator[Evidence]:
    for limits in ranges:
        for index, item in enumerate(limits.spec.limits or ()):
            for side in ("default", "max"):
                given = (getattr(item, side) or {}).get(found.resource)
                if limits.name == found.limit_range and item.type == "Container" and given is not None:
                    yield quote(limits, f"spec.limits[{index}].{side}[{found.resource}]", "the limit without one")
                    return


def _set(workload: KubernetesObject, amounts: Mapping[tuple[str, str, str], str], why: str, cluster: Cluster) -> Fix:
    """Amounts of containers of the template, replayed against the LimitRanges."""
    about, prefix = ref(workload), tuple(template_path(workload).split("."))
    places = _places(workload)
    steps = [
        Step((*prefix, *places[container], "resources", side, resource), amount)
        for (container, side, resource), amount in amounts.items()
    ]
    change = edit(about, *steps)

    def holds(after: Cluster) -> bool:
        changed = after.get_ref(about)
        template = template_of(changed) if changed is not None else None
        if template is None:
            return False
        limited = limited_pod(PodAmounts(template.spec), after.all(LimitRange, about.namespace))
        return not limited.errors and is_valid(limited.pod)

    words = ", ".join(
        f"{side}.{resource} of container {name} to {amount}" for (name, side, resource), amount in amounts.items()
    )
    fix = Fix(f"Set {words}, {why}", command_line(change, workload), Effect.DISRUPTS)
    return proven(fix, prove(change, cluster.maybe, holds))


def _places(workload: KubernetesObject) -> dict[str, tuple[str, int]]:
    template = template_of(workload)
    lists = (
        (("initContainers", template.spec.init_containers or ()), ("containers", template.spec.containers))
        if template is not None
        else ()
    )
    return {container.name: (field, index) for field, all_ in lists for index, container in enumerate(all_)}
