"""`kubedoctor why-pending POD`: the scheduler replayed, node by node."""

from __future__ import annotations

import argparse
import sys
import time

from kubedoctor.cli.commands.reading import opened
from kubedoctor.cli.exit_codes import ExitCode
from kubedoctor.cli.formats import check_format
from kubedoctor.cli.formats.placement import render_placement
from kubedoctor.cli.subject import find_subject, split_words
from kubedoctor.cli.terminal import speak_utf8, wants_colour
from kubedoctor.cluster.grammar.nearest import nearest_word
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS
from kubedoctor.engine.placement import Placement, PlacementOutcome, place
from kubedoctor.problems import NoSuchObject, UsageProblem
from kubedoctor.replay.scheduler.counterfactuals.pod_changes import PodChangeError

_CODES = {
    PlacementOutcome.SCHEDULED: ExitCode.HEALTHY,
    PlacementOutcome.LOST: ExitCode.FOUND,
    PlacementOutcome.ENDED: ExitCode.HEALTHY,
    PlacementOutcome.ENDING: ExitCode.HEALTHY,
    PlacementOutcome.FITS: ExitCode.HEALTHY,
    PlacementOutcome.GATED: ExitCode.FOUND,
    PlacementOutcome.FITS_NOWHERE: ExitCode.FOUND,
    PlacementOutcome.UNKNOWN: ExitCode.GAPS,
}


def why_pending_command(options: argparse.Namespace) -> int:
    """Replay the scheduler for one pod and print why each node refuses it."""
    started = time.perf_counter()
    check_format(options.output)
    words = _pod_words(options.words[1:])
    changes = tuple(one for text in options.what_if for one in text.split(",") if one.strip())
    with opened(options) as source:
        subject = find_subject(words, source, options.namespace or None)
        try:
            placement = place(subject, source.snapshot, source.gather, changes)
        except PodChangeError as error:
            raise UsageProblem(f"--what-if: {error}") from None
    if options.node:
        _check_node(options.node, placement)
    if options.output in ("json", "yaml"):
        speak_utf8()
    text = render_placement(placement, options.output or "text", node=options.node or "", colour=wants_colour(options))
    print(text, end="")
    if options.stats:
        seconds = time.perf_counter() - started
        print(f"{placement.requests} requests, {placement.rounds} rounds, {seconds:.2f} s", file=sys.stderr)
    code = _CODES[placement.outcome]
    return ExitCode.HEALTHY if code is ExitCode.GAPS and options.allow_gaps else code


def _pod_words(words: list[str]) -> list[str]:
    """`checkout-1` means `pod checkout-1`. Raises UsageProblem where it is no pod and nothing that has pods."""
    if not words:
        raise UsageProblem("which pod?", "Name one: kubedoctor why-pending POD [-n NAMESPACE]; also deploy/checkout")
    if len(words) == 1 and "/" not in words[0]:
        words = ["pod", words[0]]
    kind, _ = split_words(words)
    if kind.kind != "Pod" and kind.kind not in WORKLOAD_KINDS:
        raise UsageProblem(f"a {kind.singular} has no pods that wait for a node", "Name a pod or a workload")
    return words


def _check_node(name: str, placement: Placement) -> None:
    last = placement.last
    if last is None or name in last.state.node_by_name:
        return
    known = [node.name for node in last.state.nodes]
    raise NoSuchObject(f"there is no node {name}", "", nearest_word(name, known) or tuple(known[:3]))
