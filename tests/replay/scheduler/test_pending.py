"""Why a pod is pending, and whether the scheduler says the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from kubedoctor.cluster import CannotSee, Cluster, Event, Node, NotCollected, Pod, Snapshot, Source, Want
from kubedoctor.cluster.kinds.core import NodeStatus
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.storage import CSIDriver, CSINode
from kubedoctor.replay.scheduler.pending import explain_pending
from kubedoctor.replay.scheduler.plugins.node_resources_fit import RESOURCE, TOO_MANY_PODS
from kubedoctor.replay.scheduler.preemption import NO_VICTIMS, PREEMPTION_USELESS
from kubedoctor.replay.scheduler.said.self_check import Agreement

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=3)
SPOKE = NOW - timedelta(hours=1)
SMALL = "0/1 nodes are available: 1 Insufficient cpu."


def node(name: str, cpu: str = "1", created: datetime = LONG_AGO) -> Node:
    status = {"allocatable": {"cpu": cpu, "memory": "4Gi", "pods": "10"}}
    return msgspec.convert({"metadata": {"name": name, "creationTimestamp": created}, "status": status}, Node)


def pod(message: str = "", reason: str = "Unschedulable", **spec: Any) -> Pod:
    stated = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
    return msgspec.convert(
        {
            "metadata": {"name": "p", "namespace": "d", "uid": "1", "creationTimestamp": SPOKE},
            "spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": "2"}}}], **spec},
            "status": {"conditions": [{**stated, "lastTransitionTime": SPOKE}] if message else []},
        },
        Pod,
    )


def event(message: str, at: datetime, component: str = "default-scheduler") -> Event:
    return msgspec.convert(
        {
            "metadata": {"name": f"p.{at.timestamp()}", "namespace": "d"},
            "involvedObject": {"kind": "Pod", "namespace": "d", "name": "p"},
            "reason": "FailedScheduling",
            "message": message,
            "lastTimestamp": at,
            "reportingComponent": component,
        },
        Event,
    )


def cluster(*objects: KubernetesObject) -> Cluster:
    snapshot = Snapshot(NOW, Source("files", "test", "v1.37.2"), complete=True)
    snapshot.add(objects)
    return Cluster(snapshot)


def test_preemption_that_is_told_otherwise_leaves_the_filters_in_agreement() -> None:
    useless = " preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    taken = "0/1 nodes are available: 1 Too many pods."
    waiting = pod(taken + useless)
    full = msgspec.structs.replace(
        node("a", "4"), status=msgspec.convert({"allocatable": {"cpu": "4", "pods": "1"}}, NodeStatus)
    )
    guest = msgspec.convert(
        {
            "metadata": {"name": "g", "namespace": "d", "creationTimestamp": LONG_AGO},
            "spec": {"nodeName": "a", "containers": []},
        },
        Pod,
    )
    compared = explain_pending(waiting, cluster(full, guest, waiting)).comparison
    assert (compared.agreement, compared.preemption) == (Agreement.AGREES, Agreement.DIFFERS)
    assert {(one.obstacle, one.said, one.replayed) for one in compared.preemption_differences} == {
        (PREEMPTION_USELESS, 1, 0),
        (NO_VICTIMS, 0, 1),
    }
    newer = msgspec.structs.replace(guest, metadata=msgspec.structs.replace(guest.metadata, creation_timestamp=NOW))
    later = explain_pending(waiting, cluster(full, newer, waiting)).comparison
    assert (later.agreement, later.preemption) == (Agreement.AGREES, Agreement.STALE)
    silent = pod(taken)
    assert explain_pending(silent, cluster(full, guest, silent)).comparison.preemption is Agreement.NO_MESSAGE


def test_the_same_counts_agree() -> None:
    waiting = pod(SMALL)
    answer = explain_pending(waiting, cluster(node("a"), waiting))
    assert answer.agreement is Agreement.AGREES
    assert answer.said is not None
    assert answer.said.at == SPOKE
    assert [group.names for group in answer.groups] == [("a",)]
    assert answer.preemption is not None


def test_other_counts_differ_as_long_as_nothing_has_changed() -> None:
    waiting = pod("0/1 nodes are available: 1 Too many pods.")
    compared = explain_pending(waiting, cluster(node("a"), waiting)).comparison
    assert compared.agreement is Agreement.DIFFERS
    assert {(one.obstacle, one.said, one.replayed) for one in compared.differences} == {
        (TOO_MANY_PODS, 1, 0),
        (RESOURCE, 0, 1),
    }


def test_a_node_that_came_later_makes_the_message_stale() -> None:
    waiting = pod(SMALL)
    answer = explain_pending(waiting, cluster(node("a"), node("b", "8", NOW - timedelta(minutes=5)), waiting))
    assert answer.agreement is Agreement.STALE
    assert [str(name) for name in answer.comparison.changed] == ["Node/b"]
    assert answer.comparison.changed_at == NOW - timedelta(minutes=5)
    assert answer.verdict.feasible == ("b",)


def test_a_node_that_is_gone_makes_the_message_stale() -> None:
    waiting = pod("0/2 nodes are available: 2 Insufficient cpu.")
    answer = explain_pending(waiting, cluster(node("a"), waiting))
    assert (answer.agreement, answer.comparison.nodes_then) == (Agreement.STALE, 2)


def test_an_event_with_the_same_words_says_when_they_were_last_true() -> None:
    waiting = pod("0/1 nodes are available: 1 Too many pods.")
    later = event("0/1 nodes are available: 1 Too many pods.", NOW - timedelta(minutes=1))
    grown = node("a", created=NOW - timedelta(minutes=30))
    answer = explain_pending(waiting, cluster(grown, waiting, later))
    assert answer.agreement is Agreement.DIFFERS
    assert explain_pending(waiting, cluster(grown, waiting)).agreement is Agreement.STALE


def test_the_newest_event_of_a_scheduler_speaks_where_the_condition_does_not() -> None:
    waiting = pod()
    seen = cluster(
        node("a"),
        waiting,
        event("0/9 nodes are available: 9 Too many pods.", NOW - timedelta(minutes=9)),
        event(SMALL, NOW - timedelta(minutes=5)),
        event("no nodepool matched", NOW - timedelta(minutes=1), "karpenter"),
    )
    answer = explain_pending(waiting, seen)
    assert answer.said is not None
    assert (answer.said.text, answer.agreement) == (SMALL, Agreement.AGREES)


def test_silence_is_told() -> None:
    waiting = pod()
    answer = explain_pending(waiting, cluster(node("a"), waiting))
    assert (answer.said, answer.agreement) == (None, Agreement.NO_MESSAGE)
    assert [group.names for group in answer.groups] == [("a",)]


@pytest.mark.parametrize(
    ("message", "spec"),
    [
        ('running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded', {}),
        ("0/1 nodes are available: 1 cannot allocate all claims.", {"resourceClaims": [{"name": "gpu"}]}),
    ],
)
def test_what_is_not_replayed_is_neither_confirmed_nor_denied(message: str, spec: dict[str, Any]) -> None:
    waiting = pod(message, **spec)
    assert explain_pending(waiting, cluster(node("a"), waiting)).agreement is Agreement.NOT_REPLAYED


def test_gates_agree_with_the_condition_that_names_them() -> None:
    waiting = pod("Scheduling is blocked due to non-empty scheduling gates", "SchedulingGated")
    gated = msgspec.structs.replace(
        waiting, spec=msgspec.convert({"schedulingGates": [{"name": "g"}], "containers": []}, type(waiting.spec))
    )
    assert explain_pending(gated, cluster(node("a"), gated)).agreement is Agreement.AGREES


def test_all_is_asked_for_in_one_round() -> None:
    snapshot = Snapshot(NOW, Source("live", "test", "v1.37.2"))
    with pytest.raises(NotCollected) as missing:
        explain_pending(pod(SMALL), Cluster(snapshot))
    assert {want.kind for want in missing.value.wants if isinstance(want, Want)} == {
        "Node",
        "Pod",
        "Namespace",
        "PodDisruptionBudget",
        "Event",
    }


def test_storage_is_asked_for_where_the_pod_has_a_claim() -> None:
    volume = {"name": "v", "persistentVolumeClaim": {"claimName": "c"}}
    with pytest.raises(NotCollected) as missing:
        explain_pending(pod(SMALL, volumes=[volume]), Cluster(Snapshot(NOW, Source("live", "test", "v1.37.2"))))
    kinds = {want.kind for want in missing.value.wants if isinstance(want, Want)}
    assert {"PersistentVolumeClaim", "PersistentVolume", "StorageClass", "CSINode", "CSIStorageCapacity"} <= kinds


def term(selector: dict[str, Any] | None, labels: dict[str, str] | None = None) -> list[dict[str, Any]]:
    found = {"topologyKey": "zone", "labelSelector": {"matchLabels": labels or {}}}
    return [{**found, **({} if selector is None else {"namespaceSelector": selector})}]


def affinity(part: str, terms: list[dict[str, Any]], how: str = "required") -> dict[str, Any]:
    return {part: {f"{how}DuringSchedulingIgnoredDuringExecution": terms}}


SOME = {"matchLabels": {"team": "pay"}}


@pytest.mark.parametrize(
    ("own", "placed", "unseen"),
    [
        ({}, {}, ()),
        (affinity("podAffinity", term(SOME)), {}, ("Namespace",)),
        (affinity("podAntiAffinity", term(SOME)), {}, ("Namespace",)),
        (affinity("podAntiAffinity", [{"weight": 1, "podAffinityTerm": term(SOME)[0]}], "preferred"), {}, ()),
        (affinity("podAntiAffinity", term({})), {}, ()),
        (affinity("podAntiAffinity", term(None)), {}, ()),
        ({}, affinity("podAntiAffinity", term(SOME)), ("Namespace",)),
        ({}, affinity("podAntiAffinity", term(SOME, {"app": "other"})), ()),
        ({}, affinity("podAntiAffinity", term({})), ()),
        ({}, affinity("podAntiAffinity", term(None)), ()),
        ({}, affinity("podAffinity", term(SOME)), ()),
    ],
)
@pytest.mark.parametrize("status", [{}, {"nominatedNodeName": "a"}])
def test_labels_of_namespaces_matter_only_where_pods_are_found_by_them(
    own: dict[str, Any], placed: dict[str, Any], unseen: tuple[str, ...], status: dict[str, str]
) -> None:
    waiting = pod(SMALL, affinity=own)
    there = {"affinity": placed, "containers": [], "nodeName": "" if status else "a"}
    guest = {"metadata": {"name": "g", "namespace": "other"}, "spec": there, "status": status}
    blind = cluster(node("a"), waiting, msgspec.convert(guest, Pod))
    blind.snapshot.refuse(Want("Namespace"), "namespaces is forbidden")
    assert explain_pending(waiting, blind).unseen == unseen


def test_nodes_are_essential_and_budgets_are_not() -> None:
    waiting = pod(SMALL)
    blind = cluster(node("a"), waiting)
    blind.snapshot.refuse(Want("PodDisruptionBudget"), "poddisruptionbudgets is forbidden")
    assert explain_pending(waiting, blind).unseen == ()
    blind.snapshot.refuse(Want("Node"), "nodes is forbidden")
    with pytest.raises(CannotSee):
        explain_pending(waiting, Cluster(blind.snapshot))


@pytest.mark.parametrize("reports", [False, True])
@pytest.mark.parametrize("limits", [False, True])
def test_of_storage_only_what_filters_ask_for_counts_as_unseen(reports: bool, limits: bool) -> None:
    waiting = pod(SMALL, volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}])
    driver = msgspec.convert({"metadata": {"name": "d"}, "spec": {"storageCapacity": reports}}, CSIDriver)
    counted = {"name": "d", "nodeID": "a", "allocatable": {"count": 3} if limits else {}}
    csi_node = msgspec.convert({"metadata": {"name": "a"}, "spec": {"drivers": [counted]}}, CSINode)
    blind = cluster(node("a"), waiting, driver, csi_node)
    for kind in ("CSIStorageCapacity", "VolumeAttachment", "StorageClass"):
        blind.snapshot.refuse(Want(kind), "forbidden")
    wanted = (
        {"StorageClass"} | ({"CSIStorageCapacity"} if reports else set()) | ({"VolumeAttachment"} if limits else set())
    )
    assert set(explain_pending(waiting, blind).unseen) == wanted


def test_replicas_share_an_answer() -> None:
    first = pod()
    second = msgspec.structs.replace(first, metadata=msgspec.structs.replace(first.metadata, name="q", uid="2"))
    here = cluster(node("a"), first, second)
    assert explain_pending(first, here).verdict is explain_pending(second, here).verdict
    other = pod(tolerations=[{"operator": "Exists"}])
    assert explain_pending(other, here).verdict is not explain_pending(first, here).verdict
