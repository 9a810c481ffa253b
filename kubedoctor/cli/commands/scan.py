"""`kubedoctor scan`: every diagnostic over everything."""

from __future__ import annotations

import argparse
import shlex
import time
from collections.abc import Callable

from kubedoctor.cli.arguments.command import Subcommand
from kubedoctor.cli.arguments.options import add_selector
from kubedoctor.cli.clusters import add_contexts, contexts_meant, limit_of, of_context, read_each
from kubedoctor.cli.formats import FORMATS, check_format
from kubedoctor.cli.not_found import check_namespace
from kubedoctor.cli.progress import progress
from kubedoctor.cli.reading import finish, finish_each, list_for_scan, namespace_meant, opened
from kubedoctor.cli.subject import parsed_selector
from kubedoctor.cli.suppressing import add_config, heeded, settings_of
from kubedoctor.cli.targets import is_kind, recording_hint
from kubedoctor.cli.trying import add_what_if, rehearsed
from kubedoctor.cluster.grammar.selectors import Selector
from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.collect.loading import loading
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.engine import Catalogue, Report, load_catalogue, scan
from kubedoctor.problems import UsageProblem


def scan_namespaces(options: argparse.Namespace) -> int:
    """List what the catalogue reads, run it once, print the incidents."""
    started = time.perf_counter()
    if options.words:
        raise UsageProblem(f"scan takes no name: {options.words[0]}", _meant(options.words))
    if getattr(options, "what_if", None):
        return rehearsed(options, lambda source: None)
    check_format(options.output)
    selector = parsed_selector(options.selector)
    settings = settings_of(options)

    catalogue = load_catalogue()
    if contexts := contexts_meant(options):
        return _scan_each(contexts, options, catalogue, started)
    with opened(options) as source:
        namespace = namespace_meant(source, options)
        report = scanned(source, catalogue, namespace, picked=_labelled(selector))
        report = heeded(report, source, catalogue, settings)
    return finish(report, options, started)


def _scan_each(contexts: tuple[str, ...], options: argparse.Namespace, catalogue: Catalogue, started: float) -> int:
    """One document about several clusters. One that cannot be read is said, and the others are reported."""
    selector, settings = parsed_selector(options.selector), settings_of(options)

    def read(context: str) -> Report:
        own = of_context(options, context)
        with opened(own, spinning=False) as source:
            report = scanned(source, catalogue, namespace_meant(source, own), picked=_labelled(selector))
            return heeded(report, source, catalogue, settings)

    limit = limit_of(options)
    with progress(f"reading {counted(len(contexts), 'cluster')}"):
        outcomes = read_each(contexts, read, limit)
    return finish_each(outcomes, options, started)


def scanned(
    source: ReadableCluster,
    catalogue: Catalogue,
    namespace: str,
    picked: Callable[[KubernetesObject], bool] | None = None,
) -> Report:
    """Lists what the catalogue reads, in one namespace where given, and runs it once. picked: leaves out further
    objects. Raises NoSuchObject for a namespace that does not exist."""
    list_for_scan(source, catalogue, namespace)
    if namespace:
        check_namespace(namespace, source)
    with loading():  # what a scan makes is kept until it ends, or freed at once
        return scan(catalogue, source.snapshot, source.gather, namespace, picked=picked)


def _labelled(selector: Selector | None) -> Callable[[KubernetesObject], bool] | None:
    return (lambda obj: selector.matches(obj.metadata.labels)) if selector is not None else None


def _meant(words: list[str]) -> str:
    """The command to type for words that a scan does not accept."""
    if hint := recording_hint(words[0]):
        return hint
    line = shlex.join(["kubedoctor", *words])
    if is_kind(words[0]):
        return f"Leave scan out: {line}"
    return f"For a namespace: kubedoctor scan -n {shlex.quote(words[0])}\nFor an object: {line}"


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_selector(parser)
    add_config(parser)
    add_contexts(parser)
    add_what_if(parser, "say what would be gone, follow, stay and break after a change")


COMMAND = Subcommand(
    name="scan",
    summary="run every diagnostic over a namespace or the whole cluster",
    usage=("[-n NAMESPACE | -A] [-l LABELS] [flags]",),
    section="Diagnose",
    details="The report lists incidents by cause, worst first; symptoms stand below the cause that explains them. Of a "
    "recording all namespaces are scanned unless -n names one.",
    examples=(
        ("scan -A", "the whole cluster"),
        ("scan -n shop -l app=checkout", "objects of a namespace with a label"),
        ("scan -A -o json --fail-on critical", "for a pipeline"),
        ("scan -f state.tar.gz", "a recording"),
        ("scan -A --context prod-eu,prod-us", "several clusters in one report; --all-contexts: all of the kubeconfig"),
    ),
    run=scan_namespaces,
    formats=FORMATS,
    gates=True,
    add_options=_add_options,
)
