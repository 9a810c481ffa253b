"""The counts of a replay against those of the scheduler's message, over the wordings of all releases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from kubedoctor.replay.scheduler.cycle import Verdict
from kubedoctor.replay.scheduler.messages import Obstacle, Reason, SchedulingMessage, parse_message

_BY_PLUGIN = {"NodeAffinity": Obstacle.NODE_AFFINITY, "NodeName": Obstacle.NODE_NAME}
_UNNAMED = (Obstacle.TAINT, Obstacle.PLUGINS)
"""Reasons whose detail some releases leave out."""

_Key = tuple[Obstacle, str]


class Difference(msgspec.Struct, frozen=True):
    """A reason that the two count differently; 0 where one does not give it. detail: as in `Reason`."""

    obstacle: Obstacle
    said: int
    replayed: int
    detail: str = ""


class CountAgreement(msgspec.Struct, frozen=True):
    """nodes_said: None where the message does not count nodes. feasible: nodes that take the pod in the replay."""

    nodes_said: int | None
    nodes_replayed: int
    differences: tuple[Difference, ...] = ()
    feasible: tuple[str, ...] = ()

    @property
    def is_full(self) -> bool:
        """The same reasons for as many nodes of the same number."""
        return not self.differences and not self.feasible and self.nodes_said in (None, self.nodes_replayed)


def agreement(verdict: Verdict, said: SchedulingMessage) -> CountAgreement:
    """Compare; a reason for the pod as a whole counts as one. Preemption is left out."""
    replayed = parse_message(verdict.message).reasons if verdict.message else ()
    both = (*said.reasons, *replayed)
    vague = {one.obstacle for one in both if one.obstacle in _UNNAMED and not one.detail}
    by_words = any(one.obstacle in _BY_PLUGIN.values() for one in both)
    first = _counted(said.reasons, vague, by_words=by_words)
    second = _counted(replayed, vague, by_words=by_words)
    differences = tuple(
        Difference(obstacle, first[obstacle, detail], second[obstacle, detail], detail)
        for obstacle, detail in sorted(first.keys() | second.keys(), key=lambda key: (key[0].value, key[1]))
        if first[obstacle, detail] != second[obstacle, detail]
    )
    return CountAgreement(said.nodes, verdict.total, differences, verdict.feasible)


def _counted(found: Iterable[Reason], vague: set[Obstacle], *, by_words: bool) -> Counter[_Key]:
    """by_words: a plugin's own words may stand for its name (before 1.29, nodes that the pod does not ask for)."""
    counts: Counter[_Key] = Counter()
    for one in found:
        obstacle, detail = one.obstacle, one.detail
        if obstacle is Obstacle.PLUGINS and by_words and detail in _BY_PLUGIN:
            obstacle, detail = _BY_PLUGIN[detail], ""
        elif obstacle in vague:
            detail = ""
        elif obstacle is Obstacle.OTHER:
            detail = one.text
        counts[obstacle, detail] += 1 if one.count is None else one.count
    return counts
