"""`kubedoctor version`."""

from __future__ import annotations

import argparse

from kubedoctor import __version__
from kubedoctor.cli.arguments.command import Subcommand
from kubedoctor.cli.formats import check_format

FORMATS = ("text", "json", "yaml")


def version(options: argparse.Namespace) -> int:
    """Print the version."""
    check_format(options.output, FORMATS)
    if options.output == "json":
        print(f'{{"version": "{__version__}"}}')
    elif options.output == "yaml":
        print(f"version: {__version__}")
    else:
        print(f"kubedoctor {__version__}")
    return 0


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--client", action="store_true", help=argparse.SUPPRESS
    )  # as kubectl has it: there is no server


COMMAND = Subcommand(
    name="version",
    summary="print the version of kubedoctor",
    usage=("[-o text|json|yaml]",),
    run=version,
    formats=FORMATS,
    reads=False,
    most_words=0,
    add_options=_add_options,
)
