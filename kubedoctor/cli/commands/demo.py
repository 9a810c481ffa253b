"""`kubedoctor demo`: a recorded broken cluster, served on this machine."""

from __future__ import annotations

import argparse
import sys
import time

from kubedoctor.cli.commands.reading import finish
from kubedoctor.cluster.grammar.nearest import nearest_word
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.engine import load_catalogue, scan
from kubedoctor.problems import UsageProblem
from kubedoctor.sandbox import recording_names, serve_recording


def demo_command(options: argparse.Namespace) -> int:
    """Serve a recording; open the terminal UI on it, or print the report where there is no terminal."""
    names = recording_names()
    name = options.words[1] if len(options.words) > 1 else names[0]
    if name == "list":
        print("\n".join(names))
        return 0
    if name not in names:
        near = nearest_word(name, names)
        raise UsageProblem(f"there is no demo {name!r}", f"There are: {', '.join(near or names)}")
    interactive = sys.stdin.isatty() and sys.stdout.isatty() and not options.output
    with serve_recording(name) as served:
        told = f"This is the demo cluster {name}. kubectl reads it too:\n  export KUBECONFIG={served.kubeconfig}"
        chosen = Options(kubeconfig=str(served.kubeconfig), all_namespaces=True)
        if interactive:
            from kubedoctor.tui import run  # textual is loaded only for the terminal UI

            return run(
                lambda: open_source(chosen), namespace="", catalogue=load_catalogue(), options=chosen, notice=told
            )
        _report(chosen, options)
    return 0  # The demo is meant to be broken: showing it is success.


def _report(chosen: Options, options: argparse.Namespace) -> None:
    started = time.perf_counter()
    source = open_source(chosen)
    catalogue = load_catalogue()
    try:
        source.list_all(catalogue.reads(), "")
        report = scan(catalogue, source.snapshot, source.gather)
    finally:
        source.close()
    finish(report, options, started)
