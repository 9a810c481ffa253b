"""Namespace stays Terminating.

## What it means
A namespace is deleted in two steps: first everything in it, then the namespace itself. The second step waits until
nothing is left and every API of the cluster could be asked.

## Why it happens
- An object in the namespace has a finalizer that its controller does not remove.
- An aggregated API (APIService) is unavailable, so its objects in the namespace cannot be listed.
- A webhook or a missing permission refuses the deletion of an object.
- Pods in it are still ending, or their node is down.

## How to fix it
1. Read the namespace's conditions: they name the kinds, the finalizers or the API.
2. Finalizer: start its controller, or remove the finalizer of that object.
3. API: repair it, or delete its APIService.
4. Do not remove the finalizer of the namespace itself: the objects stay in the database and appear again when a namespace
   of this name is created.

## References
- https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/
- https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubedoctor.cluster import (
    Cluster,
    ConfigMap,
    CustomResourceDefinition,
    Evidence,
    KubernetesObject,
    Namespace,
    PersistentVolumeClaim,
    Pod,
    Ref,
    counted,
    human_duration,
    listed,
    quote,
    ref,
    terminating,
    visible_end,
)
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, kubectl
from kubedoctor.replay.deletion.namespaces import (
    Remaining,
    failing_apis,
    failure,
    finalizers,
    remaining,
    stated_message,
)
from kubedoctor.replay.deletion.overdue import SOON, overdue

MOST_KINDS = 5
OFTEN_LEFT = (ConfigMap, PersistentVolumeClaim, Pod)
MOST_LETTERS = 300
_CONVERSION = re.compile(
    r"conversion webhook for (?P<group>[^/,]*)/[^,]+, Kind=(?P<kind>\w+) failed: (?P<why>.*)", re.DOTALL
)
"""`apiextensions-apiserver/pkg/apiserver/conversion/webhook_converter.go`, v1.37."""


def deleted(namespace: Namespace) -> bool:
    """Deletion was requested."""
    return namespace.metadata.deletion_timestamp is not None


@diagnostic(
    code="KD5105",
    subject=Namespace,
    severity=Severity.WARNING,
    reads=(Namespace, CustomResourceDefinition, *OFTEN_LEFT),
    when=deleted,
    also_known_as=("namespace stuck in Terminating",),
    symptoms=("Terminating", "NamespaceFinalizersRemaining", "SomeFinalizersRemain", "DiscoveryFailed"),
)
def namespace_terminating(namespace: Namespace, cluster: Cluster) -> Iterator[Finding]:
    late = overdue(namespace, cluster.taken_at)
    kind = failure(namespace)
    held = finalizers(namespace)
    if not kind and not held and late <= SOON:
        return
    if kind:
        reason, blamed, fix, evidence = _refused(namespace, kind, cluster)
    else:
        reason, blamed, fix, evidence = _left(namespace, cluster)
    if not reason:
        return
    yield Finding(
        about=ref(namespace),
        summary=f"has been Terminating for {human_duration(late)}: {reason}",
        evidence=(*evidence, quote(namespace, "metadata.deletionTimestamp", "deletion was requested")),
        confidence=Confidence.CERTAIN,
        severity=Severity.NOTICE if late <= SOON or _still_ending(namespace, cluster) else None,
        because_of=blamed,
        fixes=(Fix(fix),),
        commands=(Command(kubectl("get", "namespace", namespace.name, "-o", "yaml"), "its conditions"),),
    )


def _still_ending(namespace: Namespace, cluster: Cluster) -> bool:
    """Pods in it are within their grace period, or have just passed it."""
    pods = cluster.maybe.all(Pod, namespace.name)
    return any(terminating(pod) and overdue(pod, cluster.taken_at) <= SOON for pod in pods)


Reason = tuple[str, tuple[Ref, ...], str, list[Evidence]]
"""Why it stays, whom it blames, the fix, and the conditions that state it."""


def _refused(namespace: Namespace, kind: str, cluster: Cluster) -> Reason:
    """APIs that cannot be asked, or contents that cannot be deleted."""
    path = f"status.conditions[type={kind}].message"
    stated = quote(namespace, path, "the namespace controller's last attempt")
    if apis := failing_apis(namespace):
        blamed = tuple(
            Ref("APIService", "", f"{version}.{group}") for group, _, version in (a.partition("/") for a in apis)
        )
        names = listed(apis, 3)
        return (
            f"API {names} is unavailable, so its objects in the namespace cannot be listed",
            blamed,
            f"Repair API {names}, or delete its APIService if it is no longer used",
            [stated],
        )
    converting = _CONVERSION.search(stated.text)
    if converting is not None:
        return _not_converted(converting, stated, cluster)
    return visible_end(stated.text, MOST_LETTERS), (), "Fix what the message names", [stated]


def _not_converted(found: re.Match[str], stated: Evidence, cluster: Cluster) -> Reason:
    """The webhook that converts a kind does not answer, so that its objects can neither be listed nor deleted."""
    group, kind = found["group"], found["kind"]
    definitions = [
        one
        for one in cluster.maybe.all(CustomResourceDefinition)
        if (one.spec.group, one.spec.names.kind) == (group, kind)
    ]
    named = ref(definitions[0]) if definitions else None
    what = named.title if named is not None else f"the definition of {kind} ({group})"
    return (
        f"the conversion webhook of {what} fails: {visible_end(found['why'].strip(), MOST_LETTERS)}",
        (named,) if named is not None else (),
        f"Install what serves the webhook again, or set spec.conversion of {what} to strategy None if its objects are not"
        " needed any more",
        [stated],
    )


def _left(namespace: Namespace, cluster: Cluster) -> Reason:
    """Objects that are left in it, those with finalizers first."""
    evidence = [
        quote(namespace, f"status.conditions[type={kind}].message", "")
        for kind in ("NamespaceFinalizersRemaining", "NamespaceContentRemaining")
        if stated_message(namespace, kind)
    ]
    rest = remaining(namespace)
    if not rest:
        return "", (), "", []
    objects = [item for row in rest[:MOST_KINDS] for item in _objects(row, namespace, cluster)]
    kept = [item for item in objects if item.metadata.finalizers]
    counts = listed((counted(row.left, row.resource.removesuffix("s")) for row in rest), 3)
    names = listed((ref(item).title for item in kept), 3)
    held = listed(finalizers(namespace), 3)
    evidence += [quote(item, "metadata.finalizers", "keeps the object") for item in kept[:3]]
    reason = f"{counts} left" + (f" with finalizer {held}" if held else "") + (f": {names}" if names else "")
    fix = (
        "Let the controllers of the finalizers finish, or remove what they wait for" if held else "Delete what is left"
    )
    return reason, tuple(map(ref, objects)), fix, evidence


def _objects(row: Remaining, namespace: Namespace, cluster: Cluster) -> tuple[KubernetesObject, ...]:
    """The objects of a resource that are left, as far as they can be seen."""
    for kind in OFTEN_LEFT:
        if row.kind == kind.__name__:
            return cluster.maybe.all(kind, namespace.name)
    names = (
        [row.kind]
        if row.kind
        else [
            f"{definition.spec.names.kind}.{row.group}"
            for definition in cluster.maybe.all(CustomResourceDefinition)
            if (definition.spec.names.plural, definition.spec.group) == (row.resource, row.group)
        ]
    )
    # Which kinds are left stands in the object, so no declaration can name them: what was seen of them counts.
    return tuple(item for name in names for item in cluster.snapshot.of_kind(name, namespace.name))
