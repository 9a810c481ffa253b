"""The objects that the words of the command line mean, checked to exist."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from kubedoctor.cli.targets import Target, targets_of
from kubedoctor.cluster.grammar.label_requirements import SelectorError, parse_requirements
from kubedoctor.cluster.grammar.nearest import nearest_word
from kubedoctor.cluster.grammar.selectors import Selector
from kubedoctor.cluster.grammar.text import capitalised, listed
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.resources import KINDS, ResourceKind
from kubedoctor.cluster.seen.snapshot import NOT_HERE, Snapshot
from kubedoctor.cluster.seen.wants import Barrier, LogWant, Want
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.problems import NoSuchObject, UsageProblem

_FIRST = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Pod", "Service")
"""Where several kinds have an object of one name, people mean these first."""
_NOT_BY_NAME = (
    "Secret",
    "Endpoints",
    "EndpointSlice",
    "Event",
    "ControllerRevision",
    "CSINode",
    "Lease",
    "PodMetrics",
    "NodeMetrics",
)
"""Kinds that a bare name does not mean: secrets are not read for a guess, the others carry the names of other objects."""


def single_target(words: list[str]) -> Target:
    """`pod X` or `pod/X`. Raises UsageProblem for an unknown kind, a missing name, or more than one."""
    targets = targets_of(words)
    kind = targets[0].kind
    if not targets[0].name:
        raise UsageProblem(f"which {kind.singular}?", f"Name it: {kind.singular} NAME")
    if len(targets) > 1:
        raise UsageProblem(f"unexpected argument: {targets[1].name}", f"Name a single {kind.singular}")
    return targets[0]


def find_subject(target: Target, source: ReadableCluster, namespace: str | None, *, everywhere: bool = False) -> Ref:
    """The object that is meant, checked to exist. everywhere: look for the name in all namespaces.

    Raises NoSuchObject with the nearest names.
    """
    kind, name = target.kind, target.name
    if not kind.namespaced:
        return _existing(Ref(kind.kind, "", name), source)
    if namespace is None and (everywhere or source.snapshot.closed):
        if not source.snapshot.closed:
            source.gather(frozenset({Want(kind.kind, fields=f"metadata.name={name}")}))
        places = [obj.metadata.namespace for obj in source.snapshot.of_kind(kind.kind) if obj.metadata.name == name]
        if len(places) > 1:
            raise UsageProblem(
                f"{kind.singular} {name} exists in {listed(places, 5)}", "Say in which namespace: -n NAMESPACE"
            )
        if places:
            return Ref(kind.kind, places[0], name)
    return _existing(Ref(kind.kind, namespace or source.namespace, name), source)


def _existing(subject: Ref, source: ReadableCluster) -> Ref:
    want = Want(subject.kind, subject.namespace, subject.name)
    if not source.snapshot.covers(want):
        source.gather(frozenset({want}))
    if source.snapshot.get(subject) is not None:
        return subject
    if not source.snapshot.covers(want) and (why := source.snapshot.refusal(want)):
        raise NoSuchObject(f"{subject.title} cannot be read: {why}", _way_out(want, source))
    names = source.names(subject.kind, subject.namespace)
    near = nearest_word(subject.name, names) or tuple(name for name in names if subject.name in name)[:3]
    where = f" in namespace {subject.namespace}" if subject.namespace else ""
    hint = "" if near else _elsewhere(subject, names)
    raise NoSuchObject(f"{subject.short_kind} {subject.name} not found{where}", hint, near)


def parsed_selector(text: str | None) -> Selector | None:
    """The selector of `-l`; None without. Raises UsageProblem where it cannot be read."""
    if not text:
        return None
    try:
        return Selector(parse_requirements(text))
    except SelectorError as error:
        raise UsageProblem(
            f"-l {shlex.quote(text)} is not a label selector",
            f"{capitalised(str(error))} For example: -l app=checkout,tier!=cache",
        ) from None


def matching(kind: ResourceKind, source: ReadableCluster, namespace: str, selector: str | None) -> tuple[Ref, ...]:
    """The objects of a kind, of a namespace or of all where it is empty, with the labels where a selector is given.

    Raises NoSuchObject where they cannot be read; where only a part can be read, the snapshot says so.
    """
    chosen = parsed_selector(selector)
    snapshot = source.snapshot
    want = Want(kind.kind, namespace if kind.namespaced else "", labels=(selector or "").strip())
    if not snapshot.covers(want):
        source.gather(frozenset({want}))
    part = snapshot.limitation(want)
    if not snapshot.covers(want) and not part:
        why = snapshot.refusal(want)
        raise NoSuchObject(f"{kind.plural} cannot be read: {why}", _way_out(want, source))
    if part:
        snapshot.problems.append(f"{kind.kind}: {part}")
    return tuple(
        ref(obj)
        for obj in snapshot.of_kind(kind.kind, want.namespace)
        if chosen is None or chosen.matches(obj.metadata.labels)
    )


def none_match(
    kinds: Iterable[ResourceKind], source: ReadableCluster, namespace: str, selector: str | None
) -> NoSuchObject:
    """What to say where nothing matches: the labels that occur, or that nothing is there."""
    plurals = " or ".join(dict.fromkeys(kind.plural for kind in kinds))
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
    hint = "All namespaces: -A" if namespace else "Is it the right cluster? See: kubectl config current-context"
    return NoSuchObject(f"no {plurals}{where}", hint)


def by_bare_name(
    name: str, source: ReadableCluster, namespace: str | None, *, everywhere: bool, words: Iterable[str]
) -> Ref:
    """The object of any kind that has the name. Raises UsageProblem where several have it, and NoSuchObject with the
    nearest names where none has; the nearest may be one of the `words` too."""
    snapshot = source.snapshot
    anywhere = namespace is None and (everywhere or snapshot.closed)
    here = "" if anywhere else namespace or source.namespace
    kinds = [row for row in KINDS if row.kind not in _NOT_BY_NAME]
    if not snapshot.closed:
        source.gather(frozenset(_named_wants(kinds, name, here)))
    found = sorted(set(_of_name(kinds, snapshot, name, here)), key=_importance)
    if len(found) == 1:
        return found[0]
    if found:
        commands = [f"kubedoctor {one.argument}{one.namespace_flag}" for one in found]
        raise UsageProblem(f"{len(found)} objects are named {name}", "Say which:\n" + "\n".join(commands))
    where = f" in namespace {here}" if here else ""
    raise NoSuchObject(
        f"{name!r} is no command and no kind, and no object{where} has that name",
        "All commands: kubedoctor --help",
        _near(name, words, kinds, source, here),
    )


def _named_wants(kinds: Iterable[ResourceKind], name: str, namespace: str) -> Iterable[Want | LogWant]:
    for row in kinds:
        if row.namespaced and not namespace:
            yield Want(row.kind, fields=f"metadata.name={name}")
        else:
            yield Want(row.kind, namespace if row.namespaced else "", name)


def _of_name(kinds: Iterable[ResourceKind], snapshot: Snapshot, name: str, namespace: str) -> Iterable[Ref]:
    for row in kinds:
        if namespace or not row.namespaced:
            one = Ref(row.kind, namespace if row.namespaced else "", name)
            if snapshot.get(one) is not None:
                yield one
        else:
            yield from (ref(obj) for obj in snapshot.of_kind(row.kind) if obj.metadata.name == name)


def _importance(one: Ref) -> tuple[int, Ref]:
    return (_FIRST.index(one.kind) if one.kind in _FIRST else len(_FIRST), one)


def _near(
    name: str, words: Iterable[str], kinds: Iterable[ResourceKind], source: ReadableCluster, namespace: str
) -> tuple[str, ...]:
    """Words and objects whose name is like it; `kind/name` for objects."""
    objects: dict[str, str] = {}
    for row in kinds:
        if row.kind in (*_FIRST, "Node", "Namespace"):
            for known in source.names(row.kind, namespace if row.namespaced else ""):
                objects.setdefault(known, f"{row.singular}/{known}")
    near = nearest_word(name, [*words, *objects]) or tuple(known for known in sorted(objects) if name in known)[:3]
    return tuple(objects.get(word, word) for word in near)


def check_namespace(namespace: str, source: ReadableCluster) -> None:
    """Raises NoSuchObject for a namespace that does not exist: nothing wrong in it would be no news.

    Where that is unknown, because namespaces may not be read and nothing is seen in it, the report will say so.
    """
    snapshot = source.snapshot
    if namespace in snapshot.namespaces() or snapshot.get(Ref("Namespace", "", namespace)) is not None:
        return
    if not snapshot.covers(Want("Namespace", "", namespace)):
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


def _way_out(want: Want, source: ReadableCluster) -> str:
    if source.snapshot.closed:
        return "Record it too: kubedoctor capture -o state.tar.gz"
    match source.snapshot.barrier(want):
        case Barrier.FORBIDDEN:
            return "See: kubectl auth can-i --list" + (f" -n {want.namespace}" if want.namespace else "")
        case Barrier.NOT_SERVED:
            return "Is it the right cluster? See: kubectl api-resources"
    return "Try again. See: kubectl get --raw='/readyz?verbose'"


def _elsewhere(subject: Ref, names: tuple[str, ...]) -> str:
    if names:
        return f"There are {len(names)}, for example {', '.join(names[:3])}"
    if subject.namespace:
        return f"Namespace {subject.namespace} has no {subject.short_kind}. For another namespace: -n NAMESPACE"
    return ""
