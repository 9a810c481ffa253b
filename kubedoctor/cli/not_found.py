"""What to say where nothing has the name, the labels or the namespace that was typed: what comes nearest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kubedoctor.cluster.grammar.nearest import misspelled, nearest_word
from kubedoctor.cluster.grammar.text import listed
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.resources import ResourceKind, kind_named, plural_of
from kubedoctor.cluster.seen.snapshot import NOT_HERE
from kubedoctor.cluster.seen.wants import Barrier, Want
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.problems import NoSuchObject

MEANT_FIRST = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Pod", "Service")
"""Where several kinds have an object of one name, people mean these first."""
_MOST = 3


def not_found(subject: Ref, source: ReadableCluster) -> NoSuchObject:
    """What to say of a name that its namespace does not have: the nearest there, and those of other namespaces where they
    can be read. Raises NoSuchObject itself where the namespace does not exist."""
    names = source.names(subject.kind, subject.namespace)
    near = _nearest(subject.name, names)
    what = f"{subject.short_kind} {subject.name} not found"
    if not subject.namespace:
        return NoSuchObject(what, "" if near else _all_there_are(subject.kind, names, source), near)
    if not names:
        check_namespace(subject.namespace, source)
    places = _same_name_elsewhere(subject.name, [subject.kind], source, subject.namespace)
    if not near and not places:
        known = [other for other in source.refs(subject.kind) if other.namespace != subject.namespace]
        places = _nearest_refs(subject.name, known)
    hint = _look_there(places)
    if not near and not places:
        hint = _all_there_are(subject.kind, names, source, subject.namespace)
    nearest = (*near, *(f"{place.name} in namespace {place.namespace}" for place in places))
    return NoSuchObject(f"{what} in namespace {subject.namespace}", hint, nearest[:_MOST])


def not_found_anywhere(kind: ResourceKind, name: str, known: Sequence[Ref], source: ReadableCluster) -> NoSuchObject:
    """What to say of a name that no namespace has. known: all objects of the kind."""
    where = "in this recording" if source.snapshot.closed else "in any namespace"
    near = tuple(f"{place.name} in namespace {place.namespace}" for place in _nearest_refs(name, known))
    hint = "" if near else _all_there_are(kind.kind, sorted({place.name for place in known}), source)
    return NoSuchObject(f"{kind.kind.partition('.')[0]} {name} not found {where}", hint, near)


def no_such_name(
    name: str, words: Iterable[str], kinds: Sequence[ResourceKind], source: ReadableCluster, namespace: str
) -> NoSuchObject:
    """What to say of a word that is neither a command nor a kind nor a name. words: the commands and kinds. namespace:
    where the name was looked up; empty for all."""
    objects: dict[str, str] = {}
    for row in kinds:
        if row.kind in (*MEANT_FIRST, "Node", "Namespace"):
            for known in source.names(row.kind, namespace if row.namespaced else ""):
                objects.setdefault(known, f"{row.singular}/{known}")
    places: tuple[Ref, ...] = ()
    if namespace:
        namespaced = [row.kind for row in kinds if row.namespaced]
        places = _same_name_elsewhere(name, namespaced, source, namespace)
    meant = [word for word in words if misspelled(name, word)]
    near = nearest_word(name, [*meant, *objects]) or _containing(name, objects)
    if namespace and not near and not places:
        elsewhere = [other for kind in MEANT_FIRST for other in source.refs(kind) if other.namespace != namespace]
        places = _nearest_refs(name, elsewhere)
    where = f" in namespace {namespace}" if namespace else ""
    refused = _refusals(name, kinds, source, namespace)
    readable = " that can be read" if refused else ""
    hints = [hint for hint in (_look_there(places), refused, "All commands: kubedoctor --help") if hint]
    nearest = (*(f"{place.argument} in namespace {place.namespace}" for place in places),
               *(objects.get(word, word) for word in near))  # fmt: skip
    return NoSuchObject(f"{name!r} is no command and no kind, and no object{where}{readable} has that name",
                        "\n".join(hints), nearest[:_MOST])  # fmt: skip


def none_match(
    kinds: Iterable[ResourceKind], source: ReadableCluster, namespace: str, selector: str | None
) -> NoSuchObject:
    """What to say where nothing matches: the labels that occur, or that nothing is there."""
    kinds = tuple(kinds)
    plurals = " or ".join(dict.fromkeys(kind.plural for kind in kinds))
    namespace = namespace if any(kind.namespaced for kind in kinds) else ""
    where = f" in namespace {namespace}" if namespace else ""
    if selector:
        seen = {
            f"{key}={value}"
            for kind in kinds
            for obj in source.snapshot.of_kind(kind.kind, namespace)
            for key, value in (obj.metadata.labels or {}).items()
        }
        near = nearest_word(selector, seen)
        return NoSuchObject(
            f"no {plurals}{where} with labels {selector}", "" if near else "Without -l: all of them", near
        )
    return NoSuchObject(f"no {plurals}{where}", "All namespaces: -A" if namespace else _right(source))


def check_namespace(namespace: str, source: ReadableCluster) -> None:
    """Raises NoSuchObject for a namespace that does not exist: nothing wrong in it would be no news.

    Where that is unknown, because namespaces may not be read and nothing is seen in it, the report will say so.
    """
    snapshot = source.snapshot
    if namespace in snapshot.namespaces() or snapshot.get(Ref("Namespace", "", namespace)) is not None:
        return
    want = Want("Namespace", "", namespace)
    if not snapshot.covers(want):
        source.gather(frozenset({want}))
        if snapshot.get(Ref("Namespace", "", namespace)) is not None:
            return
    if not snapshot.covers(want):
        why = snapshot.refusal(Want("Namespace")) or snapshot.limitation(Want("Namespace")) or NOT_HERE
        snapshot.problems.append(
            f"nothing was seen in namespace {namespace}, and whether it exists cannot be read: {why}"
        )
        return
    known = source.names("Namespace")
    near = nearest_word(namespace, known)
    names = f"Namespaces: {listed(known, 10)}" if known else "It has no namespaces. See: kubectl get namespaces"
    hint = "" if near else names
    raise NoSuchObject(f"namespace {namespace} not found in {source.context}", hint, near)


def way_out(want: Want, source: ReadableCluster) -> str:
    """What to try where what is wanted cannot be read."""
    if source.snapshot.closed:
        recorded = source.snapshot.namespaces()
        if want.namespace and recorded and want.namespace not in recorded:
            return f"Recorded namespaces: {listed(recorded, 10)}"
        return "Record it too: kubedoctor capture -o state.tar.gz"
    match source.snapshot.barrier(want):
        case Barrier.FORBIDDEN:
            return "See: kubectl auth can-i --list" + (f" -n {want.namespace}" if want.namespace else "")
        case Barrier.NOT_SERVED:
            return "Is it the right cluster? See: kubectl api-resources"
    return "Try again. See: kubectl get --raw='/readyz?verbose'"


def _nearest(name: str, names: Iterable[str]) -> tuple[str, ...]:
    names = list(names)
    return nearest_word(name, names) or _containing(name, names) or _starting_like(name, names)


def _containing(name: str, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(known for known in sorted(names) if name in known)[:_MOST]


def _starting_like(name: str, names: Iterable[str]) -> tuple[str, ...]:
    """Names that start with a word like it, as those of pods start with their workload's."""
    starts: dict[str, str] = {}
    for known in sorted(names):
        parts = known.split("-")
        for length in range(1, len(parts)):
            starts.setdefault("-".join(parts[:length]), known)
    return tuple(dict.fromkeys(starts[start] for start in nearest_word(name, starts)))


