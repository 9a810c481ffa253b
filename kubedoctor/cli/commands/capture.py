"""`kubedoctor capture -o DIR|FILE.tar.gz`: record a redacted bundle."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kubedoctor.cli.arguments.command import Subcommand
from kubedoctor.cli.arguments.options import completed
from kubedoctor.cli.completion import values
from kubedoctor.cli.exit_codes import ExitCode
from kubedoctor.cli.not_found import check_namespace
from kubedoctor.cli.reading import opened
from kubedoctor.collect.bundles import write_bundle
from kubedoctor.engine import load_catalogue
from kubedoctor.problems import UsageProblem


def capture(options: argparse.Namespace) -> int:
    """Read what the catalogue reads and write it down, without secrets."""
    if options.output in (None, "", "-"):
        raise UsageProblem(
            "capture cannot write to standard output" if options.output else "capture needs -o",
            "Name a folder or a file: kubedoctor capture -o state.tar.gz",
        )
    if options.words:
        raise UsageProblem(
            f"unexpected argument: {options.words[0]}", f"To write there: kubedoctor capture -o {options.words[0]}"
        )
    with opened(options) as source:
        whole = options.all_namespaces or not options.namespace
        if not whole:
            check_namespace(options.namespace, source)
        bundle = write_bundle(
            source, load_catalogue().reads(), Path(options.output), "" if whole else options.namespace
        )
    print(bundle.told, file=sys.stderr)
    return ExitCode.HEALTHY if bundle.complete else ExitCode.GAPS


def _add_options(parser: argparse.ArgumentParser) -> None:
    output = parser.add_argument("-o", "--output", metavar="PATH", help="the folder or .tar.gz file to write")
    completed(output, values.files)


COMMAND = Subcommand(
    name="capture",
    summary="record the state of a cluster, without secret values, to diagnose it elsewhere",
    usage=("-o DIR|FILE.tar.gz [-n NAMESPACE] [flags]",),
    section="Record",
    details="Without -n all namespaces are recorded. Every command reads a recording with -f. What could not be recorded is "
    "listed, with exit code 3.",
    examples=(("capture -o state.tar.gz", "record"), ("scan -f state.tar.gz", "diagnose the recording")),
    run=capture,
    add_options=_add_options,
)
