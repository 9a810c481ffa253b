"""`kubedoctor`: the terminal UI."""

from __future__ import annotations

import argparse
import sys

from kubedoctor.cli.commands.reading import source_options
from kubedoctor.collect.opening import open_source
from kubedoctor.engine import load_catalogue
from kubedoctor.problems import UsageProblem


def tui_command(options: argparse.Namespace) -> int:
    """Open the terminal UI on the source that the flags name."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageProblem("the terminal UI needs a terminal", "Try: kubedoctor scan")
    if options.output:
        raise UsageProblem("the terminal UI has no output format", "Try: kubedoctor scan -o " + options.output)
    # textual is loaded only for the terminal UI, which draws to stderr: there is no room for a sign of progress.
    from kubedoctor.tui import run

    chosen = source_options(options)
    namespace = "" if options.all_namespaces else options.namespace
    return run(lambda: open_source(chosen), namespace=namespace, catalogue=load_catalogue(), options=chosen)
