"""A replay in sentences: whether the scheduler says the same, and what making room would do.

They begin in lower case and have no full stop, so that they can stand behind a label.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from kubedoctor.answers.placement.reasons import short_reason
from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.grammar.text import listed
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.findings.model import Fix
from kubedoctor.replay.scheduler.cycle import Objection
from kubedoctor.replay.scheduler.pending import PendingAnswer
from kubedoctor.replay.scheduler.preemption import NO_VICTIMS, Candidate, NotEligible, Preemption
from kubedoctor.replay.scheduler.said.agreement import Difference
from kubedoctor.replay.scheduler.said.self_check import Agreement
from kubedoctor.replay.scheduler.well_known import DEFAULT_SCHEDULER

_LONGEST = 1024
"""Of a message; events are cut at this length too (`NoteLengthLimit`, `pkg/apis/core/validation`, v1.37)."""
_MOST_DIFFERENCES = 8


def agreement_lines(answer: PendingAnswer, *, quoted: bool = True) -> Iterator[str]:
    """Whether the scheduler says the same, its own words if they are to be quoted, and where the two differ."""
    comparison = answer.comparison
    said = f': "{_shortened(answer.said.text)}"' if answer.said is not None and quoted else ""
    match comparison.agreement:
        case Agreement.NO_MESSAGE:
            yield "no scheduler has said anything about it yet"
        case Agreement.AGREES:
            yield f"the scheduler says the same{said or ' as its replay here'}"
        case Agreement.NOT_REPLAYED:
            yield f"the scheduler speaks of what is not replayed{said}"
        case Agreement.STALE:
            yield f"the scheduler spoke{_of_then(answer)}{_ago(answer)}{_before(answer)}{said}"
        case Agreement.DIFFERS:
            yield f"the scheduler says otherwise{_ago(answer)}{said}"
    if comparison.agreement in (Agreement.DIFFERS, Agreement.STALE):
        yield from node_lines(answer)
        seen = _shortened(answer.verdict.message) or f"{listed(answer.verdict.feasible, 3)} would take it"
        yield f"by what is seen: {seen}"
        yield from _counted_otherwise(comparison.differences)
        if comparison.agreement is Agreement.DIFFERS and answer.unseen:
            yield f"not seen: {listed(answer.unseen, 5)}"


def has_other_scheduler(pod: Pod) -> bool:
    """It names a scheduler whose rules are not known."""
    return (pod.spec.scheduler_name or DEFAULT_SCHEDULER) != DEFAULT_SCHEDULER


def other_scheduler_lines(pod: Pod) -> Iterator[str]:
    """What to know before believing the replay."""
    if has_other_scheduler(pod):
        name = pod.spec.scheduler_name
        yield f"scheduler {name}: replayed as {DEFAULT_SCHEDULER} decides, its own rules may differ"


def unproven(fixes: Iterable[Fix]) -> tuple[Fix, ...]:
    """What was tried without all that decides, or by the rules of the default scheduler for another one."""
    return tuple(msgspec.structs.replace(fix, verified=False) for fix in fixes)


def node_lines(answer: PendingAnswer) -> Iterator[str]:
    """Which nodes have come or gone since the scheduler counted them."""
    nodes = answer.comparison.nodes
    if nodes.come:
        yield f"{_have(len(nodes.come), 'come')}: {listed(nodes.come, 3)}"
    if not nodes.gone:
        return
    gone = _have(nodes.gone, "gone")
    named = listed((f"{one.node} ({ref(one.object).title} {one.says})" for one in nodes.traces), 3)
    if not named:
        yield f"{gone}; nothing names {'it' if nodes.gone == 1 else 'them'} any more"
    elif len(nodes.traces) > nodes.gone:
        yield f"{gone}; these do not exist, but are still named: {named}"
    else:
        yield f"{gone}: {named}"


def _have(count: int, done: str) -> str:
    return f"{_nodes(count)} {'has' if count == 1 else 'have'} {done} since"


def _of_then(answer: PendingAnswer) -> str:
    count = answer.comparison.nodes_then
    return f" of {_nodes(count)}" if count is not None and count != answer.verdict.total else ""


def _ago(answer: PendingAnswer) -> str:
    at = answer.said.at if answer.said is not None else None
    if at is None:
        return ""
    return f" {human_duration(answer.taken_at - at)} ago" if at <= answer.taken_at else " (its clock is ahead)"


def _before(answer: PendingAnswer) -> str:
    changed = [one.title for one in answer.comparison.changed]
    return f", before {', '.join(changed[:3])}{' and others' if changed[3:] else ''} changed" if changed else ""


def _counted_otherwise(differences: Sequence[Difference]) -> Iterator[str]:
    yield from (_counted_twice(one) for one in differences[:_MOST_DIFFERENCES])
    if left := differences[_MOST_DIFFERENCES:]:
        yield f"{len(left)} more reasons are counted differently"


def _shortened(text: str) -> str:
    """Releases that name every taint write a line for each of thousands of nodes."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _counted_twice(one: Difference) -> str:
    detail = f" {one.detail}" if one.detail else ""
    return f"{one.obstacle.value}{detail}: the scheduler counts {one.said}, the replay {one.replayed}"


