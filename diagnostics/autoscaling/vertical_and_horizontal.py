"""VerticalPodAutoscaler and HorizontalPodAutoscaler act on the same resource.

## What it means
The horizontal autoscaler counts pods by the usage in per cent of the request, and the vertical one changes that request. Each
undoes what the other aims at: with a larger request the percentage falls and pods are removed, their load moves to the others,
and the recommendation rises again.

## Why it happens
- A VerticalPodAutoscaler manages CPU and memory unless `controlledResources` says otherwise.
- The horizontal autoscaler was added later, by a chart or by KEDA.

A horizontal autoscaler with other metrics (requests per second, an average value) does not go by the request, and is not reported.

## How to fix it
1. Let the vertical autoscaler manage the other resource only: `controlledResources: [memory]` beside a CPU percentage.
2. Or set its `updateMode` to `Off`, and use its recommendation by hand.

## References
- https://kubernetes.io/docs/concepts/workloads/autoscaling/vertical-pod-autoscale/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from diagnostics.autoscaling._vertical import VERTICAL, mode_of, target_of_vertical
from kubedoctor.cluster import Cluster, CustomResource, HorizontalPodAutoscaler, autoscalers_of, quote, ref
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Command, Confidence, Effect, Finding, Fix, Severity, command_line, diagnostic

_RESOURCES: Final = ("cpu", "memory")
_SOURCES: Final = {"Resource": "resource", "ContainerResource": "containerResource"}


@diagnostic(
    code="KD1308",
    subject=VERTICAL,
    severity=Severity.WARNING,
    reads=(HorizontalPodAutoscaler,),
    symptoms=("EvictedByVPA", "updateMode", "controlledResources"),
)
def vertical_and_horizontal(vertical: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    target, managed = target_of_vertical(vertical), _managed(vertical)
    if target is None or not managed:
        return
    for horizontal in autoscalers_of(target, cluster):
        shared = [name for name in _percentages(horizontal) if name in managed]
        if not shared:
            continue
        both = " and ".join(shared)
        yield Finding(
            about=ref(vertical),
            aspect=horizontal.name,
            summary=f"it sets the {both} requests of {target.title}, and {ref(horizontal).title} counts pods by the usage in "
            "per cent of them",
            evidence=(
                quote(vertical, "spec.targetRef.name", f"updateMode {mode_of(vertical)}: requests are changed"),
                quote(horizontal, "spec.metrics", "a percentage of the request"),
            ),
            confidence=Confidence.CERTAIN,
            affects=(ref(horizontal), target),
            fixes=tuple(_fixes(vertical, [name for name in _RESOURCES if name in managed and name not in shared])),
            commands=(Command(ref(vertical).describe_command, "its recommendation and conditions"),),
        )


def _managed(vertical: CustomResource) -> tuple[str, ...]:
    """The resources whose requests it sets: of a container without a policy both; none while it only recommends."""
    if mode_of(vertical) == "Off":
        return ()
    policy = (vertical.spec or {}).get("resourcePolicy")
    rows = policy.get("containerPolicies") if isinstance(policy, dict) else None
    policies = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    every = next((row for row in policies if row.get("containerName") == "*"), None)
    if every is None:
        return _RESOURCES
    active = [row for row in policies if row.get("mode") != "Off"]
    return tuple(
        name for name in _RESOURCES if any(name in (row.get("controlledResources") or _RESOURCES) for row in active)
    )


def _percentages(horizontal: HorizontalPodAutoscaler) -> Iterator[str]:
    """The resources that it measures in per cent of their request."""
    for metric in horizontal.spec.metrics or ():
        source = metric.get(_SOURCES.get(str(metric.get("type")), ""))
        target = source.get("target") if isinstance(source, dict) else None
        if isinstance(source, dict) and isinstance(target, dict) and target.get("averageUtilization") is not None:
            yield str(source.get("name"))


def _fixes(vertical: CustomResource, others: list[str]) -> Iterator[Fix]:
    if others and not (vertical.spec or {}).get("resourcePolicy"):
        policies = {"containerPolicies": [{"containerName": "*", "controlledResources": others}]}
        line = command_line(put(ref(vertical), ("spec", "resourcePolicy"), policies), vertical)
        yield Fix(f"Let it manage {' and '.join(others)} only", line, Effect.CHANGES)
    elif others:
        yield Fix(f"Let it manage {' and '.join(others)} only: controlledResources of its container policies")
    line = command_line(put(ref(vertical), ("spec", "updatePolicy", "updateMode"), "Off"), vertical)
    yield Fix("Or let it only recommend: updateMode Off", line, Effect.CHANGES)
