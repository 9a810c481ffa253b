"""Nodes that came and went since the scheduler counted them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kubedoctor.answers.placement.outcome import agreement_lines
from kubedoctor.cluster import NotCollected, Snapshot, Source, Want
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.replay.scheduler.pending import PendingAnswer, explain_pending
from tests.replay.scheduler.test_pending import LONG_AGO, NOW, SPOKE, cluster, node, pod


def answered(message: str, *others: KubernetesObject) -> PendingAnswer:
    waiting = pod(message)
    return explain_pending(waiting, cluster(waiting, *others))


def test_the_newest_nodes_are_those_that_came() -> None:
    small = "0/1 nodes are available: 1 Insufficient cpu."
    later = NOW - timedelta(minutes=5)
    answer = answered(small, node("a"), node("b", created=later), node("c", created=LONG_AGO))
    assert answer.comparison.nodes.joined == ("b", "c")
    assert "2 nodes have joined since: b, c" in list(agreement_lines(answer))


def test_nodes_that_are_gone_are_counted_and_named_where_anything_names_them() -> None:
    many = "0/3 nodes are available: 3 Insufficient cpu."
    answer = answered(many, node("a"))
    assert (answer.comparison.nodes.left, answer.comparison.nodes.traces) == (2, ())
    assert "2 nodes have left since; no object names them" in list(agreement_lines(answer))


def test_the_same_number_of_nodes_tells_nothing() -> None:
    answer = answered("0/1 nodes are available: 1 Too many pods.", node("a", created=SPOKE + timedelta(minutes=1)))
    assert (answer.comparison.nodes.joined, answer.comparison.nodes.left) == ((), 0)


def test_what_names_nodes_is_asked_for_only_where_one_is_gone() -> None:
    waiting = pod("0/1 nodes are available: 1 Too many pods.")
    snapshot = Snapshot(NOW, Source("live", "test", "v1.37.2"))
    snapshot.add([waiting, node("a")])
    for kind in ("Node", "Pod", "Namespace", "PodDisruptionBudget", "Event"):
        snapshot.cover(Want(kind))
    assert explain_pending(waiting, Cluster(snapshot)).comparison.differences

    waiting = pod("0/2 nodes are available: 2 Too many pods.")
    with pytest.raises(NotCollected) as missing:
        explain_pending(waiting, Cluster(snapshot))
    assert {want.kind for want in missing.value.wants if isinstance(want, Want)} == {
        "Lease",
        "CSINode",
        "VolumeAttachment",
    }
