"""`kubedoctor report [KIND NAME] -o FILE.md|FILE.html`: the diagnosis as a page that is kept and sent."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from kubedoctor.cli.arguments.command import Subcommand
from kubedoctor.cli.arguments.options import completed
from kubedoctor.cli.commands.scan import scanned
from kubedoctor.cli.completion import values
from kubedoctor.cli.diagnosing import add_examination, looked
from kubedoctor.cli.exit_codes import exit_code
from kubedoctor.cli.reading import namespace_meant, opened
from kubedoctor.cli.subject import parsed_selector
from kubedoctor.cli.suppressing import heeded, settings_of
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.engine import Report, load_catalogue
from kubedoctor.engine.words import verdict_line
from kubedoctor.findings import Severity
from kubedoctor.handbook.report import is_report, story_html, story_markdown, story_of
from kubedoctor.problems import UsageProblem

_WRITERS: Final = {".md": story_markdown, ".markdown": story_markdown, ".html": story_html, ".htm": story_html}
_HEAD: Final = 4096
"""Bytes at the beginning of a file, more than those that tell what it is."""


def report(options: argparse.Namespace) -> int:
    """Examine, and write the page."""
    path = _path(options)
    parsed_selector(options.selector)
    settings_of(options)
    with opened(options) as source:
        found, matched = _examined(source, options)
        story = story_of(found, source.snapshot)
    text = _WRITERS[path.suffix.lower()](story, matched)
    try:
        _write(path, text)
    except OSError as error:
        raise UsageProblem(f"{path} cannot be written: {error.strerror or error}", "Set another path with -o") from None
    print(f"{path}: {visible(verdict_line(found, matched))}", file=sys.stderr)
    return exit_code(found, Severity(options.fail_on), allow_gaps=options.allow_gaps)


def _examined(source: ReadableCluster, options: argparse.Namespace) -> tuple[Report, str]:
    """On the objects that the words mean, or on everything without words; and what they are, where it is a list."""
    if options.words:
        _, found, listing = looked(source, options)
        return found, listing.title if listing is not None else ""
    if options.selector:
        raise UsageProblem("-l needs a kind", "For example: kubedoctor report pods -l app=web -o report.html")
    catalogue = load_catalogue()
    found = scanned(source, catalogue, namespace_meant(source, options))
    return heeded(found, source, catalogue, settings_of(options)), ""


def _path(options: argparse.Namespace) -> Path:
    """Where to write. Raises UsageProblem for another kind of file, and for a file that is no report."""
    if options.output in (None, "", "-"):
        what = "report cannot write to standard output" if options.output else "report needs -o"
        raise UsageProblem(what, "Name a file: kubedoctor report -o report.html, or report.md")
    path = Path(options.output)
    if path.suffix.lower() not in _WRITERS:
        raise UsageProblem(f"report cannot write {path.name}", "Name a file that ends with .html or .md")
    folder = _target(path).parent
    if path.is_dir() or not folder.is_dir():
        raise UsageProblem(
            f"{path} is a folder" if path.is_dir() else f"no folder {folder if path.is_symlink() else path.parent}",
            "Name a file: -o report.html",
        )
    if path.exists() and not _is_replaceable(path):
        raise UsageProblem(f"{path} exists and is no report of kubedoctor", "Name another file")
    return path


def _is_replaceable(path: Path) -> bool:
    """Whether the file is a report, or empty."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(_HEAD)
    return not start or is_report(start)


def _target(path: Path) -> Path:
    """The file that a link leads to."""
    return Path(os.path.realpath(path))


def _write(path: Path, text: str) -> None:
    """Whole or not at all; who may read it stays, and a link stays a link."""
    path = _target(path)
    name = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)  # less what the umask says
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        if path.exists():
            shutil.copymode(path, name)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _add_options(parser: argparse.ArgumentParser) -> None:
    output = parser.add_argument("-o", "--output", metavar="FILE", help="the .html or .md file to write")
    completed(output, values.files)
    add_examination(parser)


def _complete(words: Sequence[str], prefix: str, options: argparse.Namespace) -> list[str]:
    return values.objects(words, prefix, options)


COMMAND = Subcommand(
    name="report",
    summary="write the diagnosis as a page: causes, fixes, evidence, how it spread, timeline",
    usage=("-o FILE.html|FILE.md [-n NAMESPACE | -A] [flags]", "KIND NAME -o FILE.html|FILE.md [flags]"),
    section="Record",
    details="Without words it is a scan. The HTML is one file for light and dark screens: it loads nothing, has no script, "
    "and holds no values of Secrets. A file is overwritten only if it is such a report. Exit codes are those of the diagnosis.",
    examples=(
        ("report -A -o report.html", "the whole cluster"),
        ("report deploy checkout -n shop -o report.md", "one object, for an issue or a chat"),
        ("report -f state.tar.gz -o report.html", "of a recording"),
    ),
    run=report,
    gates=True,
    add_options=_add_options,
    complete=_complete,
)
