"""HorizontalPodAutoscaler finds no pods: its target names no selector.

## What it means
The autoscaler asks the scale subresource of its target for a selector of pods. This kind of object has none there, or one
that cannot be parsed, so the autoscaler computes nothing, whatever the metric. The number of pods stays as it is.

## Why it happens
- The CustomResourceDefinition declares the scale subresource without `labelSelectorPath`.
- It declares the path, and the controller of the kind writes no selector into the object's status.
- What is written there is no selector.

## How to fix it
1. Install a version of the operator whose definition has `spec.versions[].subresources.scale.labelSelectorPath`, and
   whose controller fills that field.
2. Or let the autoscaler scale the workload below that object, if its operator leaves the number of pods alone.

## References
- https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#scale-subresource
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubedoctor.cluster import (
    Cluster,
    CustomResourceDefinition,
    Evidence,
    HorizontalPodAutoscaler,
    Ref,
    condition,
    quote,
    ref,
    target_of,
)
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, has_path, kubectl

_MESSAGE = "status.conditions[type=ScalingActive].message"


def lacks_selector(autoscaler: HorizontalPodAutoscaler) -> bool:
    """The autoscaler states that its target gives it no usable selector (`pkg/controller/podautoscaler`, v1.37)."""
    active = condition(autoscaler.status.conditions, "ScalingActive")
    invalid = active is not None and active.status == "False" and active.reason == "InvalidSelector"
    able = condition(autoscaler.status.conditions, "AbleToScale")
    reached = able is None or able.status != "False"  # Else there is no such object, and the rest is of earlier.
    return invalid and reached and autoscaler.metadata.deletion_timestamp is None


@diagnostic(
    code="KD1309",
    subject=HorizontalPodAutoscaler,
    severity=Severity.WARNING,
    reads=(CustomResourceDefinition,),
    when=lacks_selector,
    symptoms=("InvalidSelector", "SelectorRequired", "the HPA target's scale is missing a selector"),
)
def target_without_selector(autoscaler: HorizontalPodAutoscaler, cluster: Cluster) -> Iterator[Finding]:
    active = condition(autoscaler.status.conditions, "ScalingActive")
    target, api_version = target_of(autoscaler), autoscaler.spec.scale_target_ref.api_version
    definition = _definition(target, api_version.partition("/")[0], cluster)
    path, shown = _selector_path(definition, api_version.rpartition("/")[2])
    unusable = active is not None and "missing" not in active.message
    if unusable:
        why = "the selector in its scale subresource is not valid"
    elif definition is None:
        why = "its scale subresource gives no selector of pods"
    elif path:
        why = f"its controller writes no selector to {path.lstrip('.')}, where the scale subresource looks for it"
    else:
        why = "its definition names no labelSelectorPath in the scale subresource"
    yield Finding(
        about=ref(autoscaler),
        summary=f"HorizontalPodAutoscaler scales nothing: {target.title} gives it no selector of pods: {why}"
        if definition is not None or unusable
        else f"HorizontalPodAutoscaler scales nothing: {target.title} gives it no selector of pods",
        confidence=Confidence.CERTAIN,
        evidence=(
            *((quote(autoscaler, _MESSAGE, "the controller's message"),) if has_path(autoscaler, _MESSAGE) else ()),
            quote(autoscaler, "spec.scaleTargetRef.kind", "whose scale subresource it asks"),
            *shown,
        ),
        fixes=(
            Fix(
                f"Use a version of the operator of {target.short_kind} whose definition has a labelSelectorPath and whose"
                " controller fills it"
            ),
            Fix("Or name the workload that it creates in scaleTargetRef, if the operator leaves its replicas alone"),
        ),
        commands=(
            Command(
                kubectl("get", target.argument, "-o", "jsonpath={.status}", namespace=target.namespace),
                "whether its status holds a selector",
            ),
            Command(ref(autoscaler).describe_command, "its conditions and events"),
        ),
    )


def _definition(target: Ref, group: str, cluster: Cluster) -> CustomResourceDefinition | None:
    return next(
        (
            one
            for one in cluster.maybe.all(CustomResourceDefinition)
            if one.spec.group == group and one.spec.names.kind == target.short_kind
        ),
        None,
    )


def _selector_path(definition: CustomResourceDefinition | None, version: str) -> tuple[str, tuple[Evidence, ...]]:
    """The labelSelectorPath of the definition; empty where it has none."""
    served = next(
        (one for one in (definition.spec.versions if definition else None) or () if one.name == version), None
    )
    if definition is None or served is None:
        return "", ()
    subresources: dict[str, Any] = served.subresources or {}
    path = f"spec.versions[name={version}].subresources"
    evidence = (quote(definition, path, "without or with labelSelectorPath"),) if has_path(definition, path) else ()
    scale = subresources.get("scale")
    return (str(scale.get("labelSelectorPath") or "") if isinstance(scale, dict) else ""), evidence
