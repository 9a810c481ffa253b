"""HorizontalPodAutoscaler scales an object that does not exist.

## What it means
The autoscaler finds no object with the kind, API version and name of `spec.scaleTargetRef`, so it scales nothing. The
number of pods stays as it is.

## Why it happens
- The workload was renamed or deleted, and its autoscaler was not.
- The name is misspelled, or the workload is of another kind or in another namespace: the autoscaler looks only in its own.
- The API version is no longer served (`extensions/v1beta1`), or the kind has no number of replicas (a DaemonSet).

## How to fix it
1. Correct `spec.scaleTargetRef`.
2. Delete the autoscaler, if its workload no longer exists.

## References
- https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster import (
    Cluster,
    Deployment,
    HorizontalPodAutoscaler,
    KubernetesObject,
    Ref,
    ReplicaSet,
    StatefulSet,
    condition,
    has_path,
    nearest_word,
    quote,
    ref,
    target_of,
)
from kubedoctor.cluster.changes import Change, Step, delete, edit
from kubedoctor.findings import Command, Confidence, Effect, Finding, Fix, Severity, command_line, diagnostic, kubectl
from kubedoctor.replay.autoscaling.failures import scale_failure

_ABLE = "status.conditions[type=AbleToScale]"
_SCALED: tuple[type[KubernetesObject], ...] = (Deployment, StatefulSet, ReplicaSet)
_CREATED_TOGETHER = timedelta(seconds=30)
"""An autoscaler may be created before its workload."""


@diagnostic(
    code="KD1301",
    subject=HorizontalPodAutoscaler,
    severity=Severity.WARNING,
    reads=(HorizontalPodAutoscaler, *_SCALED),
    also_known_as=("FailedGetScale",),
    symptoms=("the HPA controller was unable to get the target's current scale",),
)
def target_missing(autoscaler: HorizontalPodAutoscaler, cluster: Cluster) -> Iterator[Finding]:
    able = condition(autoscaler.status.conditions, "AbleToScale")
    failed = able is not None and able.status == "False" and able.reason == "FailedGetScale"
    created = autoscaler.metadata.creation_timestamp
    fresh = created is not None and cluster.taken_at - created < _CREATED_TOGETHER
    if autoscaler.metadata.deletion_timestamp or (fresh and not failed):
        return
    target = target_of(autoscaler)
    known = target.kind in {kind.__name__ for kind in _SCALED}
    read = cluster.maybe if failed else cluster
    seen = read.get_ref(target) if known else None
    refused = failed and able is not None and "not found" not in able.message
    if (seen is not None and not refused) or not (known or failed):
        return
    missing = known and seen is None and not refused
    if not failed and any(gap.kind == target.kind for gap in cluster.gaps):
        return  # The target may be one of the objects that were not read.
    message = scale_failure(able) if failed and able is not None else ""
    gone = missing or "not found" in message
    similar = tuple(_similar(target, cluster)) if gone else ()
    same_name = next((other for other in similar if other.name == target.name), None)
    there = cluster.maybe.get_ref(same_name) if same_name is not None else None
    absent = f"does not exist; a {same_name.kind} of this name does" if same_name is not None else "does not exist"
    reason = absent if gone else f"cannot be scaled: {message}"
    yield Finding(
        about=ref(autoscaler),
        summary=f"HorizontalPodAutoscaler scales nothing: its target {target.title} {reason}",
        evidence=(
            quote(autoscaler, "spec.scaleTargetRef.name", f"a {target.kind} in namespace {autoscaler.namespace}"),
            *(
                (quote(autoscaler, f"{_ABLE}.message", "the controller's message"),)
                if failed and has_path(autoscaler, f"{_ABLE}.message")
                else ()
            ),
            *((quote(there, "metadata.name", "a workload of this name of another kind"),) if there is not None else ()),
        ),
        confidence=Confidence.CERTAIN,
        fixes=(*_fixes(autoscaler, similar, cluster), _deleted(autoscaler, target, gone=gone)),
        commands=(
            Command(kubectl("get", "deployments,statefulsets", namespace=autoscaler.namespace), "what it could scale"),
            Command(ref(autoscaler).describe_command, "its conditions and events"),
        ),
    )


def _similar(target: Ref, cluster: Cluster) -> Iterator[Ref]:
    """The same name with another kind, then the nearest names of the same kind."""
    for kind in _SCALED[:2]:
        names = [item.name for item in cluster.maybe.all(kind, target.namespace)]
        if kind.__name__ != target.kind and target.name in names:
            yield Ref(kind.__name__, target.namespace, target.name)
    for kind in _SCALED[:2]:
        if kind.__name__ == target.kind:
            names = [item.name for item in cluster.maybe.all(kind, target.namespace)]
            yield from (Ref(target.kind, target.namespace, name) for name in nearest_word(target.name, names, 1))


def _fixes(autoscaler: HorizontalPodAutoscaler, similar: tuple[Ref, ...], cluster: Cluster) -> Iterator[Fix]:
    for other in similar:
        taken = any(
            target_of(sibling) == other for sibling in cluster.maybe.all(HorizontalPodAutoscaler, autoscaler.namespace)
        )
        if not taken:
            change = _pointing_to(autoscaler, other)
            fix = Fix(f"Let it scale {other.title}, if that is meant", command_line(change, autoscaler))
            yield proven(fix, prove(change, cluster, _has_target(autoscaler)))


def _pointing_to(autoscaler: HorizontalPodAutoscaler, other: Ref) -> Change:
    path = ("spec", "scaleTargetRef")
    return edit(
        ref(autoscaler),
        Step((*path, "kind"), other.kind),
        Step((*path, "name"), other.name),
        Step((*path, "apiVersion"), "apps/v1"),
    )


def _has_target(autoscaler: HorizontalPodAutoscaler) -> Callable[[Cluster], bool]:
    def holds(changed: Cluster) -> bool:
        again = changed.get(HorizontalPodAutoscaler, autoscaler.namespace, autoscaler.name)
        return again is not None and changed.get_ref(target_of(again)) is not None

    return holds


def _deleted(autoscaler: HorizontalPodAutoscaler, target: Ref, *, gone: bool) -> Fix:
    line = command_line(delete(ref(autoscaler)), autoscaler)
    when = "is not to come back" if gone else "is not to be scaled"
    return Fix(f"Delete the autoscaler, if {target.title} {when}", line, Effect.CHANGES)
