"""`kubedoctor`, or `kubedoctor tui`: the terminal UI."""

from __future__ import annotations

import argparse
import os
import sys

from kubedoctor.cli.arguments.command import Subcommand
from kubedoctor.cli.clusters import contexts_meant, of_context
from kubedoctor.cli.reading import source_options
from kubedoctor.collect.opening import open_source
from kubedoctor.engine import load_catalogue
from kubedoctor.problems import UsageProblem


def tui(options: argparse.Namespace) -> int:
    """Open the terminal UI on the source that the flags name."""
    if sys.stdin is None or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageProblem("the terminal UI needs a terminal", "For a report: kubedoctor scan")
    if os.environ.get("TERM") == "dumb":
        raise UsageProblem(
            "the terminal UI needs a terminal that can move its cursor, and TERM is dumb",
            "For a report: kubedoctor scan",
        )
    # textual is loaded only for the terminal UI, which draws to stderr: there is no room for a progress indicator.
    from kubedoctor.tui import run

    if contexts := contexts_meant(options):
        chosen = source_options(of_context(options, contexts[0]))
        namespace = "" if options.all_namespaces else options.namespace
        return run(
            lambda: open_source(chosen),
            namespace=namespace,
            catalogue=load_catalogue,
            options=chosen,
            contexts=contexts,
        )
    chosen = source_options(options)
    namespace = "" if options.all_namespaces else options.namespace
    return run(lambda: open_source(chosen, read=False), namespace=namespace, catalogue=load_catalogue, options=chosen)


COMMAND = Subcommand(
    name="tui",
    summary="open the terminal UI, the same as kubedoctor without a command",
    usage=("[-n NAMESPACE | -A] [flags]",),
    section="Diagnose",
    run=tui,
    most_words=0,
)
