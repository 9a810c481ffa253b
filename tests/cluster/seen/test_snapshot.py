"""What a snapshot answers, and what it says that it cannot."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import pytest

from kubedoctor.cluster import (
    CannotSee,
    Cluster,
    ConfigMap,
    KubernetesObject,
    LogWant,
    Node,
    NotCollected,
    Pod,
    Ref,
    Snapshot,
    Source,
    Want,
)
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.cluster.seen.snapshot import NOT_HERE
from kubedoctor.cluster.seen.wants import Barrier

TAKEN_AT = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)


def snapshot(*, closed: bool = False, complete: bool = False) -> Snapshot:
    return Snapshot(TAKEN_AT, Source("live", "test", "v1.37.2"), closed=closed, complete=complete)


def thing(kind: str, name: str, namespace: str = "shop") -> KubernetesObject:
    (made,) = convert_object(kind, {"metadata": {"name": name, "namespace": namespace}}).objects
    return made


@pytest.mark.parametrize(
    ("covered", "asked", "answered"),
    [
        (Want("Pod"), Want("Pod", "shop"), True),
        (Want("Pod"), Want("Pod", "shop", "web-1"), True),
        (Want("Pod", "shop"), Want("Pod", "shop", "web-1"), True),
        (Want("Pod", "shop"), Want("Pod", "shop", labels="app=web"), True),
        (Want("Pod", "shop"), Want("Pod"), False),
        (Want("Pod", "shop"), Want("Pod", "other", "web-1"), False),
        (Want("Pod", "shop", "web-1"), Want("Pod", "shop", "web-2"), False),
        (Want("Pod", "shop", labels="app=web"), Want("Pod", "shop"), False),
        (Want("Pod"), Want("Node"), False),
    ],
)
def test_a_wider_list_answers_a_narrower_question(covered: Want, asked: Want, answered: bool) -> None:
    one = snapshot()
    one.cover(covered)
    assert one.covers(asked) is answered


def test_what_was_not_fetched_is_asked_for() -> None:
    with pytest.raises(NotCollected) as raised:
        Cluster(snapshot()).all(Pod, "shop")
    assert raised.value.wants == (Want("Pod", "shop"),)


def test_a_refused_list_of_everything_says_nothing_of_one_object() -> None:
    one = snapshot()
    one.refuse(Want("Pod"), "list pods is forbidden")
    with pytest.raises(CannotSee, match="forbidden"):
        Cluster(one).all(Pod)
    with pytest.raises(NotCollected):
        Cluster(one).get(Pod, "shop", "web-1")


def test_a_closed_snapshot_never_asks() -> None:
    one = snapshot(closed=True)
    with pytest.raises(CannotSee, match="not in this recording"):
        Cluster(one).all(Pod)


def test_in_a_complete_snapshot_what_is_not_there_does_not_exist() -> None:
    one = snapshot(complete=True)
    assert Cluster(one).all(Pod) == ()
    assert Cluster(one).get(ConfigMap, "shop", "settings") is None
    one.refuse(Want("Secret"), "secrets are left out")
    assert Cluster(one).maybe.all_named("Secret") == ()


def test_maybe_turns_a_refusal_into_a_gap() -> None:
    one = snapshot()
    one.refuse(Want("ConfigMap", "shop"), "list configmaps is forbidden")
    cluster = Cluster(one)
    assert cluster.maybe.all(ConfigMap, "shop") == ()
    assert [str(gap) for gap in cluster.gaps] == ["ConfigMap: list configmaps is forbidden"]
    assert not next(iter(cluster.gaps)).partial


def test_a_part_of_the_answer_is_given_with_a_gap() -> None:
    one = snapshot()
    one.add([thing("Pod", "web-1")])
    one.limit(Want("Pod"), "only namespace shop could be read")
    cluster = Cluster(one)
    assert [pod.name for pod in cluster.all(Pod)] == ["web-1"]
    assert next(iter(cluster.gaps)).partial


def test_cluster_scoped_kinds_have_no_namespace() -> None:
    one = snapshot()
    one.replace_all("Node", [thing("Node", "n1", "")])
    assert [node.name for node in Cluster(one).all(Node, "shop")] == []
    assert Cluster(one).get(Node, "", "n1") is not None


def test_objects_are_sorted_and_indexes_follow_changes() -> None:
    one = snapshot()
    one.replace_all("Pod", [thing("Pod", "b"), thing("Pod", "a"), thing("Pod", "a", "ns")])
    assert [(pod.namespace, pod.name) for pod in Cluster(one).all(Pod)] == [("ns", "a"), ("shop", "a"), ("shop", "b")]
    one.remove(Ref("Pod", "shop", "a"))
    assert [pod.name for pod in Cluster(one).all(Pod, "shop")] == ["b"]
    one.replace_all("Pod", [thing("Pod", "c")], "shop")
    assert [(pod.namespace, pod.name) for pod in Cluster(one).all(Pod)] == [("ns", "a"), ("shop", "c")]


def test_logs_are_asked_for_once_and_absence_is_an_answer() -> None:
    one = snapshot()
    pod = thing("Pod", "web-1")
    assert isinstance(pod, Pod)
    want = LogWant("shop", "web-1", "app", previous=True)
    with pytest.raises(NotCollected):
        Cluster(one).log_tail(pod, "app", previous=True)
    one.add_log(want, None)
    assert Cluster(one).log_tail(pod, "app", previous=True) is None


def test_logs_that_are_forgotten_are_asked_for_again_also_those_that_were_refused() -> None:
    one = snapshot()
    read, refused = (LogWant("shop", "web-1", name) for name in ("app", "proxy"))
    one.add_log(read, None)
    one.refuse(refused, "too many logs")
    one.refuse(Want("Node"), "list nodes is forbidden")
    one.forget_logs()
    assert one.logs() == ()
    assert one.refusal(refused) == ""
    assert one.refusal(Want("Node")) == "list nodes is forbidden"


def test_a_refused_log_is_a_gap_that_names_it() -> None:
    one = snapshot()
    pod = thing("Pod", "web-1")
    assert isinstance(pod, Pod)
    one.refuse(LogWant("shop", "web-1", "app"), "get pods/log is forbidden")
    cluster = Cluster(one)
    assert cluster.log_tail(pod, "app") is None
    assert [str(gap) for gap in cluster.gaps] == ["Log: log of shop/web-1 (app): get pods/log is forbidden"]


def test_an_optional_log_that_a_recording_lacks_is_no_gap_and_a_forbidden_one_is() -> None:
    one = snapshot()
    pod = thing("Pod", "web-1")
    assert isinstance(pod, Pod)
    one.refuse(LogWant("shop", "web-1", "app"), NOT_HERE)
    one.refuse(LogWant("shop", "web-1", "proxy"), "get pods/log is forbidden")
    cluster = Cluster(one)
    assert cluster.log_tail(pod, "app", optional=True) is None
    assert not cluster.gaps
    assert cluster.log_tail(pod, "proxy", optional=True) is None
    assert cluster.log_tail(pod, "app") is None
    assert len(cluster.gaps) == 2


def test_indexes_of_what_has_changed_are_given_up_and_others_stay() -> None:
    seen = snapshot()
    seen.add([thing("Pod", "web"), thing("Node", "worker")])
    pods, nodes = seen.index("Pod", "namespace"), seen.index("Node", "namespace")
    held = sys.getrefcount(pods)
    seen.add([thing("Pod", "db")])
    seen.forget_outdated()
    assert sys.getrefcount(pods) == held - 1
    assert seen.index("Node", "namespace") is nodes


def test_require_asks_for_everything_in_one_round() -> None:
    one = snapshot()
    one.cover(Want("Node"))
    with pytest.raises(NotCollected) as raised:
        Cluster(one).require(Node, Pod, ConfigMap)
    assert set(raised.value.wants) == {Want("Pod"), Want("ConfigMap")}


def test_what_was_lost_is_known_until_all_of_the_kind_are_listed_anew() -> None:
    one = snapshot()
    one.lose("Pod", ["Pod shop/a: cannot be decoded; ignored"] * 2)
    other = one.copy()
    one.replace_all("Pod", (), "shop")
    assert one.losses("Pod") == other.losses("Pod") == ("Pod shop/a: cannot be decoded; ignored",)
    one.replace_all("Pod", ())
    assert (one.losses("Pod"), len(other.losses("Pod"))) == ((), 1)
    assert other.losses("Node") == ()


def test_an_unreadable_version_is_no_version() -> None:
    version = snapshot().version
    assert version is not None
    assert (version.major, version.minor) == (1, 37)
    assert Snapshot(TAKEN_AT, Source("files", "x", "what")).version is None


def test_a_refused_list_speaks_for_its_objects_only_when_nothing_more_is_asked() -> None:
    made = snapshot()
    made.refuse(Want("ReplicaSet", "shop"), "list replicasets in shop is forbidden")
    one, elsewhere = Want("ReplicaSet", "shop", "web-1"), Want("ReplicaSet", "other", "web-1")
    assert made.refusal(one) == ""
    made.exhausted = True
    assert made.refusal(one) == "list replicasets in shop is forbidden"
    assert made.refusal(elsewhere) == ""


def test_the_barrier_is_that_of_the_list_that_was_refused() -> None:
    live = snapshot()
    live.refuse(Want("Pod", "shop"), "list pods in shop is forbidden", Barrier.FORBIDDEN)
    live.exhausted = True
    assert live.barrier(Want("Pod", "shop", "web-1")) is Barrier.FORBIDDEN
    assert live.barrier(Want("Pod", "idle")) is Barrier.OTHER
