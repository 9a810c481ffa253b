"""`kubedoctor version`."""

from __future__ import annotations

import argparse

from kubedoctor import __version__
from kubedoctor.cli.arguments.command import Subcommand


def version(_: argparse.Namespace) -> int:
    """Print the version."""
    print(f"kubedoctor {__version__}")
    return 0


COMMAND = Subcommand(name="version", summary="print the version of kubedoctor", usage=("",), run=version, reads=False)
