"""`kubedoctor capture -o DIR|FILE.tar.gz`: record a redacted bundle."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kubedoctor.cli.commands.reading import opened
from kubedoctor.collect.bundles import write_bundle
from kubedoctor.engine import load_catalogue
from kubedoctor.problems import UsageProblem


def capture_command(options: argparse.Namespace) -> int:
    """Read what the catalogue reads and write it down, without secrets."""
    if not options.output:
        raise UsageProblem("capture where?", "Name a folder or a file: kubedoctor capture -o state.tar.gz")
    with opened(options) as source:
        whole = options.all_namespaces or not options.namespace
        told = write_bundle(source, load_catalogue().reads(), Path(options.output), "" if whole else options.namespace)
    print(told, file=sys.stderr)
    return 0
