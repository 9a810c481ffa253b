"""A replay in sentences: whether it matches the scheduler's message, and what preemption would do.

They begin in lower case and have no full stop, so that they can follow a label.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from kubedoctor.answers.placement.reasons import short_reason
from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.grammar.text import capitalised, counted, listed
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
"""The longest message; events are truncated at this length too (`NoteLengthLimit`, `pkg/apis/core/validation`,
v1.37)."""
_MOST_DIFFERENCES = 8


def agreement_lines(answer: PendingAnswer, *, quoted: bool = True) -> Iterator[str]:
    """Whether the scheduler's message matches, the message itself where it is worth quoting, and the differences."""
    comparison = answer.comparison
    message = f': "{_shortened(answer.said.text)}"' if answer.said is not None and quoted else ""
    match comparison.agreement:
        case Agreement.NO_MESSAGE:
            yield "no scheduler has reported anything yet"
        case Agreement.AGREES:
            yield f"matches the scheduler's own message{message}"
        case Agreement.NOT_REPLAYED:
            yield f"the scheduler's message is about something that is not replayed{message}"
        case Agreement.STALE:
            yield f"the scheduler's message is out of date ({_since_then(answer)}){message}"
        case Agreement.DIFFERS:
            yield f"differs from the scheduler's message{_ago(answer)}{message}"
    if comparison.agreement in (Agreement.DIFFERS, Agreement.STALE):
        yield from node_lines(answer)
        result = _shortened(answer.verdict.message) or f"it fits {listed(answer.verdict.feasible, 3)}"
        yield f"replayed now: {result}"
        yield from _counted_otherwise(comparison.differences)
        if comparison.agreement is Agreement.DIFFERS and answer.unseen:
            yield f"not checked: {listed(answer.unseen, 5)}"


def has_other_scheduler(pod: Pod) -> bool:
    """Whether the pod names a scheduler whose rules are not known."""
    return (pod.spec.scheduler_name or DEFAULT_SCHEDULER) != DEFAULT_SCHEDULER


def other_scheduler_lines(pod: Pod) -> Iterator[str]:
    """How far the replay applies to a pod of another scheduler."""
    if has_other_scheduler(pod):
        name = pod.spec.scheduler_name
        yield f"scheduler {name}: replayed with the rules of {DEFAULT_SCHEDULER}, its own may differ"


def unproven(fixes: Iterable[Fix]) -> tuple[Fix, ...]:
    """The fixes, marked as unverified: they were tried without everything that decides, or with another scheduler's
    rules."""
    return tuple(msgspec.structs.replace(fix, verified=False) for fix in fixes)


def node_lines(answer: PendingAnswer) -> Iterator[str]:
    """Which nodes have joined or left since the scheduler counted them."""
    nodes = answer.comparison.nodes
    if nodes.joined:
        yield f"{_have(len(nodes.joined), 'joined')}: {listed(nodes.joined, 3)}"
    if not nodes.left:
        return
    text = _have(nodes.left, "left")
    traces = listed((f"{trace.node} ({ref(trace.object).title} {trace.says})" for trace in nodes.traces), 3)
    if not traces:
        yield f"{text}; no object names {'it' if nodes.left == 1 else 'them'}"
    elif len(nodes.traces) > nodes.left:
        yield f"{text}; objects still name nodes that do not exist: {traces}"
    else:
        yield f"{text}: {traces}"


def _have(count: int, verb: str) -> str:
    return f"{counted(count, 'node')} {'has' if count == 1 else 'have'} {verb} since"


def _since_then(answer: PendingAnswer) -> str:
    """The age of the message, the number of nodes that it counted, and what has changed since."""
    message_time, count = answer.said.at if answer.said is not None else None, answer.comparison.nodes_then
    changed = [change.title for change in answer.comparison.changed]
    parts = [
        f"{human_duration(answer.taken_at - message_time)} old"
        if message_time is not None and message_time <= answer.taken_at
        else ""
    ]
    parts.append(f"about {counted(count, 'node')}" if count is not None and count != answer.verdict.total else "")
    parts.append(f"{listed(changed, 3)} changed since" if changed else "")
    return "; ".join(filter(None, parts)) or "the cluster has changed since"


