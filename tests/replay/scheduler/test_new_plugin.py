"""A plugin that is one class and one line of the profile: all that is known of plugins knows it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import msgspec
import pytest

from kubedoctor.cluster import Cluster, Snapshot, Source
from kubedoctor.cluster.changes import Operation, Step
from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.replay.scheduler import profile
from kubedoctor.replay.scheduler.counterfactuals import Edit, Kind, Situation, counterfactuals
from kubedoctor.replay.scheduler.cycle import schedule
from kubedoctor.replay.scheduler.framework import (
    SKIPPED,
    SUCCESS,
    NodeFilter,
    Obstacle,
    Plugin,
    Prepared,
    Status,
    Wording,
    reason,
    unresolvable,
)
from kubedoctor.replay.scheduler.many.by_classes import by_classes
from kubedoctor.replay.scheduler.many.equivalence import equivalence_key
from kubedoctor.replay.scheduler.many.node_classes import Grouping, NodeClasses
from kubedoctor.replay.scheduler.observed import kinds_for, observe
from kubedoctor.replay.scheduler.releases import LATEST
from kubedoctor.replay.scheduler.remedies.edited import edited
from kubedoctor.replay.scheduler.remedies.edits import Remedy
from kubedoctor.replay.scheduler.said.agreement import agreement
from kubedoctor.replay.scheduler.said.messages import parse_message
from kubedoctor.replay.scheduler.said.unseen_refusals import rests_on_unseen
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo
from tests.replay.scheduler.counterfactuals.cases import node, pod

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
QUIET: Final = Obstacle("noisy node")


def wish(pod: Pod) -> str:
    return pod.annotations.get("quiet", "")


class QuietNodes(Plugin):
    """Pods with the annotation `quiet` go to nodes with the label `quiet`."""

    name = "QuietNodes"
    reads = (Service,)
    pod_parts = (wish,)
    wordings = (Wording(r"node\(s\) were noisier than (?P<detail>\S+)", QUIET),)

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        return Prepared(SUCCESS, _Filter(wish(pod))) if wish(pod) else SKIPPED

    def remedies(self, pod: Pod, state: ClusterState, node: NodeInfo, status: Status) -> list[Remedy]:
        steps = (Step(("metadata", "annotations", "quiet"), remove=True),)
        return [(Edit(Kind.DROP_SELECTOR, ref(pod), (Operation(ref(pod), steps),), ("quiet",)),)]


class _Filter(NodeFilter):
    asked = 0

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted

    def check(self, node: NodeInfo) -> Status:
        type(self).asked += 1
        if "quiet" in node.labels:
            return SUCCESS
        return unresolvable(reason(QUIET, f"node(s) were noisier than {self.wanted}", self.wanted))

    def alike(self, classes: NodeClasses) -> Grouping:
        return classes.by_labels(("quiet",))


def quiet_pod(level: str = "40dB") -> Pod:
    return pod(metadata={"annotations": {"quiet": level}})


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "PLUGINS", (*profile.PLUGINS, QuietNodes()))


NOISY: Final = ClusterState.of([node("a"), node("b")], [])


def test_it_decides_in_the_cycle() -> None:
    assert schedule(quiet_pod(), NOISY).message == "0/2 nodes are available: 2 node(s) were noisier than 40dB."
    assert schedule(pod(), NOISY).feasible == ("a", "b")
    quiet = ClusterState.of([node("a", labels={"quiet": "yes"}), node("b")], [])
    assert schedule(quiet_pod(), quiet).feasible == ("a",)


def test_its_reason_is_known_in_the_scheduler_s_message() -> None:
    said = parse_message("0/2 nodes are available: 2 node(s) were noisier than 40dB.")
    assert [(one.count, one.obstacle, one.detail) for one in said.reasons] == [(2, QUIET, "40dB")]
    assert agreement(schedule(quiet_pod(), NOISY), said).is_full


def test_pods_are_told_apart_by_what_it_reads() -> None:
    assert equivalence_key(quiet_pod("40dB")) != equivalence_key(quiet_pod("50dB"))
    assert equivalence_key(quiet_pod()) == equivalence_key(msgspec.structs.replace(quiet_pod()))


def test_nodes_that_it_cannot_tell_apart_are_asked_once() -> None:
    many = ClusterState.of([node(f"n{number}") for number in range(40)], [])
    waiting, classes = quiet_pod(), NodeClasses(many)
    before = _Filter.asked
    verdict = by_classes(waiting, many, classes)
    assert _Filter.asked == before + len(classes.by_class.examples) == before + 1
    assert verdict == schedule(waiting, many)


def test_its_remedy_is_found_and_tried() -> None:
    waiting = quiet_pod()
    changes = counterfactuals(Situation(waiting, NOISY), schedule(waiting, NOISY))
    assert [(change.edits[0].arguments, change.nodes) for change in changes] == [(("quiet",), ("a", "b"))]


def test_the_kinds_that_it_reads_are_asked_for_and_handed_over() -> None:
    assert Service in kinds_for(quiet_pod())
    snapshot = Snapshot(NOW, Source("files", "t", "v1.37.2"), complete=True)
    seen = Cluster(snapshot)
    service = msgspec.convert({"metadata": {"name": "s", "namespace": "d"}}, Service)
    snapshot.add([node("a"), quiet_pod(), service])
    state = observe(quiet_pod(), seen).state
    assert state.all_of(Service) == (service,)
    assert edited(quiet_pod(), state, ())[1].all_of(Service) == (service,)
    verdict = schedule(quiet_pod(), NOISY)
    assert rests_on_unseen(verdict, ["Service"])
    assert not rests_on_unseen(verdict, ["Namespace"])


def test_it_comes_last_and_by_its_name() -> None:
    assert [plugin.name for plugin in profile.default_plugins(LATEST)][-1] == QuietNodes.name
    assert profile.plugin_named(QuietNodes.name) is profile.PLUGINS[-1]
