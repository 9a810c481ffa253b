"""A pod that is deleted to make room comes back, and needs a node as well."""

from __future__ import annotations

from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.replay.scheduler.counterfactuals import Situation
from kubedoctor.replay.scheduler.counterfactuals.displaced import displaced
from kubedoctor.replay.scheduler.snapshot import ClusterState
from tests.replay.scheduler.counterfactuals.cases import node, pod

OLD, OTHER = pod("old", on="a", requests={"cpu": "3"}), pod("other", on="a", requests={"cpu": "3"})


def state(*names: str) -> ClusterState:
    return ClusterState.of([node(name) for name in names], [])


def test_it_finds_another_node_or_none() -> None:
    waiting = pod("new", requests={"cpu": "3"})
    assert displaced([OLD], Situation(waiting, state("a", "b")), "a") == ()
    assert displaced([OLD], Situation(waiting, state("a")), "a") == (Ref("Pod", "d", "old"),)


def test_two_that_come_back_do_not_share_a_place() -> None:
    after = Situation(pod("new", requests={"cpu": "3"}), state("a", "b"))
    assert displaced([OLD, OTHER], after, "a") == (Ref("Pod", "d", "other"),)


def test_a_small_one_fits_beside_the_pod() -> None:
    after = Situation(pod("new", requests={"cpu": "1"}), state("a"))
    assert displaced([OLD], after, "a") == ()


def test_the_state_stays_as_it_is() -> None:
    before = state("a", "b")
    assert [len(known.pods) for known in before.with_pod(OLD, "a").nodes] == [1, 0]
    assert [len(known.pods) for known in before.nodes] == [0, 0]
