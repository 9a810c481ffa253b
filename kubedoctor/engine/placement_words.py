"""A placement in sentences, for the command line and the terminal UI. Foreign text is made harmless by who prints it."""

from __future__ import annotations

from kubedoctor.answers.placement.reasons import plugin_title, whole_reason
from kubedoctor.cluster.grammar.text import listed
from kubedoctor.engine.placement import Placement, PlacementOutcome
from kubedoctor.findings import Fix
from kubedoctor.replay.scheduler.pending import PendingAnswer


def headline(placement: Placement) -> str:
    """What a person wants to know before all else, without the pod's name."""
    match placement.outcome:
        case PlacementOutcome.SCHEDULED if not placement.node:
            return "has no pod that waits for a node"
        case PlacementOutcome.SCHEDULED:
            return f"is not pending: it was placed on node {placement.node}"
        case PlacementOutcome.LOST:
            return f"is not pending: it is bound to node {placement.node}, which does not exist"
        case PlacementOutcome.ENDED:
            return "is not pending: it has ended"
        case PlacementOutcome.ENDING:
            return "is not pending: it is being deleted, so the scheduler passes over it"
    if placement.last is None:
        return "could not be replayed"
    return outcome_line(placement.last, placement.outcome)


def outcome_line(answer: PendingAnswer, outcome: PlacementOutcome) -> str:
    """One replay in one line."""
    verdict = answer.verdict
    if verdict.pre_enqueue is not None:
        return f"is held back: {verdict.pre_enqueue.status.message}"
    if verdict.failed is not None:
        return f"cannot be placed: {plugin_title(verdict.failed)} cannot decide: {verdict.failed.status.message}"
    fitting = verdict.feasible
    if fitting:
        sure = "fits" if outcome is PlacementOutcome.FITS else "may fit"
        return f"{sure} on {len(fitting)} of {verdict.total} nodes: {listed(fitting, 5)}"
    seen = ", by what could be seen" if outcome is PlacementOutcome.UNKNOWN else ""
    if verdict.pre_filter is not None:
        return f"fits nowhere{seen}, whichever node: {whole_reason(verdict.pre_filter)}"
    if not verdict.total:
        return (
            "fits nowhere: there are no nodes" if outcome is not PlacementOutcome.UNKNOWN else "no node could be seen"
        )
    return (
        f"fits on none of {verdict.total} nodes{seen}" if verdict.total != 1 else f"does not fit on the one node{seen}"
    )


def fix_line(fix: Fix) -> str:
    """A fix, marked where a replay has proven it."""
    return f"{'✓' if fix.verified else '·'} {fix.summary}"
