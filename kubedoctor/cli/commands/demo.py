"""`kubedoctor demo`: a recorded broken cluster, served on this machine."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from kubedoctor.cli.arguments.command import Subcommand
from kubedoctor.cli.formats import FORMATS, check_format
from kubedoctor.cli.reading import finish
from kubedoctor.cluster.grammar.nearest import nearest_word
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.engine import load_catalogue, scan
from kubedoctor.problems import UsageProblem

_ENDED: Final = (
    "The demo cluster ended with this report. On a terminal, kubedoctor demo keeps it, and its commands can be run."
)


def demo(options: argparse.Namespace) -> int:
    """Serve a recording; open the terminal UI on it, or print the report where there is no terminal."""
    from kubedoctor.sandbox import recording_names, serve_recording  # imported only for the demo

    check_format(options.output)
    names = recording_names()
    name = options.words[0] if options.words else names[0]
    if name == "list":
        print("\n".join(names))
        return 0
    if name not in names:
        near = nearest_word(name, names)
        raise UsageProblem(
            f"unknown demo {name!r}", f"Did you mean {', '.join(near)}?" if near else "All demos: kubedoctor demo list"
        )
    interactive = sys.stdin.isatty() and sys.stdout.isatty() and not options.output
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        signal.signal(number, _leave)  # so that the kubeconfig is also removed when the terminal closes
    with serve_recording(name) as served:
        notice = f"This is the demo cluster {name}.\nkubectl reads it too:\n  export KUBECONFIG={served.kubeconfig}"
        chosen = Options(kubeconfig=str(served.kubeconfig), all_namespaces=True)
        if interactive:
            from kubedoctor.tui import run  # textual is loaded only for the terminal UI

            return run(
                lambda: open_source(chosen), namespace="", catalogue=load_catalogue, options=chosen, notice=notice
            )
        _report(chosen, options)
    return 0  # The demo is broken on purpose: showing it is a success.


def _leave(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def _report(chosen: Options, options: argparse.Namespace) -> None:
    """The commands in it name no kubeconfig: the file is gone when they are read."""
    started = time.perf_counter()
    source = open_source(chosen)
    source.snapshot.source = replace(source.snapshot.source, flags=())
    catalogue = load_catalogue()
    try:
        source.list_all(catalogue.reads(), "")
        report = scan(catalogue, source.snapshot, source.gather)
    finally:
        source.close()
    finish(report, options, started)
    print(_ENDED, file=sys.stderr)


def _complete(words: Sequence[str], prefix: str, _options: argparse.Namespace) -> list[str]:
    from kubedoctor.sandbox import recording_names

    return [] if words else [name for name in (*recording_names(), "list") if name.startswith(prefix)]


COMMAND = Subcommand(
    name="demo",
    summary="open a broken demo cluster on this machine; nothing else is needed",
    usage=("[NAME]", "list"),
    section="Learn",
    details="The cluster is served on this machine, so that kubectl reads it too. On a terminal the UI opens; in a pipe, or "
    "with -o, the report is printed.",
    examples=(("demo", "the first demo"), ("demo list", "the names of all demos"), ("demo oom-killed -o text", "")),
    run=demo,
    most_words=1,
    formats=FORMATS,
    reads=False,
    complete=_complete,
)