def _nearest_refs(name: str, known: Sequence[Ref]) -> tuple[Ref, ...]:
    """Objects whose name is like it, or is the same, the nearest first."""
    names = {other.name for other in known}
    return tuple(other for near in _nearest(name, names) for other in known if other.name == near)[:_MOST]


def _same_name_elsewhere(name: str, kinds: Sequence[str], source: ReadableCluster, namespace: str) -> tuple[Ref, ...]:
    """Objects of that name in other namespaces, as far as they can be read."""
    if not source.snapshot.closed:
        source.gather(frozenset(Want(kind, fields=f"metadata.name={name}") for kind in kinds))
    return tuple(
        ref(obj)
        for kind in kinds
        for obj in source.snapshot.of_kind(kind)
        if obj.metadata.name == name and obj.metadata.namespace != namespace
    )[:_MOST]


def _look_there(places: Sequence[Ref]) -> str:
    namespaces = sorted({place.namespace for place in places})
    if not namespaces:
        return ""
    return f"To look there: -n {namespaces[0] if len(namespaces) == 1 else 'NAMESPACE'}"


def _all_there_are(kind: str, names: Sequence[str], source: ReadableCluster, namespace: str = "") -> str:
    """What there is where nothing is like a name; without names it may be that they cannot be listed."""
    row = kind_named(kind)
    short = kind.partition(".")[0]
    plural = row.plural if row is not None else plural_of(kind)
    if len(names) == 1:
        return f"The only {short}{' there' if namespace else ''} is {names[0]}"
    if names:
        return f"There are {len(names)} {plural}, for example {', '.join(names[:_MOST])}"
    listing = Want(kind, namespace)
    if not source.snapshot.covers(listing):
        source.gather(frozenset({listing}))
        snapshot = source.snapshot
        if not snapshot.covers(listing) and (why := snapshot.refusal(listing) or snapshot.limitation(listing)):
            return f"Other names cannot be read: {why}"
    if losses := source.snapshot.losses(kind):
        return f"Other names cannot be read: {losses[0]}"
    if namespace:
        return f"Namespace {namespace} has no {short}. For another namespace: -n NAMESPACE"
    return (
        f"The recording has no {plural}" if source.snapshot.closed else f"The cluster has no {plural}. {_right(source)}"
    )


def _right(source: ReadableCluster) -> str:
    if source.snapshot.closed:
        return "Is it the right recording?"
    return "Is it the right cluster? See: kubectl config current-context"


def _refusals(name: str, kinds: Iterable[ResourceKind], source: ReadableCluster, namespace: str) -> str:
    """Why kinds that may have the name could not be read; empty where all could."""
    refused: list[str] = []
    for row in kinds:
        want = Want(row.kind, namespace if row.namespaced else "", name)
        if row.namespaced and not namespace:
            want = Want(row.kind, fields=f"metadata.name={name}")
        why = source.snapshot.refusal(want)
        if why and why != NOT_HERE and source.snapshot.barrier(want) is not Barrier.NOT_SERVED:
            refused.append(why)
    return f"Not read: {listed(refused, _MOST)}" if refused else ""
