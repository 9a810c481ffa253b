"""`kubedoctor record -o FILE`: the state of a cluster, and everything that changes from then on."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from kubedoctor.cli.arguments.command import Subcommand
from kubedoctor.cli.arguments.options import completed
from kubedoctor.cli.completion import values
from kubedoctor.cli.exit_codes import ExitCode
from kubedoctor.cli.not_found import check_namespace
from kubedoctor.cli.reading import opened
from kubedoctor.cluster.grammar.durations import human_duration, parse_duration
from kubedoctor.cluster.grammar.quantities import Quantity, format_bytes
from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.history.ring import IncidentMark
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.engine import Catalogue, Report, load_catalogue, scan
from kubedoctor.engine.health import extensions_named
from kubedoctor.problems import UsageProblem

if TYPE_CHECKING:
    from kubedoctor.collect.live.cluster import LiveSource

LISTED_ONLY: Final = frozenset({"Lease"})
"""Not watched: each node renews its lease every ten seconds, and no list shows that."""
MOST_WATCHED: Final = 16
"""Kinds of custom resources with objects; each watch costs a connection."""
DEFAULT_SIZE: Final = "256Mi"


def record(options: argparse.Namespace) -> int:
    """Write the state, then what changes, until the time or the size is reached, or Ctrl-C."""
    limit, size = _limits(options)
    with opened(options) as source:
        if source.snapshot.closed:
            raise UsageProblem("record needs a cluster, not a recording", "Leave --from out")
        live: Any = source
        return _record(live, options, limit, size)


def _limits(options: argparse.Namespace) -> tuple[float | None, int]:
    """Seconds, None for no limit, and bytes."""
    if options.words:
        raise UsageProblem(
            f"unexpected argument: {options.words[0]}", f"To write there: kubedoctor record -o {options.words[0]}"
        )
    if options.output in (None, "", "-"):
        raise UsageProblem("record needs -o", "Name a file: kubedoctor record -o night.jsonl --for 8h")
    try:
        seconds = parse_duration(options.for_).total_seconds() if options.for_ else None
    except ValueError as error:
        raise UsageProblem(f"--for: {error}", "For example: --for 30m") from None
    try:
        size = Quantity.parse(options.max_size).value()
    except ValueError as error:
        raise UsageProblem(f"--max-size: {error}", "For example: --max-size 100Mi") from None
    if (seconds is not None and seconds <= 0) or size <= 0:
        raise UsageProblem("--for and --max-size must be more than 0")
    return seconds, size


def _record(source: LiveSource, options: argparse.Namespace, limit: float | None, size: int) -> int:
    from kubedoctor.collect.histories.following import WatchedHistory
    from kubedoctor.collect.histories.writing import HistoryFile

    catalogue = load_catalogue()
    namespace = "" if options.all_namespaces else options.namespace or ""
    if namespace:
        check_namespace(namespace, source)
    kinds = catalogue.reads() | {*catalogue.subjects, "Event", "Namespace"}
    source.list_all(kinds, namespace or None)
    source.list_extensions(extensions_named(source.snapshot), namespace or None)
    watched = {*kinds, *[kind for kind in source.snapshot.kinds() if "." in kind][:MOST_WATCHED]} - LISTED_ONLY
    file = HistoryFile(Path(options.output), size)
    try:
        file.begin(source.snapshot, namespace)
        with _ending() as ended:
            history = WatchedHistory(source, file, watched, namespace, _examination(catalogue, namespace))
            print(_beginning(source, options.output, limit), file=sys.stderr, flush=True)
            try:
                history.run(ended, limit)
            finally:
                history.close()
    finally:
        file.close()
    why = "; --max-size is reached" if file.full else ""
    print(
        f"wrote {options.output}: {_seconds(history.took)}, {counted(file.changes, 'change')}, {format_bytes(file.written)}{why}\n"
        f"Read it: kubedoctor --from {options.output}, or scan --from {options.output} --at TIME",
        file=sys.stderr,
    )
    refused = [listing for listing in source.snapshot.listings() if listing[2] != "whole"]
    for kind, _, _, reason in refused:
        print(f"not recorded: {kind}: {reason}", file=sys.stderr)
    return ExitCode.GAPS if refused else ExitCode.HEALTHY


def _examination(catalogue: Catalogue, namespace: str) -> Callable[[Snapshot], Iterable[IncidentMark]]:
    """Finds without further requests what began and ended; logs are not in the history."""
    from kubedoctor.collect.closed import refuse_missing
    from kubedoctor.engine.over_time.marks import marks_between

    last: list[Report] = []

    def examine(snapshot: Snapshot) -> Iterable[IncidentMark]:
        report = scan(catalogue, snapshot, lambda wants: refuse_missing(snapshot, wants), namespace)
        marks = marks_between(last[0], report) if last else ()
        last[:] = [report]
        return marks

    return examine


@contextmanager
def _ending() -> Iterator[threading.Event]:
    """Set by Ctrl-C, and by the signal with which a supervisor ends a process: then the file is closed as at its end."""
    ended = threading.Event()

    def end(_: int, __: FrameType | None) -> None:
        ended.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _beginning(source: ReadableCluster, output: str, limit: float | None) -> str:
    ends = f"ends in {_seconds(limit)}, or with Ctrl-C" if limit is not None else "Ctrl-C ends it"
    return f"recording {counted(source.snapshot.count(), 'object')} of {source.context} to {output}; {ends}"


def _seconds(seconds: float) -> str:
    return human_duration(timedelta(seconds=round(seconds)))


def _add_options(parser: argparse.ArgumentParser) -> None:
    output = parser.add_argument("-o", "--output", metavar="FILE", help="the file to write; nothing is overwritten")
    completed(output, values.files)
    parser.add_argument("--for", dest="for_", metavar="DURATION", help="end after this time; default: with Ctrl-C")
    parser.add_argument(
        "--max-size",
        metavar="SIZE",
        default=DEFAULT_SIZE,
        help=f"end when the file would grow larger; default: {DEFAULT_SIZE}",
    )


COMMAND = Subcommand(
    name="record",
    summary="record a cluster and everything that changes in it, without secret values, to look at any moment later",
    usage=("-o FILE [--for DURATION] [--max-size SIZE] [-n NAMESPACE] [flags]",),
    section="Record",
    details="Writes the state, then each change as it is watched; logs are not recorded. Every command reads the file with "
    "--from, at its end or with --at at a moment; { and } in the terminal UI go through it. A file that was cut off is read up "
    "to its last whole line. What could not be recorded is listed, with exit code 3. Nothing is sent to the cluster but "
    "requests that read.",
    examples=(
        ("record -o night.jsonl --for 8h", "record"),
        ("--from night.jsonl", "the terminal UI; { and } go back and on"),
        ("scan --from night.jsonl --at 03:12", "what was wrong then"),
        ("diff night.jsonl@03:10 night.jsonl@03:20", "what became of the causes"),
    ),
    run=record,
    most_words=0,
    add_options=_add_options,
)
