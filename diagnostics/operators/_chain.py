"""Custom resources that wait for another one: a claim for what it claims, a machine for its instance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubedoctor.cluster import Cluster, CustomResource, Evidence, listed, quote, ref
from kubedoctor.findings import Ref
from kubedoctor.replay.status.conditions import lasting_conditions
from kubedoctor.replay.status.messages import says_why

_LONGEST_CHAIN: Final = 6
_MOST_NAMED: Final = 3
_DEEPEST: Final = 4
_COMPOSITION: Final = "Composition.apiextensions.crossplane.io"


def waiting_for(obj: CustomResource, cluster: Cluster) -> tuple[CustomResource, ...]:
    """The custom resources above it, its owners and the claim that it is for, whose status states trouble too."""
    found: dict[Ref, CustomResource] = {}
    above = list(_above(obj, cluster))
    for _ in range(_LONGEST_CHAIN):
        above = [one for one in above if ref(one) not in found]
        found |= {ref(one): one for one in above}
        above = [higher for one in above for higher in _above(one, cluster)]
    return tuple(one for one in found.values() if any(lasting_conditions(one, cluster.taken_at)))


def has_a_worse_part(obj: CustomResource, cluster: Cluster) -> bool:
    """Whether an object that its spec refers to says itself what is wrong."""
    return any(
        any(says_why(row.message) for _, row, _ in lasting_conditions(part, cluster.taken_at))
        for part in _referred(obj, cluster)
        if ref(part) != ref(obj) and ref(part) not in {ref(one) for one in _above(obj, cluster)}
    )


def in_words(waiting: tuple[CustomResource, ...]) -> str:
    """`; Machine fleet/west-0 waits for it`."""
    named = listed([ref(one).title for one in waiting], _MOST_NAMED)
    return f"; {named} {'waits' if len(waiting) == 1 else 'wait'} for it"


def composition_that_differs(obj: CustomResource, cluster: Cluster) -> tuple[str, tuple[Evidence, ...]]:
    """Of Crossplane: the Composition for the kind whose labels differ from the selector in the fewest."""
    spec = obj.spec if isinstance(obj.spec, dict) else {}
    selector = spec.get("compositionSelector")
    wanted = selector.get("matchLabels") if isinstance(selector, dict) else None
    if not isinstance(wanted, dict):
        return "", ()
    best: tuple[int, CustomResource, str] | None = None
    for one in cluster.snapshot.of_kind(_COMPOSITION):
        if not isinstance(one, CustomResource) or not isinstance(one.spec, dict):
            continue
        made = one.spec.get("compositeTypeRef")
        if not isinstance(made, dict) or made.get("kind") != obj.kind.partition(".")[0]:
            continue
        differing = [key for key, value in wanted.items() if one.labels.get(key) != value]
        if differing and (best is None or len(differing) < best[0]):
            best = (len(differing), one, differing[0])
    if best is None:
        return "", ()
    _, one, key = best
    has = one.labels.get(key)
    words = f"; its compositionSelector has {key}={wanted[key]}, Composition {one.name} has {f'{key}={has}' if has else f'no label {key}'}"
    path = f"spec.compositionSelector.matchLabels[{key}]"
    shown = (quote(obj, path, "the selector"),)
    return words, (*shown, quote(one, f"metadata.labels[{key}]", "the nearest Composition")) if has else shown


def _above(obj: CustomResource, cluster: Cluster) -> Iterator[CustomResource]:
    for owner in obj.metadata.owner_references or ():
        yield from _existing(owner.api_version, owner.kind, obj.namespace, owner.name, cluster)
    claim = obj.spec.get("claimRef") if isinstance(obj.spec, dict) else None
    if isinstance(claim, dict):
        yield from _named(claim, obj, cluster)


def _referred(obj: CustomResource, cluster: Cluster) -> Iterator[CustomResource]:
    for reference in _references(obj.spec, _DEEPEST):
        yield from _named(reference, obj, cluster)


def _references(data: Any, deep: int) -> Iterator[dict[str, Any]]:
    """What looks as an object reference: a kind and a name."""
    if isinstance(data, dict):
        if isinstance(data.get("kind"), str) and isinstance(data.get("name"), str):
            yield data
        for value in data.values() if deep else ():
            yield from _references(value, deep - 1)
    elif isinstance(data, list):
        for value in data if deep else ():
            yield from _references(value, deep - 1)


def _named(reference: dict[str, Any], obj: CustomResource, cluster: Cluster) -> Iterator[CustomResource]:
    words = {key: reference.get(key) for key in ("apiVersion", "apiGroup", "kind", "name", "namespace")}
    text = {key: value if isinstance(value, str) else "" for key, value in words.items()}
    version = text["apiVersion"] or f"{text['apiGroup']}/"
    yield from _existing(version, text["kind"], text["namespace"] or obj.namespace, text["name"], cluster)


def _existing(version: str, kind: str, namespace: str, name: str, cluster: Cluster) -> Iterator[CustomResource]:
    """Of those that were seen: no diagnostic knows beforehand which kinds a spec refers to."""
    group = version.partition("/")[0] if "/" in version else ""
    for place in dict.fromkeys((namespace, "")):
        found = cluster.snapshot.get(Ref(f"{kind}.{group}", place, name)) if group else None
        if isinstance(found, CustomResource):
            yield found
            return
