"""What all commands that read a cluster or a bundle share."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from kubedoctor.cli.clusters import ClusterOutcome, contexts_meant
from kubedoctor.cli.exit_codes import exit_code
from kubedoctor.cli.formats import render
from kubedoctor.cli.formats.style import Style
from kubedoctor.cli.progress import progress
from kubedoctor.cli.terminal import speak_utf8, text_width, wants_colour
from kubedoctor.cluster.grammar.text import counted, visible
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.collect.waiting import WAITING
from kubedoctor.problems import UsageProblem

if TYPE_CHECKING:
    from kubedoctor.cli.listing import Listing
    from kubedoctor.engine import Catalogue
    from kubedoctor.engine.report import Report


_last_opened: list[ReadableCluster] = []
"""Kept to the end of the process, which then frees all memory at once: object by object takes a twentieth of a scan."""


def source_options(options: argparse.Namespace) -> Options:
    """The source that the flags select. Raises UsageProblem where they contradict each other."""
    if options.all_namespaces and options.namespace:
        raise UsageProblem("-A and -n exclude each other", "Leave one of them out")
    if contexts_meant(options):
        raise UsageProblem("this command reads one cluster", "Name one context; scan and the terminal UI take several")
    if "" in options.from_:
        raise UsageProblem("-f needs a file", "Name a file, a folder, or - for standard input")
    return Options(
        kubeconfig=options.kubeconfig,
        context=options.context,
        namespace=options.namespace or None,
        all_namespaces=options.all_namespaces,
        as_user=options.as_user,
        as_groups=tuple(options.as_groups),
        request_timeout=options.request_timeout,
        from_=tuple(options.from_),
        at=options.at,
    )


@contextmanager
def opened(options: argparse.Namespace, *, spinning: bool = True) -> Iterator[ReadableCluster]:
    """The source that the flags select, closed afterwards. spinning: whether a terminal shows that it is being read."""
    WAITING.announce_to(_announce, watched=sys.stderr.isatty())
    source = open_source(source_options(options))
    _last_opened[:] = [source]
    try:
        with progress("reading the cluster") if spinning else nullcontext():
            yield source
    finally:
        source.close()


def _announce(text: str) -> None:
    print(f"kubedoctor: {visible(text)} …", file=sys.stderr, flush=True)


def namespace_meant(source: ReadableCluster, options: argparse.Namespace) -> str:
    """The namespace of the objects; empty for all. A recording is small and was chosen: all of it counts."""
    if options.all_namespaces or (source.snapshot.closed and not options.namespace):
        return ""
    return options.namespace or source.namespace


def finish(report: Report, options: argparse.Namespace, started: float, listing: Listing | None = None) -> int:
    """Print the report as the options say; returns the exit code. started: time.perf_counter()."""
    from kubedoctor.findings import Severity  # not before the first request

    if options.output in ("json", "yaml", "junit", "sarif"):
        speak_utf8()
    style = Style(text_width(), colour=wants_colour(options), debug=options.debug)
    gate = {"fail_on": options.fail_on, "allow_gaps": options.allow_gaps}
    print(render(report, options.output or "text", style, listing, **gate), end="")
    if options.stats:
        seconds = time.perf_counter() - started
        print(
            f"{counted(report.requests, 'request')}, {counted(report.rounds, 'round')}, "
            f"{counted(report.objects_seen, 'object')}, {counted(report.diagnostics_run, 'diagnostic')}, {seconds:.2f}s",
            file=sys.stderr,
        )
    return exit_code(report, Severity(options.fail_on), allow_gaps=options.allow_gaps)


def finish_each(outcomes: Sequence[ClusterOutcome], options: argparse.Namespace, started: float) -> int:
    """As `finish`, of several clusters; the exit code is that of the worst."""
    from kubedoctor.cli.formats.clusters import exit_code_of, render_clusters

    if options.output in ("json", "yaml", "junit", "sarif"):
        speak_utf8()
    style = Style(text_width(), colour=wants_colour(options), debug=options.debug)
    gate = {"fail_on": options.fail_on, "allow_gaps": options.allow_gaps}
    print(render_clusters(outcomes, options.output or "text", style, **gate), end="")
    if options.stats:
        requests = sum(outcome.report.requests for outcome in outcomes if outcome.report is not None)
        seconds = time.perf_counter() - started
        print(f"{counted(len(outcomes), 'cluster')}, {counted(requests, 'request')}, {seconds:.2f}s", file=sys.stderr)
    return exit_code_of(outcomes, **gate)


def list_for_scan(source: ReadableCluster, catalogue: Catalogue, namespace: str = "") -> None:
    """List what the catalogue reads, in one namespace where given."""
    from kubedoctor.engine.health import extensions_named  # few commands list everything

    source.list_all(catalogue.reads(), namespace)
    source.list_extensions(extensions_named(source.snapshot), namespace)
