"""What a plugin says is recognised as what it meant, whichever release says it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from kubedoctor.cluster.grammar.versions import Version
from kubedoctor.replay.scheduler import profile
from kubedoctor.replay.scheduler.cycle import counted_reasons, schedule
from kubedoctor.replay.scheduler.framework import OTHER, Reason
from kubedoctor.replay.scheduler.preemption import preempt, rejection_counts
from kubedoctor.replay.scheduler.releases import release_of
from kubedoctor.replay.scheduler.said.messages import parse_message
from tests.replay.scheduler.counterfactuals.cases import pending


def known(reasons: tuple[Reason, ...]) -> Counter[object]:
    """Without the texts of those that are not recognised."""
    return Counter((one.count, one.obstacle, one.detail) for one in reasons if one.obstacle is not OTHER)


@pytest.mark.parametrize("release", ["v1.28.0", "v1.34.1", "v1.36.0", "v1.37.2"])
def test_messages_say_what_the_verdict_holds(shared: Path, release: str) -> None:
    met: Counter[str] = Counter()
    for row in pending(shared, most=250, every=4):
        pod, state = row.situation.pod, row.situation.state
        state.release = release_of(Version.parse(release))
        verdict = schedule(pod, state)
        if verdict.pre_enqueue is not None or verdict.feasible or verdict.failed:
            continue
        reasons = counted_reasons(verdict)
        assert known(parse_message(verdict.message).reasons) == known(reasons), (row.id, verdict.message)
        met.update(one.obstacle.value for one in reasons)
        tried = preempt(pod, state, verdict)
        heard = parse_message(tried.event).preemption if tried is not None else None
        if tried is not None and heard is not None and heard.reasons:
            assert known(heard.reasons) == known(rejection_counts(verdict, tried)), (row.id, tried.event)
            met["preemption"] += 1
    assert len(met) > 15, met
    assert met["preemption"] > 50, met


def test_no_text_is_claimed_by_two_plugins_for_different_obstacles() -> None:
    said = [
        "Too many pods",
        "Insufficient cpu",
        "node(s) had untolerated taint(s)",
        "node(s) were unschedulable",
        'persistentvolumeclaim "data" not found',
        "node(s) didn't match pod topology spread constraints (missing required label)",
        "node(s) exceed max volume count",
        "cannot allocate all claims",
    ]
    for text in said:
        assert len({obstacle for pattern, obstacle in profile.patterns() if pattern.fullmatch(text)}) == 1, text
