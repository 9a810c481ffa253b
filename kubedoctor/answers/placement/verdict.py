"""A placement in one line, to be read after the pod's name."""

from __future__ import annotations

from kubedoctor.answers.placement.placement import Placement, PlacementOutcome
from kubedoctor.answers.placement.reasons import plugin_title, whole_reason
from kubedoctor.cluster.grammar.text import counted, listed
from kubedoctor.replay.scheduler.pending import PendingAnswer


def headline(placement: Placement) -> str:
    """The outcome of the last replay, or why nothing was replayed."""
    match placement.outcome:
        case PlacementOutcome.SCHEDULED if not placement.node:
            return "no pod of it waits for a node"
        case PlacementOutcome.SCHEDULED:
            return f"not pending: bound to node {placement.node}"
        case PlacementOutcome.LOST:
            return f"not pending: bound to node {placement.node}, which does not exist"
        case PlacementOutcome.ENDED:
            return "not pending: it has terminated"
        case PlacementOutcome.ENDING:
            return "not pending: it is being deleted, so the scheduler skips it"
    if placement.last is None:
        return "the scheduler cannot be replayed"
    return outcome_line(placement.last, placement.outcome)


def outcome_line(answer: PendingAnswer, outcome: PlacementOutcome) -> str:
    """One replay."""
    verdict = answer.verdict
    if verdict.pre_enqueue is not None:
        return f"held back: {verdict.pre_enqueue.status.message}"
    if verdict.failed is not None:
        return f"the scheduler fails: {plugin_title(verdict.failed)}: {verdict.failed.status.message}"
    fitting = verdict.feasible
    if fitting:
        sure = "fits" if outcome is PlacementOutcome.FITS else "may fit"
        return f"{sure} {len(fitting)} of {counted(verdict.total, 'node')}: {listed(fitting, 5)}"
    limits = ", as far as can be seen" if outcome is PlacementOutcome.UNKNOWN else ""
    if verdict.pre_filter is not None:
        return f"fits no node{limits}: {whole_reason(verdict.pre_filter)}"
    if not verdict.total:
        return "no node could be seen" if outcome is PlacementOutcome.UNKNOWN else "the cluster has no nodes"
    if verdict.total == 1:
        return f"does not fit the only node{limits}"
    return f"fits none of {verdict.total} nodes{limits}"
