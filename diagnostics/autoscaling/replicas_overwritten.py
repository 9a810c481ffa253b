"""Something else writes the number of pods that an autoscaler decides.

## What it means
`spec.replicas` of the workload was written by another client after the autoscaler had scaled it. The autoscaler computes its
own number again within seconds, from the pods that are left: every such write starts or ends pods for nothing, in the middle
of a load too.

## Why it happens
- The manifest in Git has `replicas`, and Argo CD, Flux, Helm or `kubectl apply` in a pipeline sets it at each sync.
- An operator owns the workload and has a number of its own.

One `kubectl scale` by hand is not reported: the autoscaler undoes it once. Nor is 0, which switches the autoscaler off, nor a
writer that owns the number beside the autoscaler: it wrote the autoscaler's own number.

## How to fix it
1. Remove `spec.replicas` from the manifest or the chart's values. Before the next `kubectl apply`, remove it from the
   annotation of the last one as well (`kubectl apply edit-last-applied`), or the workload is scaled to 1 for a moment.
2. Argo CD: ignore the field (`ignoreDifferences` with `/spec/replicas`, and `RespectIgnoreDifferences=true`).
3. A number that somebody sets by hand belongs in `minReplicas` and `maxReplicas` of the autoscaler.
4. If the number is meant to be fixed, delete the autoscaler.

## References
- https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#migrating-deployments-and-statefulsets-to-horizontal-autoscaling
- https://argo-cd.readthedocs.io/en/stable/user-guide/diffing/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kubedoctor.answers.timeline.writes import Write, owners_of, shared_with_controllers
from kubedoctor.cluster import (
    Cluster,
    Deployment,
    Event,
    HorizontalPodAutoscaler,
    StatefulSet,
    counted,
    human_duration,
    quote,
    ref,
    target_of,
    times,
)
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, kubectl

_REPLICAS: Final = "spec.replicas"
_APPLY: Final = "kubectl apply"
_BY_HAND: Final = ("kubectl", "kubectl-edit", "kubectl-patch", "kubectl-scale", "k9s", "dashboard", "Mozilla")
"""The managers that are tools of people. A browser is how an older dashboard calls itself."""
_NEW_SIZE: Final = re.compile(r"New size: (\d+); reason: (.*)", re.DOTALL)
"""`pkg/controller/podautoscaler`, v1.37. It names a metric above its target where it scales up."""


def has_scaled(autoscaler: HorizontalPodAutoscaler) -> bool:
    """It has set a number of its own before."""
    return autoscaler.status.last_scale_time is not None and autoscaler.metadata.deletion_timestamp is None


@diagnostic(
    code="KD1306",
    subject=HorizontalPodAutoscaler,
    severity=Severity.NOTICE,
    reads=(HorizontalPodAutoscaler, Deployment, StatefulSet, Event),
    when=has_scaled,
    symptoms=("spec.replicas", "ScalingReplicaSet", "SuccessfulRescale", "OutOfSync"),
)
def replicas_overwritten(autoscaler: HorizontalPodAutoscaler, cluster: Cluster) -> Iterator[Finding]:
    """A field that changes is taken from its owner: who owns the number now wrote it after the autoscaler's last scaling."""
    target = target_of(autoscaler)
    workload = cluster.maybe.get_ref(target)
    scaled_at = autoscaler.status.last_scale_time
    if not isinstance(workload, Deployment | StatefulSet) or scaled_at is None:
        return
    created = workload.metadata.creation_timestamp
    writer = next((write for write in owners_of(workload, _REPLICAS) if write.subresource != "scale"), None)
    if writer is None or (created is not None and scaled_at <= created):
        return
    number = workload.spec.desired_replicas
    if number == 0 or shared_with_controllers(workload, _REPLICAS):
        return  # Switched off; or written with the autoscaler's number, or that one would not own it any more.
    after = writer.at >= scaled_at
    again, often = _scaled_to(number, workload, autoscaler, cluster)
    if not after and again is None:
        return
    below = number < (autoscaler.spec.min_replicas or 1)
    later = " after this autoscaler had scaled it" if after else ""
    repeated = f", {times(often)} within the events" if again is not None else ""
    yield Finding(
        about=ref(autoscaler),
        summary=f"{writer.by} set {target.title} to {counted(number, 'replica')}{later}{repeated}",
        severity=Severity.WARNING if below or again is not None else None,
        evidence=(
            quote(workload, _REPLICAS, f"written by {writer.by}, by the managed fields"),
            quote(
                autoscaler,
                "status.lastScaleTime",
                "the autoscaler's own last write, which took the field from others" if after else "its own last write",
            ),
            *((quote(again, "message", f"seen {times(again.times)}"),) if again is not None else ()),
        ),
        confidence=Confidence.CERTAIN,
        detail=f"Its last write was {human_duration(cluster.taken_at - writer.at)} ago.",
        affects=(target,),
        fixes=(_fix(writer),),
        commands=(
            Command(
                kubectl("get", target.argument, "-o", "yaml", "--show-managed-fields", namespace=workload.namespace),
                "who owns f:replicas",
            ),
            Command(ref(autoscaler).describe_command, "its sizes, under Events"),
        ),
    )


def _scaled_to(
    number: int, workload: Deployment | StatefulSet, autoscaler: HorizontalPodAutoscaler, cluster: Cluster
) -> tuple[Event | None, int]:
    """The event that a Deployment was scaled down to this number, and how often not by the autoscaler itself, where that
    is more than once."""
    own = sum(event.times for event in cluster.events_about(ref(autoscaler)) if _lowers_to(number, event))
    for event in cluster.events_about(ref(workload)):
        down = event.reason == "ScalingReplicaSet" and event.message.startswith("Scaled down replica set ")
        if down and event.times - own > 1 and re.search(rf" to {number}(?: |$)", event.message):
            return event, event.times - own
    return None, 0


def _lowers_to(number: int, event: Event) -> bool:
    size = _NEW_SIZE.match(event.message) if event.reason == "SuccessfulRescale" else None
    return size is not None and int(size[1]) == number and "above target" not in size[2]


def _fix(writer: Write) -> Fix:
    if writer.manager in _BY_HAND and writer.operation != "Apply":
        return Fix(
            "Set minReplicas and maxReplicas of the autoscaler, not spec.replicas, which it computes again within seconds"
        )
    if writer.by in (_APPLY, "kubectl"):
        return Fix(
            "Remove spec.replicas from the manifest, and from the last applied one, which the next apply compares with"
        )
    return Fix(f"Remove spec.replicas from what {writer.by} applies, or let it ignore that field")
