"""A placement in sentences, for the command line and the terminal UI. Foreign text is made harmless by who prints it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from kubedoctor.engine.placement import Outcome, Placement
from kubedoctor.engine.placement_table import plugin_title, whole_reason
from kubedoctor.findings import Fix
from kubedoctor.replay.scheduler import reasons
from kubedoctor.replay.scheduler.pending import PendingAnswer
from kubedoctor.replay.scheduler.self_check import Agreement


def headline(placement: Placement) -> str:
    """What a person wants to know before all else, without the pod's name."""
    match placement.outcome:
        case Outcome.SCHEDULED if not placement.node:
            return "has no pod that waits for a node"
        case Outcome.SCHEDULED:
            return f"is not pending: it was placed on node {placement.node}"
        case Outcome.ENDED:
            return "is not pending: it has ended"
    if placement.last is None:
        return "could not be replayed"
    return outcome_line(placement.last, placement.outcome)


def outcome_line(answer: PendingAnswer, outcome: Outcome) -> str:
    """One replay in one line."""
    verdict = answer.verdict
    if verdict.pre_enqueue is not None:
        return f"is held back: {verdict.pre_enqueue.status.message}"
    if verdict.failed is not None:
        return f"cannot be placed: {plugin_title(verdict.failed)} cannot decide: {verdict.failed.status.message}"
    fitting = verdict.feasible
    if fitting:
        sure = "fits" if outcome is Outcome.FITS else "may fit"
        return f"{sure} on {len(fitting)} of {verdict.total} nodes: {some(fitting, 5)}"
    if verdict.pre_filter is not None:
        return f"fits nowhere, whichever node: {whole_reason(verdict.pre_filter)}"
    if not verdict.total:
        return "fits nowhere: there are no nodes" if outcome is not Outcome.UNKNOWN else "no node could be seen"
    seen = " that were seen" if outcome is Outcome.UNKNOWN else ""
    return (
        f"fits on none of {verdict.total} nodes{seen}" if verdict.total != 1 else f"does not fit on the one node{seen}"
    )


def agreement_lines(answer: PendingAnswer) -> Iterator[str]:
    """Whether the scheduler says the same, and its own words."""
    said = f'"{answer.said.text}"' if answer.said is not None else ""
    comparison = answer.comparison
    match comparison.agreement:
        case Agreement.AGREES:
            yield f"the scheduler says the same: {said}"
        case Agreement.STALE:
            newer = some([str(name) for name in comparison.changed], 3)
            yield f"the scheduler's words are older than {newer or 'a change of the nodes'}: {said}"
        case Agreement.DIFFERS:
            yield f"the scheduler says otherwise: {said}"
        case Agreement.NOT_REPLAYED:
            yield f"the scheduler speaks of what is not replayed: {said}"
        case Agreement.NO_MESSAGE:
            yield "no scheduler has said anything about it yet"
    if comparison.agreement in (Agreement.DIFFERS, Agreement.STALE):
        for one in comparison.differences:
            detail = f" {one.detail}" if one.detail else ""
            yield f"{one.obstacle.value}{detail}: it counts {one.said}, the replay {one.replayed}"


def preemption_lines(answer: PendingAnswer) -> Iterator[str]:
    """Whether making room would help, whom it would cost, and why not."""
    tried = answer.preemption
    if tried is None or answer.verdict.pre_filter is not None:
        return
    if tried.not_eligible:
        yield f"is not tried: {tried.not_eligible.rstrip('.')}"
        return
    if not tried.candidates:
        yield "would not help: " + "; ".join(_useless(answer)) if answer.verdict.nodes else "would not help"
        return
    best = next(one for one in tried.candidates if one.node == tried.best[0])
    victims = some([f"{one.namespace}/{one.name}" for one in best.victims], 5)
    against = ", against a PodDisruptionBudget" if best.violations else ""
    yield f"would help: on node {best.node}, evicting {victims}{against}"
    others = len(tried.candidates) - 1
    if others:
        yield f"and on {others} other {'node' if others == 1 else 'nodes'}"


def _useless(answer: PendingAnswer) -> Iterator[str]:
    tried = answer.preemption
    rejected = tried.rejected if tried is not None else ()
    final = answer.verdict.total - len(rejected)
    if final:
        yield f"on {_nodes(final)} no pod's leaving would change anything"
    for text, count in sorted(Counter(one.status.message for _, one in rejected).items()):
        why = "no pod has a lower priority" if text == reasons.NO_VICTIMS else f"still {text}"
        yield f"on {_nodes(count)} {why}"


def _nodes(count: int) -> str:
    return f"{count} {'node' if count == 1 else 'nodes'}"


def fix_line(fix: Fix) -> str:
    """A fix, marked where a replay has proven it."""
    return f"{'✓' if fix.verified else '·'} {fix.summary}"


def some(names: Iterable[str], most: int) -> str:
    """`a, b and 4 more`."""
    every = list(names)
    shown = ", ".join(every[:most])
    return shown if len(every) <= most else f"{shown} and {len(every) - most} more"
