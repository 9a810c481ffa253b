"""Owner reference names an object of another namespace (OwnerRefInvalidNamespace).

## What it means
The owner of a namespaced object must be in the same namespace, or have none. The garbage collector looks for the owner in
the namespace of the object, does not find it, and deletes the object. Where an operator creates it again, it is deleted
again.

## Why it happens
- A controller or a script creates objects in several namespaces and sets one owner for all of them.
- A manifest with `ownerReferences` was copied from another namespace.
- A cluster-scoped object names a namespaced owner.

## How to fix it
1. Leave out the owner reference, or create the owner in the same namespace.
2. For objects of other namespaces, use labels and a finalizer instead of owner references.

## References
- https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from kubedoctor.cluster import Cluster, Event, Namespace, Ref, counted, quote, times
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, kubectl

REASON: Final = "OwnerRefInvalidNamespace"
_LATELY: Final = timedelta(hours=1)
_OWNER: Final = re.compile(
    r"ownerRef \[(?:[^,\]]*/)?(?P<kind>[^,/\]]+), (?:namespace: [^,]*, )?name: (?P<name>[^,\]]+)"
)
"""As `OwnerReference` is printed (`pkg/controller/garbagecollector/graph_builder.go`, v1.37)."""


@diagnostic(
    code="KD1223",
    subject=Namespace,
    severity=Severity.WARNING,
    reads=(Event,),
    also_known_as=(REASON,),
    symptoms=("ownerReferences", "does not exist in namespace"),
)
def owner_in_another_namespace(namespace: Namespace, cluster: Cluster) -> Iterator[Finding]:
    """Only where its events have been read anyway: nothing but they tell it, and they are not worth a gap."""
    if not cluster.has_all(Event, namespace.name):
        return
    children: dict[tuple[str, str], dict[Ref, Event]] = {}
    for event in sorted(_lately(namespace, cluster), key=lambda event: (event.seen_at, event.name)):
        child = Ref(event.involved_object.kind, event.involved_object.namespace, event.involved_object.name)
        children.setdefault((_owner(event), child.namespace), {})[child] = event  # The newest of each child stays.
    for (owner, _), newest in children.items():
        yield _finding(owner, dict(sorted(newest.items())))


def _lately(namespace: Namespace, cluster: Cluster) -> Iterator[Event]:
    for event in cluster.all(Event, namespace.name):
        seen = event.seen_at
        if event.reason != REASON or not event.message or not event.involved_object.name:
            continue
        if seen is not None and cluster.taken_at - seen <= _LATELY and not _is_over(event, cluster):
            yield event


def _is_over(event: Event, cluster: Cluster) -> bool:
    """The object is there again, without such an owner; only of kinds that were read anyway."""
    about, found = event.involved_object, _OWNER.search(event.message)
    for child in cluster.snapshot.of_kind(about.kind, about.namespace):
        if child.name == about.name and found is not None:
            owners = child.metadata.owner_references or ()
            return all((owner.kind, owner.name) != (found["kind"], found["name"]) for owner in owners)
    return False


def _owner(event: Event) -> str:
    found = _OWNER.search(event.message)
    return f"{found['kind']} {found['name']}" if found else "an object"


def _finding(owner: str, newest: dict[Ref, Event]) -> Finding:
    """One for all children of an owner, about the first of them."""
    child, event = next(iter(newest.items()))
    others = len(newest) - 1
    more = f" and {counted(others, 'more object')}" if others else ""
    where = f"namespace {child.namespace}" if child.namespace else "the cluster's scope"
    return Finding(
        about=child,
        summary=f"{child.kind}{more} {'are' if others else 'is'} deleted by the garbage collector: {'their' if others else 'its'} owner {owner} is not in {where}",
        evidence=(quote(event, "message", f"{REASON}, seen {times(event.times)}"),),
        confidence=Confidence.CERTAIN,
        affects=tuple(newest)[1:],
        fixes=(
            Fix("Leave out the owner reference where the object is created, or create the owner in the same namespace"),
        ),
        commands=(
            Command(
                kubectl("get", child.argument, "-o", "yaml", namespace=child.namespace), "its owners, if it exists"
            ),
        ),
    )
