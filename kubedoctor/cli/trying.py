"""`--what-if`: what would follow from a change, of which nothing is sent to the cluster."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Final

from kubedoctor.cli.exit_codes import sheet_code
from kubedoctor.cli.formats import check_format
from kubedoctor.cli.reading import list_for_scan, namespace_meant, opened
from kubedoctor.cli.terminal import speak_utf8, text_width, wants_colour
from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.collect.source import ReadableCluster

FORMATS: Final = ("text", "json", "yaml", "markdown")


def add_what_if(parser: argparse.ArgumentParser, help_text: str) -> None:
    """The option; of several values each sees the change of those before it."""
    parser.add_argument(
        "--what-if",
        metavar="CHANGE",
        action="append",
        default=[],
        help=f"{help_text}: a command of kubectl that scales, sets, taints, labels, patches, creates or deletes, or of the "
        "object itself replicas=3, requests.cpu=800m, image=web:2; nothing is sent; may be repeated",
    )


def meant_change(options: argparse.Namespace) -> str:
    """The change of all values; empty without."""
    return " && ".join(getattr(options, "what_if", None) or ())


def take_commands(options: argparse.Namespace) -> str:
    """The change of the values that are command lines; the others, forms of the question itself, are left."""
    values = options.what_if
    options.what_if = [value for value in values if " " not in value.strip()]
    return " && ".join(value for value in values if " " in value.strip())


def rehearsed(options: argparse.Namespace, subject: Callable[[ReadableCluster], Ref | None]) -> int:
    """Scan as things are and as they would be, and print what differs. subject: what short forms are about."""
    started = time.perf_counter()
    check_format(options.output, FORMATS)
    from kubedoctor.cli.formats.sheet import render_sheet
    from kubedoctor.engine import load_catalogue
    from kubedoctor.engine.asking import Answered
    from kubedoctor.engine.rehearsal import rehearsal_sheet, rehearse

    catalogue = load_catalogue()
    with opened(options) as source:
        about = subject(source)
        list_for_scan(source, catalogue)
        snapshot = source.snapshot
        rehearsal = rehearse(
            catalogue,
            snapshot,
            source.gather,
            meant_change(options),
            subject=about,
            namespace=namespace_meant(source, options),
        )
    sheet = rehearsal_sheet(rehearsal)
    answered = Answered("what-if", sheet, snapshot.taken_at, snapshot.source, snapshot.requests)
    if options.output in ("json", "yaml"):
        speak_utf8()
    print(render_sheet(answered, options.output or "text", width=text_width(), colour=wants_colour(options)), end="")
    if options.stats:
        print(f"{counted(snapshot.requests, 'request')}, {time.perf_counter() - started:.2f}s", file=sys.stderr)
    return sheet_code(sheet.conclusion, allow_gaps=options.allow_gaps)
