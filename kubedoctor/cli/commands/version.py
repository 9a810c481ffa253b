"""`kubedoctor version`."""

from __future__ import annotations

import argparse

from kubedoctor import __version__


def version_command(options: argparse.Namespace) -> int:
    """Print the version."""
    print(f"kubedoctor {__version__}")
    return 0
