"""HorizontalPodAutoscaler is always at its maximum: idle pods may use more than its target.

## What it means
The target is a share of the CPU request, and the request is so small that a program without any load exceeds it: it collects
garbage, answers probes, sends metrics. More pods do not lower the use of each, so the autoscaler stays at `spec.maxReplicas`,
and would go higher with any maximum.

## Why it happens
- The CPU request is a placeholder, such as 10m, and `averageUtilization` counts in per cent of it.
- A sidecar uses more CPU than the program: the average is over all containers of the pod.
- The target was meant in millicores and is in per cent, or the other way round.

## How to fix it
1. Set the CPU request near what a pod uses under the load that it should carry.
2. If the pods do answer requests, a small use is a real one: raise `spec.maxReplicas` instead.
3. Or raise the target above the use of a pod without load. `type: ContainerResource` counts one container only.

## References
- https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from diagnostics.autoscaling.limits._limited import IdleUse, idle_use, limited_above, raise_maximum
from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster import (
    Cluster,
    HorizontalPodAutoscaler,
    condition,
    controlling_owner,
    human_duration,
    quote,
    ref,
    target_of,
)
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Command, Confidence, Effect, Finding, Fix, Severity, command_line, diagnostic, kubectl
from kubedoctor.replay.autoscaling.demand import demands

_TWICE: Final = 2


@diagnostic(
    code="KD1313",
    subject=HorizontalPodAutoscaler,
    severity=Severity.WARNING,
    reads=(HorizontalPodAutoscaler,),
    when=limited_above,
    also_known_as=("always at maxReplicas",),
    symptoms=("TooManyReplicas", "averageUtilization"),
)
def target_below_idle(autoscaler: HorizontalPodAutoscaler, cluster: Cluster) -> Iterator[Finding]:
    active = condition(autoscaler.status.conditions, "ScalingActive")
    idle = idle_use(autoscaler, cluster) if active is not None and active.status == "True" else None
    if idle is None:
        return
    most = autoscaler.spec.max_replicas
    share = "" if idle.field == "averageValue" else f"{idle.demand.target} of its request, "
    yield Finding(
        about=ref(autoscaler),
        summary=f"HorizontalPodAutoscaler has been at its maximum of {most} pods for {human_duration(idle.since)}, although"
        f" a pod uses only {idle.used}m CPU, as it may without load: the target is {share}{_short(idle.target)}m",
        evidence=(
            quote(autoscaler, f"spec.metrics[{idle.demand.index}]", "the target"),
            quote(autoscaler, f"status.currentMetrics[{idle.demand.index}]", "what its pods use on average"),
            quote(autoscaler, "status.conditions[type=ScalingLimited].lastTransitionTime", "at its maximum since then"),
        ),
        confidence=Confidence.POSSIBLE,
        would_disprove="requests that the pods answer: then the load is real, and more pods help",
        affects=(target_of(autoscaler),),
        fixes=(
            *_fixes(autoscaler, idle, cluster),
            raise_maximum(autoscaler, idle.demand, "if the pods do real work and "),
        ),
        commands=(
            Command(kubectl("top", "pods", "--containers", namespace=autoscaler.namespace), "what each container uses"),
            Command(ref(autoscaler).describe_command, "its metrics, conditions and events"),
        ),
    )


def _fixes(autoscaler: HorizontalPodAutoscaler, idle: IdleUse, cluster: Cluster) -> Iterator[Fix]:
    target = target_of(autoscaler)
    if idle.field == "averageUtilization":
        yield Fix(f"Set the CPU request of {target.title} near what a pod uses under the load that it should carry")
    owner = controlling_owner(autoscaler)
    if owner is not None:
        yield Fix(f"Raise the target in {owner.kind} {owner.name}, which owns it, above what a pod uses without load")
        return
    source = "containerResource" if idle.demand.container else "resource"
    value = _raised(idle)
    change = put(ref(autoscaler), ("spec", "metrics", idle.demand.index, source, "target", idle.field), value)

    def holds(after: Cluster) -> bool:
        changed = after.get(HorizontalPodAutoscaler, autoscaler.namespace, autoscaler.name)
        return changed is not None and all(one.replicas < changed.spec.max_replicas for one in demands(changed))

    unit = "%" if idle.field == "averageUtilization" else ""
    fix = Fix(
        f"Raise the target to {value}{unit}, twice what a pod uses now, if that is without load",
        command_line(change, autoscaler),
        Effect.CHANGES,
    )
    yield proven(fix, prove(change, cluster, holds))


def _raised(idle: IdleUse) -> int | str:
    if idle.field == "averageValue":
        return f"{_TWICE * idle.used}m"
    return _TWICE * int(idle.demand.current.removesuffix("%"))


def _short(millicores: float) -> str:
    return f"{millicores:.1f}".removesuffix(".0")
