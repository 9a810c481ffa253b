"""Compares the counts of a replay with those of the scheduler's message, in the wordings of all releases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from kubedoctor.replay.scheduler import profile
from kubedoctor.replay.scheduler.cycle import PLUGINS, SchedulingVerdict, counted_reasons
from kubedoctor.replay.scheduler.framework import OTHER, Code, Obstacle, Reason
from kubedoctor.replay.scheduler.preemption import NotEligible, Preemption, rejection_counts
from kubedoctor.replay.scheduler.said.messages import SchedulingMessage, first_words

_FEWEST_CANDIDATES = 100
"""With this many nodes where preemption helps, the scheduler stops looking for others (`minCandidateNodesAbsolute`)."""

_Key = tuple[Obstacle, str]


class Difference(msgspec.Struct, frozen=True):
    """A reason with different counts in the two; 0 where one lacks it. detail: as in `Reason`."""

    obstacle: Obstacle
    said: int
    replayed: int
    detail: str = ""


class CountAgreement(msgspec.Struct, frozen=True):
    """nodes_said: None where the message does not count nodes. feasible: nodes that fit the pod in the replay."""

    nodes_said: int | None
    nodes_replayed: int
    differences: tuple[Difference, ...] = ()
    feasible: tuple[str, ...] = ()

    @property
    def is_full(self) -> bool:
        """The same reasons with the same counts, and the same number of nodes."""
        return not self.differences and not self.feasible and self.nodes_said in (None, self.nodes_replayed)


def agreement(verdict: SchedulingVerdict, message: SchedulingMessage) -> CountAgreement:
    """Compare; a reason for the pod as a whole counts as one. The missing rest of a truncated message may contain
    anything."""
    differences = _differences(message.reasons, counted_reasons(verdict))
    if message.cut:
        differences = tuple(difference for difference in differences if difference.said > difference.replayed)
    return CountAgreement(message.nodes, verdict.total, differences, verdict.feasible)


class PreemptionAgreement(msgspec.Struct, frozen=True):
    """differences: about the nodes where evicting pods does not help; empty where the two differ otherwise: in the
    node, in the number of victims, or in whether the pod may preempt at all."""

    is_full: bool
    differences: tuple[Difference, ...] = ()


def preemption_agreement(
    verdict: SchedulingVerdict, tried: Preemption | None, message: SchedulingMessage, nominated: str = ""
) -> PreemptionAgreement | None:
    """Compare preemption; None where one of the two has nothing to compare.

    nominated: the node that is reserved for the pod, where the victims may be ending already.
    """
    heard = message.preemption
    if tried is None or heard is None or verdict.unreplayed:
        return None
    if heard.node:
        going = tried.not_eligible is NotEligible.RUNNING and nominated == heard.node
        return PreemptionAgreement(going or _is_candidate(tried, heard.node, heard.victims))
    if heard.text.startswith("not eligible"):
        why = tried.not_eligible.value if tried.not_eligible is not None else ""
        return PreemptionAgreement(heard.text.rstrip(".") == why.rstrip("."))
    if not heard.reasons or tried.code is Code.ERROR:
        return None
    if tried.not_eligible is not None:
        return PreemptionAgreement(is_full=False)
    differences = _differences(heard.reasons, rejection_counts(verdict, tried))
    return PreemptionAgreement(not (differences or tried.candidates), differences)


def _is_candidate(tried: Preemption, node: str, victims: int) -> bool:
    """Whether the node may be the scheduler's choice: it chooses among the candidates that it found before it stopped;
    if there are few, it finds all."""
    candidate = next((candidate for candidate in tried.candidates if candidate.node == node), None)
    if candidate is None or len(candidate.victims) != victims:
        return False
    return node in tried.best or len(tried.candidates) > _FEWEST_CANDIDATES


def _differences(stated: Iterable[Reason], replayed: Iterable[Reason]) -> tuple[Difference, ...]:
    stated, replayed = tuple(stated), tuple(replayed)
    all_reasons = (*stated, *replayed)
    vague = {reason.obstacle for reason in all_reasons if reason.obstacle.vague and not reason.detail}
    own_words = {plugin.name: plugin.left_out_as for plugin in profile.PLUGINS if plugin.left_out_as is not None}
    by_words = own_words if any(reason.obstacle in own_words.values() for reason in all_reasons) else {}
    first = _counted(stated, vague, by_words)
    second = _counted(replayed, vague, by_words)
    return tuple(
        Difference(obstacle, first[obstacle, detail], second[obstacle, detail], detail)
        for obstacle, detail in sorted(first.keys() | second.keys(), key=lambda key: (key[0].value, key[1]))
        if first[obstacle, detail] != second[obstacle, detail]
    )


def _counted(reasons: Iterable[Reason], vague: set[Obstacle], by_words: Mapping[str, Obstacle]) -> Counter[_Key]:
    """by_words: the wording in place of a plugin's name (before 1.29, for nodes that the pod does not request)."""
    counts: Counter[_Key] = Counter()
    for reason in reasons:
        obstacle, detail = reason.obstacle, reason.detail
        if obstacle is PLUGINS and detail in by_words:
            obstacle, detail = by_words[detail], ""
        elif obstacle in vague:
            detail = ""
        elif obstacle is OTHER:
            detail = first_words(reason.text)
        counts[obstacle, detail] += 1 if reason.count is None else reason.count
    return counts
