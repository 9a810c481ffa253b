"""`kubedoctor`: the terminal UI."""

from __future__ import annotations

import argparse
import sys

from kubedoctor.cli.commands.reading import opened
from kubedoctor.engine import load_catalogue
from kubedoctor.problems import UsageProblem


def tui_command(options: argparse.Namespace) -> int:
    """Open the terminal UI on the source that the flags name."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageProblem("the terminal UI needs a terminal", "Try: kubedoctor scan")
    if options.output:
        raise UsageProblem("the terminal UI has no output format", "Try: kubedoctor scan -o " + options.output)
    from kubedoctor.tui import run  # textual is loaded only for the terminal UI

    with opened(options) as source:
        return run(source, namespace="" if options.all_namespaces else options.namespace, catalogue=load_catalogue())