def _ago(answer: PendingAnswer) -> str:
    message_time = answer.said.at if answer.said is not None else None
    if message_time is None:
        return ""
    return (
        f" of {human_duration(answer.taken_at - message_time)} ago"
        if message_time <= answer.taken_at
        else " (dated in the future)"
    )


def _before(answer: PendingAnswer) -> str:
    changed = [change.title for change in answer.comparison.changed]
    return f", before {', '.join(changed[:3])}{' and others' if changed[3:] else ''} changed" if changed else ""


def _counted_otherwise(differences: Sequence[Difference]) -> Iterator[str]:
    yield from (_counted_twice(difference) for difference in differences[:_MOST_DIFFERENCES])
    if more := differences[_MOST_DIFFERENCES:]:
        yield f"{len(more)} more reasons have other counts"


def _shortened(text: str) -> str:
    """Releases that name every taint write a line for each of thousands of nodes."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _counted_twice(difference: Difference) -> str:
    detail = f" {difference.detail}" if difference.detail else ""
    return f"{difference.obstacle.value}{detail}: {difference.said} in the message, {difference.replayed} in the replay"


def preemption_lines(answer: PendingAnswer) -> Iterator[str]:
    """Whether preemption would help, which pods it would evict, or why not; read after the word preemption."""
    tried = answer.preemption
    if tried is None or answer.verdict.pre_filter is not None:
        return
    if tried.not_eligible is NotEligible.NEVER:
        yield "not tried: preemptionPolicy is Never"
    elif tried.not_eligible is not None:
        yield f"not tried again while pods end on {answer.pod.status.nominated_node_name}"
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
        how = f"differs from the scheduler's message{_ago(answer)}{_before(answer) if stale else ''}"
        counts = "; ".join(_counted_otherwise(comparison.preemption_differences))
        yield f'{how}, so this is only likely: "{_shortened(heard.text)}"{f" ({counts})" if counts else ""}'


def chosen_candidate(answer: PendingAnswer) -> Candidate | None:
    """The node where the scheduler's message says that it evicts pods, else the node where it would."""
    tried = answer.preemption
    if tried is None or not tried.candidates:
        return None
    heard = answer.said.message.preemption if answer.said is not None else None
    on_node = [candidate for candidate in tried.candidates if heard is not None and candidate.node == heard.node]
    agreed = answer.comparison.preemption is Agreement.AGREES
    return on_node[0] if on_node and agreed else tried.expected


def priority_text(answer: PendingAnswer) -> str:
    """`100 (class high)`."""
    name = answer.pod.spec.priority_class_name
    return f"{answer.pod.spec.priority or 0}{f' (class {name})' if name else ''}"


def _helpful(answer: PendingAnswer, tried: Preemption) -> Iterator[str]:
    best = chosen_candidate(answer)
    if best is None:
        return
    victims = listed([f"{victim.namespace}/{victim.name}" for victim in best.victims], 5)
    against = ", which violates a PodDisruptionBudget" if best.violations else ""
    yield f"would help: evict {victims} from node {best.node}{against}; the pod has priority {priority_text(answer)}"
    other_nodes = len(tried.candidates) - 1
    if other_nodes:
        yield f"would also help on {counted(other_nodes, 'other node')}"


def _useless(answer: PendingAnswer, tried: Preemption) -> Iterator[str]:
    final = answer.verdict.total - len(tried.rejected)
    if final:
        yield f"evicting pods from {counted(final, 'node')} does not make room"
    grouped: dict[str, list[Objection]] = {}
    for _, objection in tried.rejected:
        grouped.setdefault(objection.status.message, []).append(objection)
    for _, objections in sorted(grouped.items()):
        lower = f"no pod has a lower priority than {priority_text(answer)}"
        why = (
            lower
            if objections[0].status.has(NO_VICTIMS)
            else f"after evicting every pod with a lower priority: {short_reason(*objections)}"
        )
        yield f"on {counted(len(objections), 'node')} {why}"


def sentences(lines: Iterable[str], label: str = "") -> str:
    """The lines as sentences, each after the label."""
    texts = (capitalised(f"{label} {line}".strip()) for line in lines)
    return " ".join(text if text.endswith((".", '."')) else f"{text}." for text in texts)
