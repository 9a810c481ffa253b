"""`kubedoctor diff A B`: what became of the causes of one state in a later one."""

from __future__ import annotations

import argparse
import copy
import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from kubedoctor.cli.arguments.command import Subcommand
from kubedoctor.cli.commands.scan import scanned
from kubedoctor.cli.completion import values
from kubedoctor.cli.exit_codes import ExitCode
from kubedoctor.cli.formats import check_format
from kubedoctor.cli.formats.diff.document import diff_data
from kubedoctor.cli.formats.diff.text import diff_text
from kubedoctor.cli.formats.document import json_text, yaml_text
from kubedoctor.cli.formats.style import Style
from kubedoctor.cli.reading import opened
from kubedoctor.cli.suppressing import add_config, heeded, settings_of
from kubedoctor.cli.terminal import speak_utf8, text_width, wants_colour
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.engine import load_catalogue
from kubedoctor.engine.over_time import compare
from kubedoctor.engine.report import Report
from kubedoctor.findings import Severity
from kubedoctor.problems import UsageProblem

FORMATS = ("text", "json", "yaml")


class _Scanned(msgspec.Struct, frozen=True):
    """everything: with what is suppressed."""

    report: Report
    everything: Report
    snapshot: Snapshot


def diff(options: argparse.Namespace) -> int:
    """Scan both states, and print what is new, gone, and still there."""
    check_format(options.output, FORMATS)
    _check_words(options)
    settings_of(options)
    before, after = _scanned(options, options.words[:1]), _scanned(options, options.words[1:])
    found = compare(before.everything, before.snapshot, after.report, after.snapshot, after.everything)
    if options.output in ("json", "yaml"):
        speak_utf8()
        print((json_text if options.output == "json" else yaml_text)(diff_data(found)), end="")
    else:
        print(diff_text(found, Style(text_width(), colour=wants_colour(options))), end="")
    worst = found.worst()
    if worst is not None and worst.rank <= Severity(options.fail_on).rank:
        return ExitCode.FOUND
    return ExitCode.HEALTHY if found.complete or options.allow_gaps else ExitCode.GAPS


def _check_words(options: argparse.Namespace) -> None:
    if options.from_:
        files = [shlex.quote(file) for file in options.from_]
        raise UsageProblem(
            "diff takes its recordings as words",
            f"To compare them: kubedoctor diff {' '.join(files)} B\n"
            f"To compare manifests with the cluster: kubectl diff {' '.join(f'-f {file}' for file in files)}",
        )
    if not options.words:
        raise UsageProblem(
            "diff of which recordings?",
            "Two of them: kubedoctor diff before.tar.gz after.tar.gz\n"
            "One and the cluster: kubedoctor diff before.tar.gz",
        )
    if options.words.count("-") > 1:
        raise UsageProblem(
            "standard input can be only one of the two recordings",
            "Write one to a file: kubedoctor diff before.tar.gz -",
        )
    for word in options.words:
        if word != "-" and not os.path.exists(_place(word)[0]):
            raise UsageProblem(f"no file {word}", "Record a state: kubedoctor capture -o state.tar.gz")


def _place(word: str) -> tuple[str, str]:
    """The file of a word, and the moment of its history: `FILE@14:49:50`."""
    file, at, moment = word.rpartition("@")
    return (file, moment) if at and not os.path.exists(word) else (word, "")


def _scanned(options: argparse.Namespace, files: Sequence[str]) -> _Scanned:
    """A scan of a recording, or of the cluster where none is named: of all namespaces unless -n names one, since a
    recording has all."""
    chosen = copy.copy(options)
    places = [_place(file) for file in files]
    chosen.from_ = [file for file, _ in places]
    chosen.at = "".join(moment for _, moment in places)
    chosen.all_namespaces = not options.namespace
    catalogue = load_catalogue()
    with _opened(chosen, places) as source:
        report = scanned(source, catalogue, options.namespace or "")
        heed = heeded(report, source, catalogue, settings_of(options))
        return _Scanned(heed, report, source.snapshot)


@contextmanager
def _opened(options: argparse.Namespace, places: Sequence[tuple[str, str]]) -> Iterator[ReadableCluster]:
    """What is wrong with a moment is said of the word that it was written in."""
    written = next((f"{file}@{moment}" for file, moment in places if moment), "")
    try:
        with opened(options) as source:
            yield source
    except UsageProblem as problem:
        if not written or not problem.what.startswith("--at"):
            raise
        what = problem.what.removeprefix("--at").lstrip(": ")
        raise UsageProblem(f"{written}: {what}", problem.hint.replace("--from FILE --at", "FILE@TIME")) from None


def _complete(words: Sequence[str], prefix: str, options: argparse.Namespace) -> list[str]:
    return values.files(prefix, options) if len(words) < 2 else []


COMMAND = Subcommand(
    name="diff",
    summary="what is new, gone and still there between two recordings, or a recording and the cluster, by cause",
    usage=("A B [-n NAMESPACE] [flags]", "A [-n NAMESPACE] [flags]"),
    section="Diagnose",
    details="A is the earlier recording; without B it is compared with the cluster. A cause is the same where the same "
    "diagnostic finds it at the same object; pods stand for their workload, so that a rollout makes no new cause. The exit "
    "code is 1 for a cause that is new or became worse, 3 where something could not be compared. FILE@TIME is a recorded "
    "history at a moment: 14:49:50, or 5m before its end.",
    examples=(
        ("diff before.tar.gz after.tar.gz", "two recordings"),
        ("diff night.jsonl@03:10 night.jsonl@03:20", "two moments of one recorded history"),
        ("diff before.tar.gz -n shop", "a recording and the cluster, one namespace"),
        ("diff before.tar.gz -o json --fail-on critical", "for a pipeline, after a release"),
    ),
    run=diff,
    most_words=2,
    formats=FORMATS,
    gates=True,
    add_options=add_config,
    complete=_complete,
)
