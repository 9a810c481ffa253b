"""Diagnosis of the objects that the words of a command mean: one, several, or all of a kind."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING

from kubedoctor.cli.arguments.command import Subcommand
from kubedoctor.cli.arguments.known import command_names
from kubedoctor.cli.arguments.options import add_selector, namespace_flag
from kubedoctor.cli.completion import values
from kubedoctor.cli.formats import FORMATS, check_format
from kubedoctor.cli.not_found import check_namespace, none_match
from kubedoctor.cli.reading import finish, namespace_meant, opened
from kubedoctor.cli.subject import by_bare_name, find_subject, matching_all, parsed_selector
from kubedoctor.cli.suppressing import add_config, heeded, settings_of
from kubedoctor.cli.targets import (
    Target,
    UnknownKind,
    extension_words,
    is_kind,
    meant_kind,
    recording_hint,
    targets_of,
)
from kubedoctor.cli.trying import add_what_if, rehearsed
from kubedoctor.cli.watching import add_watching, is_watching
from kubedoctor.cluster.grammar.nearest import nearest_word
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.resources import ResourceKind, kind_words
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.findings.commands.lines import in_cluster
from kubedoctor.problems import NoSuchObject, SourceProblem, UsageProblem

if TYPE_CHECKING:
    from kubedoctor.cli.listing import Listing
    from kubedoctor.engine import Catalogue
    from kubedoctor.engine.report import Report

SHORT_TURN = 0.0005  # seconds
FEW = 10
"""Up to this number of objects, related objects are fetched one by one; for more, whole kinds are listed."""


def diagnose(options: argparse.Namespace, below: Callable[[Sequence[Ref]], str] | None = None) -> int:
    """Examine what the words mean and print what is wrong. below: gives the last line of a report in text."""
    started = time.perf_counter()
    if getattr(options, "what_if", None) and options.words:
        if is_watching(options):
            raise UsageProblem("--what-if and --watch exclude each other", "Leave one of them out")
        return rehearsed(options, lambda source: _only(looked(source, options)[0]))
    check_format(options.output)
    words = options.words
    if not words:
        raise UsageProblem("diagnose what?", "Name it: kubedoctor pod NAME, or all of a kind: kubedoctor pods")
    parsed_selector(options.selector)
    settings_of(options)
    watching = is_watching(options)
    if watching:
        from kubedoctor.cli.watching import watch

        return watch(options, lambda source: looked(source, options))
    if words == ["all"] and below is None:  # as `kubectl get all`
        from kubedoctor.cli.commands.scan import scan_namespaces  # only these words need it

        options.words = []
        return scan_namespaces(options)
    if len(words) == 1 and not is_kind(words[0]):
        return _diagnose_bare(options, started, below)
    try:
        targets, unknown = targets_of(words), None
    except UnknownKind as problem:
        targets, unknown = (), problem
    _check_targets(targets, options)
    with _opened_for_words(options, unknown) as source:
        if unknown is not None:
            targets = targets_of(words, source.extension_kinds())
            _check_targets(targets, options)
        subjects, report, listing = _diagnosed(targets, source, options)
    return _printed(report, listing, options, started, subjects, below)


def _only(subjects: tuple[Ref, ...]) -> Ref:
    """The one that a change can be about. Raises UsageProblem for several."""
    if len(subjects) > 1:
        raise UsageProblem(
            f"--what-if is about one object: {subjects[0].title}, {subjects[1].title}", "Name one of them"
        )
    return subjects[0]


def looked(source: ReadableCluster, options: argparse.Namespace) -> tuple[tuple[Ref, ...], Report, Listing | None]:
    """The objects that the words mean now, the report on them, and where they are several their list."""
    words = options.words
    if len(words) == 1 and not is_kind(words[0]):
        kind = meant_kind(words[0], source.extension_kinds()) if "." in words[0] else None
        if kind is None:
            with _preparing(source):
                place = options.namespace or None
                known = [*command_names(), *(kind for kind in kind_words() if "." not in kind)]
                subject = by_bare_name(words[0], source, place, everywhere=options.all_namespaces, words=known)
            return (subject,), *examined((subject,), (), source, options)
        targets: tuple[Target, ...] = (Target(kind),)
    else:
        try:
            targets = targets_of(words)
        except UnknownKind:
            targets = targets_of(words, source.extension_kinds())
    _check_targets(targets, options)
    return _diagnosed(targets, source, options)


@contextmanager
def _opened_for_words(options: argparse.Namespace, unknown: UsageProblem | None) -> Iterator[ReadableCluster]:
    """The source; where it cannot be read and a word is unknown without it, that is the problem."""
    try:
        with opened(options) as source:
            yield source
    except SourceProblem as problem:
        if unknown is None:
            raise
        hint = f"{unknown.hint}\nKinds of extensions cannot be looked up: {problem.what}"
        raise UsageProblem(unknown.what, hint) from problem


def _diagnosed(
    targets: Sequence[Target], source: ReadableCluster, options: argparse.Namespace
) -> tuple[tuple[Ref, ...], Report, Listing | None]:
    with _preparing(source):
        subjects = tuple(dict.fromkeys(_subjects(targets, source, options)))
    return subjects, *examined(subjects, targets, source, options)


def _diagnose_bare(options: argparse.Namespace, started: float, below: Callable[[Sequence[Ref]], str] | None) -> int:
    """A word that is not a kind of Kubernetes is looked up as a name, then as a kind of an extension; with a dot, which
    the names of definitions have too, first as a kind. Where nothing can be read, it is an unknown word."""
    word = options.words[0]
    if hint := recording_hint(word):
        raise UsageProblem(f"{word!r} is a file", hint)
    words = [*command_names(), *(kind for kind in kind_words() if "." not in kind)]
    near = nearest_word(word, words)
    hint = f"Did you mean {', '.join(near)}?" if near else ""
    unknown = UsageProblem(f"{word!r} is neither a command nor a kind", hint) if near else None
    with _opened_for_words(options, unknown) as source:
        kind = meant_kind(word, source.extension_kinds()) if "." in word else None
        if kind is None:
            try:
                with _preparing(source):
                    place = options.namespace or None
                    subject = by_bare_name(word, source, place, everywhere=options.all_namespaces, words=words)
            except NoSuchObject as problem:
                kind = _kind_instead(word, source, problem)
        if kind is not None:
            subjects, report, listing = _diagnosed((Target(kind),), source, options)
        else:
            subjects = (subject,)
            report, listing = examined(subjects, (), source, options)
    return _printed(report, listing, options, started, subjects, below)


def _kind_instead(word: str, source: ReadableCluster, problem: NoSuchObject) -> ResourceKind:
    """The kind of an extension that the word means. Raises the problem, with the nearest such kinds."""
    try:
        extensions = source.extension_kinds()
    except SourceProblem:
        raise problem from None
    if kind := meant_kind(word, extensions):
        return kind
    near = nearest_word(word.lower(), extension_words(extensions))
    raise NoSuchObject(problem.what, problem.hint, tuple(dict.fromkeys((*near, *problem.nearest)))[:3])


def examined(
    subjects: tuple[Ref, ...], targets: Sequence[Target], source: ReadableCluster, options: argparse.Namespace
) -> tuple[Report, Listing | None]:
    """The report on objects that exist, and where they are several their list."""
    from kubedoctor.engine import focus, focus_all

    catalogue, settings = _catalogue(), settings_of(options)
    if len(subjects) == 1:
        report = focus(catalogue, subjects[0], source.snapshot, source.gather)
        return heeded(report, source, catalogue, settings), None
    if len(subjects) > FEW:
        source.list_all(catalogue.reads(), namespace_meant(source, options))
    report = focus_all(catalogue, subjects, source.snapshot, source.gather)
    report = heeded(report, source, catalogue, settings)
    from kubedoctor.cli.listing import listing_of

    kinds = [target.kind for target in targets]
    return report, listing_of(report, source.snapshot, catalogue.related, kinds, namespace_meant(source, options))


@contextmanager
def _preparing(source: ReadableCluster) -> Iterator[None]:
    """Import what examines objects in another thread while the body waits for a server."""
    if source.snapshot.closed:
        yield
        return
    turns = sys.getswitchinterval()
    sys.setswitchinterval(SHORT_TURN)  # a thread that imports is not to keep an answer waiting
    preparation = Thread(target=_prepare, daemon=True)
    preparation.start()
    try:
        yield
    finally:
        preparation.join()
        sys.setswitchinterval(turns)


def _prepare() -> None:
    with suppress(Exception):  # raised again where the catalogue is needed
        _catalogue()


def _catalogue() -> Catalogue:
    # Importing this takes longer than the way to a server nearby, which does not need it.
    from kubedoctor.engine import load_catalogue

    return load_catalogue()


def _printed(
    report: Report,
    listing: Listing | None,
    options: argparse.Namespace,
    started: float,
    subjects: Sequence[Ref],
    below: Callable[[Sequence[Ref]], str] | None,
) -> int:
    code = finish(report, options, started, listing)
    if below is not None and options.output in (None, "text", "wide"):
        print(in_cluster(below(subjects), report.source.flags))
    return code


def _check_targets(targets: Sequence[Target], options: argparse.Namespace) -> None:
    if any(target.name for target in targets) and options.selector:
        raise UsageProblem("a name and -l exclude each other", "Leave one of them out")
    if any(target.kind.kind == "Event" for target in targets):
        raise UsageProblem(
            "events are evidence of a diagnosis, not diagnosed themselves",
            f"To list them: kubectl events{namespace_flag(options)}",
        )


def _subjects(targets: Sequence[Target], source: ReadableCluster, options: argparse.Namespace) -> Iterator[Ref]:
    """The objects that the targets mean. Raises NoSuchObject where there is none."""
    whole = [target.kind for target in targets if not target.name]
    namespace = namespace_meant(source, options)
    for target in targets:
        if target.name:
            yield find_subject(target, source, options.namespace or None, everywhere=options.all_namespaces)
    matched = matching_all(whole, source, namespace, options.selector)
    if whole and not matched:
        if namespace and any(kind.namespaced for kind in whole):
            check_namespace(namespace, source)
        raise none_match(whole, source, namespace, options.selector)
    yield from matched


def add_examination(parser: argparse.ArgumentParser) -> None:
    """The options of commands that examine objects."""
    add_selector(parser)
    add_config(parser)


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_examination(parser)
    add_watching(parser)
    add_what_if(parser, "say what would be gone, follow, stay and break after a change of it")


OBJECTS = Subcommand(
    name="",
    summary="diagnose objects and what they depend on",
    usage=("KIND NAME... [flags]", "KIND/NAME... [flags]", "KIND[,KIND...] [-l LABELS] [flags]", "NAME [flags]"),
    section="Diagnose",
    details="Kinds are written as with kubectl: pod, pods, po, deploy, deployments.apps. Without a name all objects of "
    "the kind are listed and diagnosed. A name without a kind is looked up over all kinds.",
    examples=(
        ("pod checkout-1 -n shop", "one object and what it depends on"),
        ("deploy/checkout svc/checkout", "several objects"),
        ("pods -l app=checkout", "all pods with a label, listed and diagnosed"),
        ("po -A", "all pods of the cluster"),
        ("deploy checkout --until healthy --timeout 5m", "for a pipeline: wait, and say what is in the way"),
        ("deploy checkout --what-if replicas=5", "what a change would repair and break; nothing is sent"),
        ("checkout", "whatever object has that name"),
    ),
    run=diagnose,
    formats=FORMATS,
    gates=True,
    add_options=_add_options,
    complete=values.objects,
)
