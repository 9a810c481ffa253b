"""The objects that the words of the command line name, checked to exist."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from kubedoctor.cli.not_found import MEANT_FIRST, no_such_name, not_found, not_found_anywhere, way_out
from kubedoctor.cli.targets import Target, targets_of
from kubedoctor.cluster.grammar.label_requirements import SelectorError, parse_requirements
from kubedoctor.cluster.grammar.selectors import Selector
from kubedoctor.cluster.grammar.text import capitalised, listed
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.resources import KINDS, ResourceKind
from kubedoctor.cluster.relations.foresight import with_foreseen
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.seen.wants import LogWant, Want
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.findings.commands import own_command
from kubedoctor.problems import NoSuchObject, UsageProblem

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
"""Kinds that a bare name does not match: secrets are not read for a guess, the others have the names of other
objects."""


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
    """The object of the words, checked to exist. everywhere: look for the name in all namespaces.

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
                f"{kind.singular} {name} exists in namespaces {listed(places, 5)}",
                "Say in which namespace: -n NAMESPACE",
            )
        if places:
            return Ref(kind.kind, places[0], name)
        known = source.refs(kind.kind)
        if known or source.snapshot.covers(Want(kind.kind, fields=f"metadata.name={name}")):
            raise not_found_anywhere(kind, name, known, source)
    return _existing(Ref(kind.kind, namespace or source.namespace, name), source)


def find_named(
    name: str,
    kinds: Sequence[ResourceKind],
    source: ReadableCluster,
    namespace: str | None,
    *,
    everywhere: bool = False,
) -> Ref:
    """The object of the first kind that has the name, else of any other of these kinds: a workload where no pod is named so.

    Raises NoSuchObject with the nearest names of the first kind, and UsageProblem where several have the name."""
    try:
        return find_subject(Target(kinds[0], name), source, namespace, everywhere=everywhere)
    except NoSuchObject:
        others, snapshot = kinds[1:], source.snapshot
        here = "" if namespace is None and (everywhere or snapshot.closed) else namespace or source.namespace
        if others and not snapshot.closed:
            source.gather(frozenset(_named_wants(others, name, here)))
        found = sorted(set(_of_name(others, snapshot, name, here)), key=_importance)
        if not found:
            raise
    if len(found) > 1:
        names = [f"{one.argument}{f' -n {one.namespace}' if one.namespace else ''}" for one in found]
        raise UsageProblem(f"{len(found)} objects are named {name}", f"Say which: {listed(names, 5)}")
    return found[0]


def _existing(subject: Ref, source: ReadableCluster) -> Ref:
    want = Want(subject.kind, subject.namespace, subject.name)
    if not source.snapshot.covers(want):
        source.gather(with_foreseen((want,), source.snapshot))
    if source.snapshot.get(subject) is not None:
        return subject
    if not source.snapshot.covers(want) and (why := source.snapshot.refusal(want)):
        raise NoSuchObject(f"{subject.title} cannot be read: {why}", way_out(want, source))
    raise not_found(subject, source)


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
        raise NoSuchObject(f"{kind.plural} cannot be read: {why}", way_out(want, source))
    if part:
        snapshot.problems.append(f"{kind.kind}: {part}")
    return tuple(
        ref(obj)
        for obj in snapshot.of_kind(kind.kind, want.namespace)
        if chosen is None or chosen.matches(obj.metadata.labels)
    )


def matching_all(
    kinds: Iterable[ResourceKind], source: ReadableCluster, namespace: str, selector: str | None
) -> tuple[Ref, ...]:
    """As `matching`, of several kinds. Raises NoSuchObject where none can be read or none of those that can has a match;
    else the snapshot says which cannot."""
    found: list[Ref] = []
    refused: dict[str, NoSuchObject] = {}
    for kind in kinds:
        try:
            found += matching(kind, source, namespace, selector)
        except NoSuchObject as problem:
            refused[problem.what] = problem
    if refused and not found:
        raise next(iter(refused.values()))
    source.snapshot.problems += refused
    return tuple(found)


def by_bare_name(
    name: str, source: ReadableCluster, namespace: str | None, *, everywhere: bool, words: Iterable[str]
) -> Ref:
    """The object of any kind that has the name. Raises UsageProblem where several have it, and NoSuchObject with the
    nearest names where none has; the nearest may be one of the `words` too."""
    snapshot = source.snapshot
    anywhere = namespace is None and (everywhere or snapshot.closed)
    here = "" if anywhere else namespace or source.namespace
    kinds = [row for row in KINDS if row.kind not in _NOT_BY_NAME]
    if snapshot.closed:
        kinds += source.extension_kinds()
    else:
        source.gather(frozenset(_named_wants(kinds, name, here)))
    found = sorted(set(_of_name(kinds, snapshot, name, here)), key=_importance)
    if len(found) == 1:
        return found[0]
    if found:
        commands = [own_command(one.argument, namespace=one.namespace) for one in found]
        raise UsageProblem(f"{len(found)} objects are named {name}", "Say which:\n" + "\n".join(commands))
    raise no_such_name(name, words, kinds, source, here)


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
    return (MEANT_FIRST.index(one.kind) if one.kind in MEANT_FIRST else len(MEANT_FIRST), one)
