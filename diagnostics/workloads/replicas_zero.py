"""Workload is scaled to 0.

## What it means
The desired number of pods is 0. Nothing is broken, but clients get no answer.

## Why it happens
- It was scaled down, for example for the night or for maintenance, and not scaled up again.
- An event-driven autoscaler (such as KEDA) has no work for it, or cannot ask how much there is.

## How to fix it
1. If a ScaledObject decides how many pods it has: repair what its conditions and events say.
1. Else, if it should run: `kubectl scale --replicas=1`, and check that no tool scales it down again.

## References
- https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#scaling-a-deployment
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from diagnostics.workloads._triage import scaled_to_zero
from kubedoctor.answers.statements import LONGEST_MESSAGE, quoted, said, troubles_of
from kubedoctor.cluster import (
    Cluster,
    CustomResource,
    Deployment,
    Event,
    HorizontalPodAutoscaler,
    KubernetesObject,
    OwnerReference,
    Ref,
    StatefulSet,
    autoscalers_of,
    controlling_owner,
    quote,
    ref,
    visible_end,
)
from kubedoctor.cluster.changes import scale
from kubedoctor.findings import (
    Command,
    Confidence,
    Effect,
    Explains,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    look_at,
)
from kubedoctor.replay.autoscaling.scalers import SCALER_FAILED

SCALED_OBJECT: Final = "ScaledObject.keda.sh"


def _detail(autoscaler: HorizontalPodAutoscaler | None, owner: OwnerReference | None) -> str:
    if autoscaler is None:
        return ""
    if owner is not None:
        return f"{owner.kind} {autoscaler.namespace}/{owner.name} decides how many pods it has, zero included."
    return f"{ref(autoscaler).title} does not raise it: an autoscaler is disabled while its target has 0 replicas."


def _scaler(workload: Ref, cluster: Cluster) -> CustomResource | None:
    """The ScaledObject that names it as its target; without a kind the target is a Deployment."""
    for scaler in cluster.maybe.custom("ScaledObject", "keda.sh", workload.namespace):
        target = (scaler.spec or {}).get("scaleTargetRef")
        if isinstance(target, dict) and (target.get("kind") or "Deployment", target.get("name")) == (
            workload.kind,
            workload.name,
        ):
            return scaler
    return None


def _of_scaler(workload: Ref, scaler: CustomResource, cluster: Cluster) -> Finding:
    """The pods that a ScaledObject decides on: it has no work for them, or it fails."""
    troubles = troubles_of(scaler, cluster)
    events = cluster.events_about(ref(scaler)) if troubles else ()
    failed = next((event for event in events if event.reason == SCALER_FAILED and event.message), None)
    why = f": {visible_end(failed.message, LONGEST_MESSAGE)}" if failed else said(troubles[0]) if troubles else ""
    clause = f"and ScaledObject `{scaler.name}` cannot raise it{why}" if troubles else "it runs no pods"
    return Finding(
        about=workload,
        summary=f"{workload.kind} is scaled to 0 replicas{',' if troubles else ':'} {clause}",
        evidence=(
            quote(scaler, "spec.scaleTargetRef.name", "it scales this"),
            *((quote(failed, "message", f"event {failed.reason}"),) if failed else ()),
            *dict.fromkeys(fact for trouble in troubles[:2] for fact in quoted(scaler, trouble)),
        ),
        confidence=Confidence.CERTAIN,
        severity=Severity.WARNING if troubles else None,
        detail=f"{ref(scaler).title} decides how many pods it has, zero included.",
        fixes=(Fix("Repair what the ScaledObject says: its trigger, its authentication, its target"),)
        if troubles
        else (),
        commands=(Command(ref(scaler).describe_command, "its conditions and events"),),
        because_of=(ref(scaler),) if troubles else (),
    )


def _up(workload: Ref, autoscaler: HorizontalPodAutoscaler | None) -> Fix:
    """An autoscaler continues from its minimum once there is a pod."""
    replicas = max(1, autoscaler.spec.min_replicas or 1) if autoscaler else 1
    line = command_line(scale(workload, replicas))
    return Fix(f"Scale the {workload.kind} up, if it should run", line, Effect.CHANGES)


@diagnostic(
    code="KD1203",
    subject=Deployment,
    also_subjects=(StatefulSet,),
    severity=Severity.NOTICE,
    reads=(Deployment, StatefulSet, HorizontalPodAutoscaler, Event, SCALED_OBJECT),
    when=scaled_to_zero,
    explains=(Explains("selects", ("KD2001", "KD2005")),),
    symptoms=("ScalingDisabled", "0/0"),
)
def replicas_zero(workload: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    autoscaler = next(iter(autoscalers_of(ref(workload), cluster)), None)
    owner = controlling_owner(autoscaler) if autoscaler else None
    scaler = _scaler(ref(workload), cluster)
    if scaler is not None and (owner is None or troubles_of(scaler, cluster)):
        yield _of_scaler(ref(workload), scaler, cluster)
        return
    yield Finding(
        about=ref(workload),
        summary=f"{ref(workload).kind} is scaled to 0 replicas: it runs no pods",
        evidence=(
            quote(workload, "spec.replicas", "the desired number of pods"),
            *((quote(autoscaler, "spec.scaleTargetRef.name", "it scales this"),) if autoscaler else ()),
        ),
        confidence=Confidence.CERTAIN,
        detail=_detail(autoscaler, owner),
        fixes=() if owner else (_up(ref(workload), autoscaler),),
        commands=(look_at(ref(workload), "who changed it last: add --show-managed-fields"),),
    )