def preemption_lines(answer: PendingAnswer) -> Iterator[str]:
    """Whether making room would help, whom it would cost, and why not; to be read behind the word preemption."""
    tried = answer.preemption
    if tried is None or answer.verdict.pre_filter is not None:
        return
    if tried.not_eligible is NotEligible.NEVER:
        yield "is not tried: its preemptionPolicy is Never"
    elif tried.not_eligible is not None:
        yield f"is not tried again while pods end on {answer.pod.status.nominated_node_name}"
    elif tried.candidates:
        yield from _helpful(answer, tried)
    else:
        yield "would not help: " + "; ".join(_useless(answer, tried))
    heard = answer.said.message.preemption if answer.said is not None else None
    comparison = answer.comparison
    if heard is None or comparison.agreement is not Agreement.AGREES:
        return
    if comparison.preemption in (Agreement.DIFFERS, Agreement.STALE):
        stale = comparison.preemption is Agreement.STALE
        how = f"was judged otherwise by the scheduler{_ago(answer)}{_before(answer) if stale else ''}"
        counts = "; ".join(_counted_otherwise(comparison.preemption_differences))
        yield f'{how}, so this part is only likely: "{_shortened(heard.text)}"{f" ({counts})" if counts else ""}'


def chosen_candidate(answer: PendingAnswer) -> Candidate | None:
    """Where the scheduler makes room by its own words, else where it would."""
    tried = answer.preemption
    if tried is None or not tried.candidates:
        return None
    heard = answer.said.message.preemption if answer.said is not None else None
    named = [one for one in tried.candidates if heard is not None and one.node == heard.node]
    agreed = answer.comparison.preemption is Agreement.AGREES
    return named[0] if named and agreed else next(one for one in tried.candidates if one.node == tried.best[0])


def priority_text(answer: PendingAnswer) -> str:
    """`100 (class high)`."""
    name = answer.pod.spec.priority_class_name
    return f"{answer.pod.spec.priority or 0}{f' (class {name})' if name else ''}"


def _helpful(answer: PendingAnswer, tried: Preemption) -> Iterator[str]:
    best = chosen_candidate(answer)
    if best is None:
        return
    victims = listed([f"{one.namespace}/{one.name}" for one in best.victims], 5)
    against = ", against a PodDisruptionBudget" if best.violations else ""
    yield f"would help: on node {best.node}, evicting {victims}{against}; its priority is {priority_text(answer)}"
    others = len(tried.candidates) - 1
    if others:
        yield f"would help on {others} other {'node' if others == 1 else 'nodes'} too"


def _useless(answer: PendingAnswer, tried: Preemption) -> Iterator[str]:
    final = answer.verdict.total - len(tried.rejected)
    if final:
        yield f"on {_nodes(final)} no pod's leaving would change anything"
    grouped: dict[str, list[Objection]] = {}
    for _, one in tried.rejected:
        grouped.setdefault(one.status.message, []).append(one)
    for _, same in sorted(grouped.items()):
        lower = f"no pod has a lower priority than its {priority_text(answer)}"
        why = lower if same[0].status.has(NO_VICTIMS) else f"with every less important pod gone: {short_reason(*same)}"
        yield f"on {_nodes(len(same))} {why}"


def _nodes(count: int) -> str:
    return f"{count} {'node' if count == 1 else 'nodes'}"


def sentences(lines: Iterable[str], label: str = "") -> str:
    """As prose, each line behind the label."""
    made = []
    for line in lines:
        text = f"{label} {line}".strip()
        made.append(text[:1].upper() + text[1:] + ("" if text.endswith((".", '."')) else "."))
    return " ".join(made)
