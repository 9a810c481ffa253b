"""`kubedoctor new diagnostic AREA/PROBLEM`: the files of a new diagnostic, to be filled in."""

from __future__ import annotations

import argparse
from pathlib import Path

from kubedoctor.cli.arguments.command import Subcommand
from kubedoctor.problems import UsageProblem

WHAT = "diagnostic"


def new(options: argparse.Namespace) -> int:
    """Write the page and the scenarios, and print their paths."""
    if len(options.words) != 2 or options.words[0] != WHAT:
        raise UsageProblem(
            "new needs the area and the problem of a diagnostic", "Try: kubedoctor new diagnostic services/no-endpoints"
        )
    from kubedoctor.testing.scaffold import scaffold  # imports what only this command needs

    here = Path.cwd()
    for path in scaffold(options.words[1], Path(options.into)):
        print(path.relative_to(here) if path.is_relative_to(here) else path)
    print("\nFill in the scenarios first, see them fail, then write the page (CONTRIBUTING.md).")
    return 0


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--into",
        metavar="FOLDER",
        default=".",
        help="the project whose pyproject.toml names a package of diagnostics, or that package; default: this folder",
    )


COMMAND = Subcommand(
    name="new",
    summary="write the files of a new diagnostic: its page, a sick and a healthy scenario",
    usage=("diagnostic AREA/PROBLEM [--into FOLDER]",),
    details="The code is the next free number of the area. The scenarios fail until they are filled in.",
    examples=(("new diagnostic services/no-endpoints", "in the project of this folder"),),
    run=new,
    reads=False,
    add_options=_add_options,
    complete=lambda words, prefix, _: [WHAT] if not words and WHAT.startswith(prefix) else [],
)
