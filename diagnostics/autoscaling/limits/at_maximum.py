"""HorizontalPodAutoscaler is held at its maximum.

## What it means
The metrics demand more pods than `spec.maxReplicas` allows. The autoscaler has added all that it may; the load of each pod
stays above the target.

## Why it happens
- The load has grown beyond what the maximum was chosen for.
- The target is lower than what an idle pod uses, so the autoscaler always demands more.
- The pods got slower: each request costs more than before.
- Minimum and maximum are equal: the autoscaler is pinned.

## How to fix it
1. Compare the number that the metrics demand with the maximum.
2. Raise `spec.maxReplicas`, if nodes and quotas have room; or raise the target.
3. Look for a cause in the workload: a new version, a slow dependency.

## References
- https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.autoscaling.limits._limited import idle_use, limited_above, raise_maximum
from kubedoctor.answers.scaling.words import load_line
from kubedoctor.cluster import (
    Cluster,
    HorizontalPodAutoscaler,
    condition,
    controlling_owner,
    has_path,
    quote,
    ref,
    target_of,
)
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, kubectl
from kubedoctor.replay.autoscaling.demand import Demand, demands

_LIMITED = "status.conditions[type=ScalingLimited]"


@diagnostic(
    code="KD1303",
    subject=HorizontalPodAutoscaler,
    severity=Severity.WARNING,
    reads=(HorizontalPodAutoscaler,),
    when=limited_above,
    also_known_as=("TooManyReplicas",),
    symptoms=("ScalingLimited", "the desired replica count is more than the maximum replica count"),
)
def at_maximum(autoscaler: HorizontalPodAutoscaler, cluster: Cluster) -> Iterator[Finding]:
    active = condition(autoscaler.status.conditions, "ScalingActive")
    if active is None or active.status != "True" or idle_use(autoscaler, cluster) is not None:
        return
    most = autoscaler.spec.max_replicas
    demanded = next((demand for demand in demands(autoscaler) if demand.replicas > most), None)
    pinned = (autoscaler.spec.min_replicas or 1) >= most
    wanted = f"would be {demanded.replicas}, " if demanded else ""
    load = f" ({load_line(demanded)})" if demanded else ""
    yield Finding(
        about=ref(autoscaler),
        severity=Severity.NOTICE if pinned else None,
        summary=f"HorizontalPodAutoscaler {wanted}held at {most} by maxReplicas{load}",
        evidence=(
            quote(autoscaler, "spec.maxReplicas", "and minReplicas is the same" if pinned else ""),
            *(
                (quote(autoscaler, f"{_LIMITED}.message", "the controller's message"),)
                if has_path(autoscaler, f"{_LIMITED}.message")
                else ()
            ),
            *((quote(autoscaler, f"status.currentMetrics[{demanded.index}]", ""),) if demanded else ()),
        ),
        confidence=Confidence.CERTAIN,
        detail=_of_memory(demanded),
        affects=(target_of(autoscaler),),
        fixes=tuple(_fixes(autoscaler, demanded)),
        commands=(
            Command(ref(autoscaler).describe_command, "its metrics, conditions and events"),
            Command(kubectl("top", "pods", namespace=autoscaler.namespace), "what each pod uses"),
        ),
    )


def _of_memory(demand: Demand | None) -> str:
    """Load that is spread over more pods lowers their CPU usage; the memory that a program holds from its start stays."""
    if demand is None or demand.name != "memory":
        return ""
    return (
        "The memory that a program holds without any load does not fall when pods are added: if that alone is above the "
        f"target of {demand.target}, this autoscaler is always at its maximum."
    )


def _fixes(autoscaler: HorizontalPodAutoscaler, demand: Demand | None) -> Iterator[Fix]:
    if demand is not None and demand.name == "memory" and controlling_owner(autoscaler) is None:
        yield Fix(
            f"Set the target above the memory of a pod without load, or scale on CPU or requests (now {demand.current})"
        )
    yield raise_maximum(autoscaler, demand)
