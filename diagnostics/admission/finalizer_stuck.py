"""Deleted object is kept by a finalizer.

## What it means
The object was deleted, but the API server keeps it until every finalizer is removed from it. Each finalizer belongs to a
controller that still has to clean something up.

## Why it happens
- The controller that owns the finalizer is gone (an operator that was uninstalled before its objects), is not running,
  or has no permission to update the object.
- The controller waits for something that cannot be deleted: a cloud resource, a volume, other objects.

## How to fix it
1. Find the controller by the name of the finalizer, and read its log.
2. Start or reinstall it, so that it cleans up and removes the finalizer.
3. Remove the finalizer by hand only if the controller never returns: what it should have cleaned up then stays.

## References
- https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import (
    Cluster,
    ConfigMap,
    CustomResourceDefinition,
    Deployment,
    Evidence,
    Job,
    KubernetesObject,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    Service,
    StatefulSet,
    claim_names,
    condition,
    counted,
    finished,
    has_path,
    human_duration,
    listed,
    quote,
    ref,
)
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Severity,
    diagnostic,
    finalizers_in_words,
    kubectl,
    look_at,
    remove_finalizers,
)
from kubedoctor.replay.deletion.overdue import overdue, patience

_SHOWN = 3
_INSTANCES = "customresourcecleanup.apiextensions.k8s.io"


def kept(obj: KubernetesObject) -> bool:
    """It was deleted and has finalizers."""
    return obj.metadata.deletion_timestamp is not None and bool(obj.metadata.finalizers)


@diagnostic(
    code="KD5104",
    subject=ConfigMap,
    also_subjects=(
        CustomResourceDefinition,
        Deployment,
        Job,
        PersistentVolume,
        PersistentVolumeClaim,
        Service,
        StatefulSet,
    ),
    severity=Severity.WARNING,
    reads=(ConfigMap, Pod),
    when=kept,
    also_known_as=("finalizer",),
    symptoms=("Terminating", "deletionTimestamp", "finalizers"),
)
def finalizer_stuck(obj: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    late = overdue(obj, cluster.taken_at)
    if late.total_seconds() < 0 or _in_use(obj, cluster):
        return
    words = finalizers_in_words(obj)
    more: list[Evidence] = []
    held: list[KubernetesObject] = []
    commands = [look_at(ref(obj), "its finalizers and status")]
    if isinstance(obj, CustomResourceDefinition) and _INSTANCES in (obj.metadata.finalizers or ()):
        clause, more, held = _instances(obj, cluster)
        words += clause
        commands.insert(0, Command(kubectl("get", obj.name, "-A"), "the objects that are left"))
    yield Finding(
        about=ref(obj),
        summary=f"has been Terminating for {human_duration(late)}: blocked by {words}",
        evidence=(
            quote(obj, "metadata.finalizers", "must be removed by its controller"),
            quote(obj, "metadata.deletionTimestamp", ""),
            *more,
        ),
        confidence=Confidence.CERTAIN,
        severity=Severity.NOTICE if late <= patience(obj) else None,
        fixes=tuple(dict.fromkeys(fix for item in held[:_SHOWN] or (obj,) for fix in remove_finalizers(item))),
        commands=tuple(commands),
        affects=tuple(ref(item) for item in held),
    )


def _in_use(obj: KubernetesObject, cluster: Cluster) -> bool:
    """A claim that pods still mount, or a volume that is bound: another diagnostic's matter, or the pods are ending."""
    if isinstance(obj, PersistentVolumeClaim) and obj.metadata.finalizers == ("kubernetes.io/pvc-protection",):
        pods = cluster.maybe.all(Pod, obj.namespace)
        return any(obj.name in claim_names(pod) and not finished(pod) for pod in pods)
    return isinstance(obj, PersistentVolume) and obj.status.phase == "Bound"


def _instances(
    definition: CustomResourceDefinition, cluster: Cluster
) -> tuple[str, list[Evidence], list[KubernetesObject]]:
    """The objects of the kind that are left, and what the API server reports about their deletion."""
    evidence = []
    path = "status.conditions[type=Terminating].message"
    stated = condition(definition.status.conditions, "Terminating")
    if stated is not None and has_path(definition, path):
        evidence.append(quote(definition, path, stated.reason))
    kind = definition.spec.names.kind
    # What kind it is stands in the object, so no declaration can name it: what was seen of it counts.
    seen = cluster.snapshot.of_kind(f"{kind}.{definition.spec.group}")
    held = [item for item in seen if item.metadata.deletion_timestamp and item.metadata.finalizers]
    if not held:
        return "", evidence, held
    evidence += [quote(item, "metadata.finalizers", "keeps the object") for item in held[:_SHOWN]]
    names = listed((f"{item.namespace}/{item.name}" if item.namespace else item.name for item in held), _SHOWN)
    finalizers = listed(dict.fromkeys(name for item in held for name in item.metadata.finalizers or ()), 3)
    clause = f"; {counted(len(held), 'object')} of kind {kind} left: {names}, with finalizer {finalizers}"
    return clause, evidence, held
