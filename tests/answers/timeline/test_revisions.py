"""Rollouts of Deployments and StatefulSets, with the time only where it is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kubedoctor.answers.timeline.changed import newest_change
from kubedoctor.answers.timeline.onset import Basis, Onset, onset
from kubedoctor.answers.timeline.revisions import rollouts
from kubedoctor.cluster import Cluster, Deployment, Family, Ref, Snapshot, Source, StatefulSet, quote
from kubedoctor.collect.recording import whole_state

NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)
WEB = Ref("Deployment", "shop", "web")


def minutes_ago(minutes: float) -> str:
    return (NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def template(image: str) -> dict[str, Any]:
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app", "image": image}]}}


def owned(kind: str, by: str) -> list[dict[str, Any]]:
    return [{"apiVersion": "apps/v1", "kind": kind, "name": by, "uid": "u", "controller": True}]


def deployment(image: str) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "uid": "u"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template(image)},
    }


def replica_set(hash_: str, number: int, image: str, age: float, cause: str = "") -> dict[str, Any]:
    annotations = {"deployment.kubernetes.io/revision": str(number)}
    if cause:
        annotations["kubernetes.io/change-cause"] = cause
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"web-{hash_}",
            "namespace": "shop",
            "labels": {"app": "web", "pod-template-hash": hash_},
            "annotations": annotations,
            "creationTimestamp": minutes_ago(age),
            "ownerReferences": owned("Deployment", "web"),
        },
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template(image)},
    }


def pod(
    hash_: str, *, age: float, ready_since: float | None = None, lost: float | None = None, restarts: int = 0
) -> dict[str, Any]:
    at = minutes_ago(lost if lost is not None else ready_since if ready_since is not None else age)
    ready = "True" if ready_since is not None and lost is None else "False"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"web-{hash_}-1",
            "namespace": "shop",
            "labels": {"app": "web", "pod-template-hash": hash_},
            "creationTimestamp": minutes_ago(age),
            "ownerReferences": owned("ReplicaSet", f"web-{hash_}"),
        },
        "spec": {"containers": [{"name": "app", "image": "i"}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": at}],
            "containerStatuses": [{"name": "app", "restartCount": restarts, "image": "i"}],
        },
    }


def state(*objects: dict[str, Any]) -> Snapshot:
    return whole_state(NOW, Source("files", "test", "v1.37.2"), objects, {})


def test_each_rollout_has_the_time_of_its_replica_set() -> None:
    snapshot = state(
        deployment("web:3"),
        replica_set("b", 2, "web:2", 60),
        replica_set("c", 3, "web:3", 4, "helm upgrade"),
        replica_set("a", 1, "web:1", 900),
    )
    found = rollouts(snapshot.get(WEB), Cluster(snapshot))  # type: ignore[arg-type]  # it is there
    assert [(one.before.number, one.after.number, one.after.why) for one in found] == [
        (1, 2, ""),
        (2, 3, "helm upgrade"),
    ]
    assert [one.at for one in found] == [NOW - timedelta(minutes=60), NOW - timedelta(minutes=4)]
    assert [change.text for change in found[1].changes] == ["image 2 → 3"]


def test_a_rollback_has_no_known_time() -> None:
    """Its ReplicaSet is the old one again, with a new number."""
    snapshot = state(deployment("web:1"), replica_set("b", 2, "web:2", 60), replica_set("a", 3, "web:1", 900))
    found = rollouts(snapshot.get(WEB), Cluster(snapshot))  # type: ignore[arg-type]  # it is there
    assert [one.at for one in found] == [None]


@pytest.mark.parametrize("number", ["", "x", "-1"])
def test_a_replica_set_without_a_revision_is_left_out(number: str) -> None:
    odd = replica_set("b", 2, "web:2", 60)
    odd["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": number}
    snapshot = state(deployment("web:2"), replica_set("a", 1, "web:1", 900), odd)
    assert rollouts(snapshot.get(WEB), Cluster(snapshot)) == ()  # type: ignore[arg-type]  # it is there


def stateful_set() -> list[dict[str, Any]]:
    def revision(number: int, data: Any, age: float) -> dict[str, Any]:
        return {
            "apiVersion": "apps/v1",
            "kind": "ControllerRevision",
            "metadata": {
                "name": f"db-{number}",
                "namespace": "shop",
                "creationTimestamp": minutes_ago(age),
                "ownerReferences": owned("StatefulSet", "db"),
            },
            "revision": number,
            "data": data,
        }

    return [
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": "db", "namespace": "shop", "uid": "u"},
            "spec": {"replicas": 1, "template": template("db:2")},
        },
        revision(1, {"spec": {"template": {"$patch": "replace", **template("db:1")}}}, 900),
        revision(2, {"spec": {"template": {"$patch": "replace", **template("db:2")}}}, 9),
        revision(3, {"spec": {"template": "broken"}}, 8),
        revision(4, None, 7),
    ]


def test_a_stateful_set_has_controller_revisions() -> None:
    snapshot = state(*stateful_set())
    db = snapshot.get(Ref("StatefulSet", "shop", "db"))
    assert isinstance(db, StatefulSet)
    (found,) = rollouts(db, Cluster(snapshot))
    assert (found.at, found.changes[0].text) == (NOW - timedelta(minutes=9), "image 1 → 2")


POD = Ref("Pod", "shop", "web-c-1")


@pytest.mark.parametrize(
    ("sick", "expected"),
    [
        (pod("c", age=4), Onset(NOW - timedelta(minutes=4), Basis.NEVER_WELL)),
        (pod("c", age=90, ready_since=80, lost=3), Onset(NOW - timedelta(minutes=3), Basis.LAST_WELL)),
        (pod("c", age=90, ready_since=80, lost=3, restarts=7), Onset(NOW - timedelta(minutes=3), Basis.AT_LEAST)),
        (pod("c", age=90, ready_since=80), None),
    ],
)
def test_the_onset_is_never_the_age_of_what_was_well(sick: dict[str, Any], expected: Onset | None) -> None:
    assert onset(WEB, (POD,), (), state(deployment("web:3"), sick)) == expected


def change_of(*objects: dict[str, Any], affects: tuple[Ref, ...] = (POD,)) -> str:
    snapshot = state(*objects)
    found = newest_change(WEB, affects, (), onset(WEB, affects, (), snapshot), Family(snapshot))
    return found.text if found is not None else ""


OLD, NEW = replica_set("b", 2, "web:2", 60), replica_set("c", 3, "web:3", 4)


def test_pods_of_the_new_revision_suffer_from_its_rollout() -> None:
    assert change_of(deployment("web:3"), OLD, NEW, pod("c", age=4)) == "rollout 2 → 3: image 2 → 3"


def test_pods_of_the_old_revision_do_not_suffer_from_the_new_one() -> None:
    old = pod("b", age=60, ready_since=59, lost=2)
    assert change_of(deployment("web:3"), OLD, NEW, old, affects=(Ref("Pod", "shop", "web-b-1"),)) == ""


def test_a_rollout_after_the_fault_began_is_not_its_cause() -> None:
    later = replica_set("c", 3, "web:3", 1)
    assert change_of(deployment("web:3"), OLD, later, pod("c", age=90, ready_since=80, lost=3)) == ""


def test_the_first_revision_is_no_change() -> None:
    assert change_of(deployment("web:3"), replica_set("c", 1, "web:3", 4), pod("c", age=4)) == ""


def test_a_scaling_is_a_change_where_the_number_of_pods_is_the_fault() -> None:
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e", "namespace": "shop"},
        "involvedObject": {"kind": "Deployment", "namespace": "shop", "name": "web"},
        "reason": "ScalingReplicaSet",
        "message": "Scaled down replica set web-c from 3 to 0",
        "lastTimestamp": minutes_ago(7),
    }
    snapshot = state(deployment("web:3"), event)
    web = snapshot.get(WEB)
    assert isinstance(web, Deployment)
    found = newest_change(WEB, (), (quote(web, "spec.replicas"),), None, Family(snapshot))
    assert found is not None
    assert found.text == "scaled down replica set web-c from 3 to 0"
    assert newest_change(WEB, (), (), None, Family(snapshot)) is None
