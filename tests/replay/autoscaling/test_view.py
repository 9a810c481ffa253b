"""What is read for a pod, and what is concluded where events, status and claims speak together."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kubedoctor.answers.placement.autoscaler import autoscaler_evidence, autoscaler_lines
from kubedoctor.cluster.kinds.core import ConfigMap
from kubedoctor.cluster.kinds.karpenter import NodeClaim, NodePool
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import kind_name
from kubedoctor.cluster.seen.decoding import convert_object, kind_of_data
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.snapshot import Snapshot, Source
from kubedoctor.cluster.seen.wants import NotCollected, Want
from kubedoctor.replay.autoscaling.status import NAME, NAMESPACE, AutoscalerStatus, read_status
from kubedoctor.replay.autoscaling.view import AutoscalerView, autoscaler_view

NOW = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "w", "namespace": "shop", "creationTimestamp": "2026-01-15T09:30:00Z"},
    "spec": {"containers": [{"name": "app"}]},
}


def event(reason: str, message: str, at: str = "09:59:00", component: str = "cluster-autoscaler") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"w.{reason}.{at}", "namespace": "shop"},
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "w"},
        "reason": reason,
        "message": message,
        "lastTimestamp": f"2026-01-15T{at}Z",
        "source": {"component": component},
    }


def report(*groups: str, time: str = "2026-01-15 09:59:50 +0000 UTC") -> dict[str, Any]:
    text = f"time: {time}\nautoscalerStatus: Running\nnodeGroups:\n" + "".join(groups)
    metadata = {"name": NAME, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"status": text}}


def group(name: str, ready: int, target: int, most: int, scale_up: str = "NoActivity") -> str:
    health = f"{{nodeCounts: {{registered: {{ready: {ready}}}}}, cloudProviderTarget: {target}, maxSize: {most}}}"
    return f"- name: {name}\n  health: {health}\n  scaleUp: {{status: {scale_up}}}\n"


def snapshot_of(*objects: dict[str, Any]) -> Snapshot:
    snapshot = Snapshot(NOW, Source("files", "test"), complete=True)
    for one in objects:
        snapshot.add(convert_object(kind_of_data(one), one).objects)
    return snapshot


def pod_in(snapshot: Snapshot) -> Pod:
    (found,) = snapshot.of_kind("Pod")
    assert isinstance(found, Pod)
    return found


def look(*objects: dict[str, Any], **spec: Any) -> tuple[AutoscalerView, tuple[str, ...]]:
    snapshot = snapshot_of({**POD, "spec": {**POD["spec"], **spec}}, *objects)  # type: ignore[dict-item]  # plain data
    pod = pod_in(snapshot)
    view = autoscaler_view(pod, Cluster(snapshot))
    assert bool(autoscaler_evidence(view)) or not autoscaler_lines(view, pod) or view.claim_name
    return view, autoscaler_lines(view, pod)


def test_nothing_is_said_where_there_is_no_autoscaler() -> None:
    view, lines = look()
    assert lines == ()
    assert not view.coming
    assert autoscaler_evidence(view) == ()


def test_one_object_is_asked_for_by_name_and_all_in_one_round() -> None:
    """No list of ConfigMaps: that would be every file of the cluster."""
    snapshot = Snapshot(NOW, Source("live", "test"))
    (pod,) = convert_object("Pod", POD).objects
    snapshot.add((pod,))
    with pytest.raises(NotCollected) as missing:
        autoscaler_view(pod_in(snapshot), Cluster(snapshot))
    events = next(want for want in missing.value.wants if isinstance(want, Want) and want.kind == "Event")
    assert events.fields
    expected = {Want("ConfigMap", NAMESPACE, NAME), Want(kind_name(NodePool)), Want(kind_name(NodeClaim))}
    assert set(missing.value.wants) - {events} == expected


def test_a_recording_without_these_kinds_is_no_gap_unless_an_autoscaler_spoke() -> None:
    def gaps_of(*objects: dict[str, Any]) -> set[str]:
        snapshot = Snapshot(NOW, Source("bundle", "test"), closed=True)
        for one in (POD, *objects):
            snapshot.add(convert_object(kind_of_data(one), one).objects)
        snapshot.cover(Want("Pod"))
        snapshot.cover(Want("Event"))
        cluster = Cluster(snapshot)
        autoscaler_view(pod_in(snapshot), cluster)
        return {gap.kind for gap in cluster.gaps}

    assert gaps_of() == set()
    refused = event("NotTriggerScaleUp", "pod didn't trigger scale-up: 1 max node group size reached")
    assert gaps_of(refused) == {"ConfigMap", "NodePool.karpenter.sh", "NodeClaim.karpenter.sh"}


def test_the_status_is_parsed_once_for_all_pods(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(config: ConfigMap) -> AutoscalerStatus:
        calls.append(config)
        return read_status(config)

    monkeypatch.setattr("kubedoctor.replay.autoscaling.view.read_status", counted)
    snapshot = snapshot_of(POD, report(group("a", 1, 1, 1)))
    for _ in range(3):
        assert autoscaler_view(pod_in(snapshot), Cluster(snapshot)).at_maximum
    assert len(calls) == 1


def test_of_a_silent_autoscaler_nothing_else_is_told() -> None:
    view, lines = look(report(group("a", 1, 1, 1), time="2026-01-15 09:49:00 +0000 UTC"))
    assert len(lines) == 1
    assert "not reported for 11m" in lines[0]
    assert view.at_maximum == ()


def test_a_group_that_is_unwell_is_named_where_it_was_passed_over() -> None:
    refused = event("NotTriggerScaleUp", "pod didn't trigger scale-up: 1 not ready for scale-up")
    sick = "- name: a\n  health:\n    status: Unhealthy\n  scaleUp: {status: Unhealthy}\n"
    view, lines = look(refused, report(sick, group("b", 1, 1, 5)))
    assert "Too many nodes are not ready in a: no nodes are added there." in lines
    assert [one.value for one in autoscaler_evidence(view)] == [refused["message"], "status: Unhealthy"]


def test_nine_minutes_are_no_silence() -> None:
    view, _ = look(report(group("a", 1, 1, 1), time="2026-01-15 09:51:00 +0000 UTC"))
    assert view.silent_for is None


def test_without_an_event_groups_are_named_only_if_none_could_grow() -> None:
    assert look(report(group("a", 1, 1, 1), group("b", 1, 1, 9)))[0].at_maximum == ()
    _, lines = look(report(group("a", 1, 1, 1), group("b", 2, 2, 2)))
    assert lines == ("All 2 node groups are at the maximum size: a (1 of 1 nodes), b (2 of 2 nodes).",)


def test_an_event_that_speaks_of_other_reasons_names_no_group() -> None:
    refused = event("NotTriggerScaleUp", "pod didn't trigger scale-up: 1 Insufficient cpu")
    view, lines = look(refused, report(group("a", 1, 1, 1)))
    assert view.at_maximum == ()
    assert lines == (f'The autoscaler adds no node for this pod: "{refused["message"]}"',)


GROWN = "pod triggered scale-up: [{a 1->2 (max: 5)}]"


@pytest.mark.parametrize(
    ("at", "state", "coming"),
    [
        ("09:59:00", None, True),
        ("09:45:00", None, False),
        ("09:59:00", "InProgress", True),
        ("09:45:00", "InProgress", True),
        ("09:59:00", "Backoff", False),
        ("09:45:00", "NoActivity", False),
    ],
)
def test_whether_the_cluster_autoscaler_brings_a_node(at: str, state: str | None, coming: bool) -> None:
    status = (report(group("a", 1, 2, 5, state)),) if state else ()
    assert look(event("TriggeredScaleUp", GROWN, at), *status)[0].coming is coming


def test_a_later_refusal_counts_more() -> None:
    refused = event("NotTriggerScaleUp", "pod didn't trigger scale-up: 1 max node group size reached", "09:59:30")
    view, _ = look(event("TriggeredScaleUp", GROWN), refused, report(group("a", 1, 2, 5, "InProgress")))
    assert view.refused
    assert not view.coming


def test_a_scale_up_for_others_is_hope() -> None:
    view, lines = look(report(group("a", 1, 2, 5, "InProgress")))
    assert not view.coming
    assert lines == ("Node group a is scaling up: 1 of 2 nodes are ready. Wait for it: the pod may fit there.",)


def test_why_it_was_never_asked() -> None:
    free = report(group("a", 1, 1, 5))
    assert "priority below -10" in look(free, priority=-11)[1][0]
    assert look(free, priority=-10)[1] == ("The cluster-autoscaler runs, but has written no event about this pod.",)


def test_it_was_not_never_asked_where_events_cannot_be_read() -> None:
    snapshot = snapshot_of(POD, report(group("a", 1, 1, 5)))
    snapshot.refuse(Want("Event"), "list events is forbidden")
    assert not autoscaler_view(pod_in(snapshot), Cluster(snapshot)).never_asked


def pool(name: str, **spec: Any) -> dict[str, Any]:
    status = {"resources": {"cpu": "8"}}
    metadata = {"name": name}
    return {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": metadata, "spec": spec, "status": status}


def test_pools_are_blamed_only_together() -> None:
    full, free, fixed = pool("full", limits={"cpu": 8}), pool("free"), pool("fixed", replicas=2)
    assert [one.name for one in look(full, fixed)[0].blamed] == ["full"]
    assert look(full, free)[0].blamed == ()
    assert look(fixed)[0].blamed == ()
    limits = "all available instance types exceed limits for nodepool"
    assert look(full, event("FailedScheduling", limits, component="karpenter"))[0].blamed
    assert not look(full, event("FailedScheduling", "incompatible requirements", component="karpenter"))[0].blamed


def test_a_report_that_an_autoscaler_before_karpenter_left_behind_is_no_news() -> None:
    assert look(report(time="2025-01-15 09:00:00 +0000 UTC"), pool("free"))[1] == ()


def test_a_group_in_backoff_is_not_told_to_be_full_too() -> None:
    """The cluster-autoscaler looks for backoff first, and counts each group once."""
    refused = event("NotTriggerScaleUp", "pod didn't trigger scale-up: 1 max node group size reached, 1 in backoff")
    view, _ = look(refused, report(group("a", 2, 2, 2), group("b", 1, 2, 2, "Backoff")))
    assert [one.name for one in view.at_maximum] == ["a"]


@pytest.mark.parametrize(("component", "word"), [("karpenter", True), ("default-scheduler", False)])
def test_failed_scheduling_is_a_word_of_karpenter_only(component: str, word: bool) -> None:
    assert look(event("FailedScheduling", "no", component=component))[0].refused is word


def test_a_nomination_where_claims_cannot_be_read_is_believed_while_fresh() -> None:
    nominated = event("Nominated", "Pod should schedule on: nodeclaim/a", component="karpenter")
    snapshot = snapshot_of(POD, nominated, pool("free"))
    snapshot.refuse(Want(kind_name(NodeClaim)), "list nodeclaims.karpenter.sh is forbidden")
    assert autoscaler_view(pod_in(snapshot), Cluster(snapshot)).coming
    assert not look(nominated, pool("free"))[0].coming
