"""How releases word the same decision."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.grammar.versions import Version
from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim
from kubedoctor.replay.scheduler.cycle import schedule
from kubedoctor.replay.scheduler.plugins.taint_toleration import TAINT
from kubedoctor.replay.scheduler.preemption import preempt
from kubedoctor.replay.scheduler.profile import default_plugins
from kubedoctor.replay.scheduler.releases import LATEST, release_of
from kubedoctor.replay.scheduler.said.messages import parse_message
from kubedoctor.replay.scheduler.snapshot import ClusterState


def said(release: str, spec: dict[str, Any], node_spec: dict[str, Any], status: dict[str, Any] | None = None) -> str:
    """The whole event of a pod before one node `a`."""
    allocatable = {"cpu": "1", "memory": "4Gi", "pods": "10"}
    node = msgspec.convert({"metadata": {"name": "a"}, "spec": node_spec, "status": {"allocatable": allocatable}}, Node)
    pod = msgspec.convert({"metadata": {"name": "p", "namespace": "d"}, "spec": spec, "status": status or {}}, Pod)
    state = ClusterState.of([node], [], release=release_of(Version.parse(release)))
    tried = preempt(pod, state, schedule(pod, state))
    assert tried is not None
    return tried.event


TAINTED: dict[str, Any] = {"taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]}
USELESS = "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."


@pytest.mark.parametrize(
    ("release", "event"),
    [
        ("v1.28.0", f"0/1 nodes are available: 1 node(s) had untolerated taint {{gpu: yes}}. {USELESS}"),
        (
            "v1.34.1",
            "0/1 nodes are available: 1 node(s) had untolerated taint {gpu: yes}. "
            f"no new claims to deallocate, {USELESS}",
        ),
        (
            "v1.36.0",
            f"0/1 nodes are available: 1 node(s) had untolerated taint(s). no new claims to deallocate, {USELESS}",
        ),
        ("v1.37.2", f"0/1 nodes are available: 1 node(s) had untolerated taint(s). {USELESS}"),
    ],
)
def test_an_untolerated_taint(release: str, event: str) -> None:
    assert said(release, {}, TAINTED) == event
    reason = parse_message(event).reasons[0]
    assert (reason.obstacle, reason.count) == (TAINT, 1)


@pytest.mark.parametrize(
    ("release", "victims"),
    [
        ("v1.33.0", "1 No preemption victims found for incoming pod."),
        ("v1.37.2", "1 Preemption is not helpful for scheduling."),
    ],
)
def test_more_than_the_node_has_rules_out_preemption_since_1_34(release: str, victims: str) -> None:
    spec = {"containers": [{"name": "a", "resources": {"requests": {"cpu": "2"}}}]}
    event = said(release, spec, {})
    assert event.startswith("0/1 nodes are available: 1 Insufficient cpu. ")
    assert event.endswith(victims)


@pytest.mark.parametrize(
    ("release", "reason"),
    [
        ("v1.36.0", "1 node(s) didn't match the requested node name."),
        ("v1.37.0", "1 node(s) didn't satisfy plugin(s) [NodeName]."),
    ],
)
def test_a_node_that_the_pod_does_not_name(release: str, reason: str) -> None:
    assert said(release, {"nodeName": "b"}, {}).startswith(f"0/1 nodes are available: {reason} ")


def test_the_order_of_plugins() -> None:
    old, new = (
        [one.name for one in default_plugins(release_of(Version.parse(text)))] for text in ("v1.30.1", "v1.37.2")
    )
    assert old[:2] == ["NodeUnschedulable", "NodeName"]
    assert new[:2] == ["NodeName", "NodeUnschedulable"]
    assert "NodeDeclaredFeatures" not in old
    assert new[-1] == "NodeDeclaredFeatures"


def test_an_unknown_or_newer_version_counts_as_the_latest() -> None:
    assert release_of(None) is release_of(Version.parse("v1.40.0")) is LATEST
    assert release_of(Version.parse("v1.21.0")).minor == 28
    assert "{gpu: yes}" in said("v1.34.1", {}, TAINTED)
    assert "{gpu: yes}" not in said("v1.34.2", {}, TAINTED)


@pytest.mark.parametrize(
    ("release", "words"),
    [
        ("v1.33.0", "node(s) had volume node affinity conflict"),
        ("v1.34.0", "node(s) didn't match PersistentVolume's node affinity"),
    ],
)
def test_a_volume_that_the_node_does_not_reach(release: str, words: str) -> None:
    term = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["elsewhere"]}]}
    volume = {"metadata": {"name": "v"}, "spec": {"nodeAffinity": {"required": {"nodeSelectorTerms": [term]}}}}
    bound = {"name": "c", "namespace": "d", "annotations": {"pv.kubernetes.io/bind-completed": "yes"}}
    state = ClusterState.of(
        [msgspec.convert({"metadata": {"name": "a"}, "status": {"allocatable": {"pods": "10"}}}, Node)],
        [],
        volumes=[msgspec.convert(volume, PersistentVolume)],
        claims=[msgspec.convert({"metadata": bound, "spec": {"volumeName": "v"}}, PersistentVolumeClaim)],
        release=release_of(Version.parse(release)),
    )
    mount = [{"name": "data", "persistentVolumeClaim": {"claimName": "c"}}]
    pod = msgspec.convert({"metadata": {"name": "p", "namespace": "d"}, "spec": {"volumes": mount}}, Pod)
    assert schedule(pod, state).message == f"0/1 nodes are available: 1 {words}."
