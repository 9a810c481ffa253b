"""Warning events beside what an object states, and where nothing else tells how it is."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.cluster import Ref, Snapshot, Source
from kubedoctor.cluster.seen.wants import Want
from kubedoctor.engine import Catalogue, Report, Unexplained, scan
from tests.engine.clinic import TAKEN_AT, complete, objects
from tests.engine.health.test_trouble import ago, condition, stating


def event(
    kind: str, reason: str, seen: str, *, count: int = 1, type_: str = "Warning", name: str = "web", api: str = "v1"
) -> dict[str, Any]:
    involved = {"kind": kind, "namespace": "shop", "name": name, "apiVersion": api}
    return {
        "kind": "Event",
        "metadata": {"name": f"{name}.{reason}.{seen}", "namespace": "shop"},
        "involvedObject": involved,
        "reason": reason,
        "message": f"the message of {reason}",
        "type": type_,
        "count": count,
        "lastTimestamp": seen,
    }


def part(*manifests: dict[str, Any]) -> Snapshot:
    """What `kubectl get pods,events -o json` holds."""
    snapshot = Snapshot(TAKEN_AT, Source("bundle", "file"), closed=True)
    snapshot.add(objects(*manifests))
    for kind in ("Pod", "Event"):
        snapshot.limit(Want(kind), "only objects of the file")
    return snapshot


def scanned(snapshot: Snapshot) -> Report:
    return scan(Catalogue(()), snapshot, lambda wants: None)


def only(snapshot: Snapshot) -> Unexplained:
    (item,) = scanned(snapshot).unexplained
    return item


UNREADY = stating("Pod", condition("Ready", "False", "ContainersNotReady")) | {
    "spec": {"nodeName": "n1", "containers": []}
}


def test_the_newest_warnings_stand_beside_what_the_object_states() -> None:
    item = only(
        complete(
            UNREADY,
            event("Pod", "FailedMount", ago(minutes=30), count=9),
            event("Pod", "FailedCreatePodSandBox", ago(minutes=2), count=14),
            event("Pod", "Pulling", ago(minutes=1), type_="Normal"),
            event("Pod", "FailedScheduling", ago(minutes=1), count=20),
            event("Pod", "Other", ago(minutes=1), name="other"),
        )
    )
    assert item.messages == (
        "the message of Ready",
        "event FailedCreatePodSandBox, 14 times, last 2m ago: the message of FailedCreatePodSandBox",
        "event FailedMount, 9 times, last 30m ago: the message of FailedMount",
    )


def test_once_and_long_ago_is_told_from_again_and_again() -> None:
    assert "once, 3h ago" in only(complete(UNREADY, event("Pod", "FailedMount", ago(hours=3)))).messages[-1]
    several = [event("Pod", "FailedMount", ago(minutes=number)) for number in (3, 5, 9)]
    assert "3 times, last 3m ago" in only(complete(UNREADY, *several)).messages[-1]
    old_and_new = (event("Pod", "FailedMount", ago(hours=3)), event("Pod", "BackOff", ago(minutes=3)))
    assert [line for line in only(complete(UNREADY, *old_and_new)).messages if "FailedMount" in line] == []


def test_a_workload_quotes_the_events_of_the_pods_that_it_stands_for() -> None:
    owner = {"kind": "ReplicaSet", "name": "web-1", "controller": True}
    pod = {**UNREADY, "metadata": {**UNREADY["metadata"], "name": "web-1-a", "ownerReferences": [owner]}}
    workload = {**stating("ReplicaSet", condition("ReplicaFailure", "True", "FailedCreate")), "spec": {"replicas": 2}}
    workload["metadata"]["name"] = "web-1"
    item = only(complete(workload, pod, event("Pod", "FailedMount", ago(minutes=1), name="web-1-a")))
    assert item.about == Ref("ReplicaSet", "shop", "web-1")
    assert "event FailedMount, once, 60s ago: the message of FailedMount" in item.messages


def test_what_the_object_says_already_is_not_repeated() -> None:
    said = {**event("Pod", "FailedMount", ago(minutes=1), count=3), "message": "the message of Ready"}
    assert only(complete(UNREADY, said)).messages == (
        "the message of Ready",
        "event FailedMount, 3 times, last 60s ago",
    )


@pytest.mark.parametrize(
    ("kind", "events", "told"),
    [
        ("ReplicaSet", [("FailedCreate", 1, 1, "Warning")], True),
        ("Job", [("BackoffLimitExceeded", 1, 20, "Warning")], True),
        ("ReplicaSet", [("FailedCreate", 4, 5, "Warning"), ("SuccessfulCreate", 1, 2, "Normal")], False),
        ("ReplicaSet", [("FailedCreate", 9, 90, "Warning")], False),
        ("Endpoints", [("FailedToCreateEndpoint", 1, 1, "Warning")], False),
        ("Service", [("SyncLoadBalancerFailed", 7, 2, "Warning")], True),
        ("Service", [("SyncLoadBalancerFailed", 7, 30, "Warning")], False),
        ("HorizontalPodAutoscaler", [("FailedGetResourceMetric", 2, 1, "Warning")], False),
    ],
)
def test_an_object_that_was_not_read_is_known_by_its_events(
    kind: str, events: list[tuple[str, int, int, str]], told: bool
) -> None:
    shown = [event(kind, reason, ago(minutes=age), count=count, type_=type_) for reason, count, age, type_ in events]
    report = scanned(part(*shown))
    assert [item.about for item in report.unexplained] == ([Ref(kind, "shop", "web")] if told else [])
    if told:
        assert "the object itself is not in what was read" in report.unexplained[0].says
    assert scanned(complete(*shown)).unexplained == (), "where everything was read, it does not exist"


def test_an_extensions_object_that_was_not_read_is_named_with_its_group() -> None:
    item = only(part(event("Widget", "SyncFailed", ago(minutes=1), count=5, api="example.com/v1")))
    assert item.about == Ref("Widget.example.com", "shop", "web")


@pytest.mark.parametrize(
    ("status", "count", "age", "told"),
    [({}, 1, 5, True), ({}, 1, 90, False), ({"loadBalancer": {"ingress": [{"ip": "203.0.113.9"}]}}, 1, 5, False)],
)
def test_an_ingress_without_an_address_and_with_a_warning(
    status: dict[str, Any], count: int, age: int, told: bool
) -> None:
    ingress = {**stating("Ingress"), "status": status}
    snapshot = complete(ingress, event("Ingress", "FailedBuildModel", ago(minutes=age), count=count))
    assert bool(scanned(snapshot).unexplained) is told


def test_a_service_needs_more_than_one_warning() -> None:
    service = {**stating("Service"), "spec": {}, "status": {}}
    assert scanned(complete(service, event("Service", "ClusterIPNotAllocated", ago(minutes=1)))).unexplained == ()
    assert scanned(complete(service, event("Service", "SyncFailed", ago(minutes=1), count=3))).unexplained != ()


def test_a_warning_without_a_message_is_known_by_its_reason() -> None:
    service = {**stating("Service"), "spec": {}, "status": {}}
    wordless = {**event("Service", "SyncFailed", ago(minutes=1), count=3), "message": ""}
    assert only(complete(service, wordless)).says == "event SyncFailed, 3 times, last 60s ago"
    assert scanned(complete(service, {**wordless, "reason": ""})).unexplained == ()
