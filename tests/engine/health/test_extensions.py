"""Trouble of extensions' objects wherever their status states it, beside the healthy neighbours."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.cluster import Want
from kubedoctor.engine.health import Trouble, stated_trouble
from tests.engine.clinic import complete, objects
from tests.engine.health.test_trouble import ago, condition

OLD = ago(hours=2)


def custom(kind: str, status: dict[str, Any], *, spec: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    name, _, group = kind.partition(".")
    made = {"name": "web", "namespace": "shop", "creationTimestamp": OLD, **metadata}
    return {"apiVersion": f"{group}/v1", "kind": name, "metadata": made, "spec": spec or {}, "status": status}


def owned_by(kind: str, name: str) -> list[dict[str, Any]]:
    short, _, group = kind.partition(".")
    return [{"apiVersion": f"{group}/v1", "kind": short, "name": name, "controller": True}]


def trouble(manifest: dict[str, Any], *others: dict[str, Any], alone: bool = False) -> Trouble | None:
    (obj,) = objects(manifest)
    return stated_trouble(obj, complete(manifest, *others), alone=alone)


def no(type_: str, reason: str = "") -> dict[str, Any]:
    return condition(type_, "False", reason)


ROUTE = {
    "parents": [
        {"parentRef": {"name": "edge", "namespace": "infra"}, "conditions": [no("Accepted", "NotAllowedByListeners")]}
    ]
}
GATEWAY = {
    "conditions": [condition("Programmed", "True", "Programmed")],
    "listeners": [
        {"name": "http", "conditions": [condition("Programmed", "True"), condition("Conflicted", "False")]},
        {"name": "https", "conditions": [no("ResolvedRefs", "InvalidCertificateRef")]},
    ],
}
APPLICATION = {
    "health": {"status": "Degraded", "message": "deployment web is not available"},
    "sync": {"status": "Synced"},
}
SYNC = {
    "health": {"status": "Healthy"},
    "sync": {"status": "OutOfSync"},
    "operationState": {"phase": "Failed", "message": "one or more objects failed to apply"},
}
CONNECTOR = {"connectorStatus": {"connector": {"state": "FAILED", "trace": "ConnectException: no route to host"}}}

BAD: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("of a parent", "HTTPRoute.gateway.networking.k8s.io", ROUTE, "parent infra/edge: Accepted is False", "Accepted"),
    (
        "of a listener",
        "Gateway.gateway.networking.k8s.io",
        GATEWAY,
        "listener https: ResolvedRefs is False",
        "ResolvedRefs",
    ),
    ("of the whole", "Certificate.cert-manager.io", {"conditions": [no("Ready")]}, "Ready is False for 60m", "Ready"),
    (
        "without a status",
        "Application.argoproj.io",
        {"conditions": [{"type": "ComparisonError", "message": "rpc error: no repository", "lastTransitionTime": OLD}]},
        "ComparisonError for 120m",
        "no repository",
    ),
    ("health", "Application.argoproj.io", APPLICATION, "health is Degraded", "deployment web is not available"),
    ("sync", "Application.argoproj.io", {"sync": {"status": "Unknown"}}, "sync is Unknown", ""),
    ("operation", "Application.argoproj.io", SYNC, "operationState.phase is Failed", "failed to apply"),
    (
        "phase",
        "Backup.velero.io",
        {"phase": "PartiallyFailed", "message": "1 error"},
        "phase is PartiallyFailed",
        "1 error",
    ),
    ("health word", "Elasticsearch.elasticsearch.k8s.elastic.co", {"health": "red"}, "health is red", ""),
    ("robustness", "Volume.longhorn.io", {"state": "attached", "robustness": "degraded"}, "robustness is degraded", ""),
    (
        "nested state",
        "KafkaConnector.kafka.strimzi.io",
        CONNECTOR,
        "connectorStatus.connector.state is FAILED",
        "no route",
    ),
    (
        "waiting with a reason",
        "Challenge.acme.cert-manager.io",
        {"state": "pending", "reason": "wrong status code '404', expected '200'"},
        "state is pending",
        "'404'",
    ),
    (
        "an error",
        "VolumeSnapshot.snapshot.storage.k8s.io",
        {"readyToUse": False, "error": {"message": "the driver refuses"}},
        "an error is reported (error)",
        "the driver refuses",
    ),
    (
        "a failure",
        "Machine.cluster.x-k8s.io",
        {"failureReason": "CreateError", "failureMessage": "quota of the cloud is exceeded"},
        "an error is reported (failureMessage)",
        "quota of the cloud",
    ),
    (
        "since 1970",
        "Gateway.gateway.networking.k8s.io",
        {"conditions": [condition("Accepted", "Unknown", "Pending", "1970-01-01T00:00:00Z")]},
        "Accepted is Unknown for 120m: Pending",
        "",
    ),
]


@pytest.mark.parametrize(("what", "kind", "status", "says", "message"), BAD, ids=[row[0] for row in BAD])
def test_trouble_is_read_where_it_stands(what: str, kind: str, status: dict[str, Any], says: str, message: str) -> None:
    said = trouble(custom(kind, status))
    assert said is not None, what
    assert says in said.says
    assert message in " ".join(fact.text for fact in said.evidence)
    assert all(fact.object.kind == kind for fact in said.evidence)


WELL: list[tuple[str, str, dict[str, Any]]] = [
    ("accepted", "HTTPRoute.gateway.networking.k8s.io", {"parents": [{"conditions": [condition("Accepted", "True")]}]}),
    ("synced", "Application.argoproj.io", {"health": {"status": "Healthy"}, "sync": {"status": "Synced"}}),
    (
        "out of sync by hand",
        "Application.argoproj.io",
        {"health": {"status": "Healthy"}, "sync": {"status": "OutOfSync"}},
    ),
    ("progressing", "Application.argoproj.io", {"health": {"status": "Progressing"}, "sync": {"status": "Synced"}}),
    (
        "synced after a failed operation",
        "Application.argoproj.io",
        {**SYNC, "sync": {"status": "Synced"}},
    ),
    (
        "a warning",
        "Application.argoproj.io",
        {"conditions": [{"type": "OrphanedResourceWarning", "message": "2 orphans"}]},
    ),
    ("what was", "Release.example.com", {"phase": "Ready", "history": [{"phase": "Failed"}], "lastPhase": "Failed"}),
    ("waiting without a reason", "Order.acme.cert-manager.io", {"state": "pending"}),
    ("used", "VolumeSnapshot.snapshot.storage.k8s.io", {"readyToUse": True, "error": {"message": "an old error"}}),
    ("no error", "Thing.example.com", {"phase": "Ready", "error": "none"}),
    (
        "odd shapes",
        "Thing.example.com",
        {"phase": {"deep": 1}, "conditions": 7, "listeners": [1, "x", {"conditions": 3}]},
    ),
    ("paused", "Kafka.kafka.strimzi.io", {"conditions": [no("Ready", "X"), condition("ReconciliationPaused", "True")]}),
    ("names that no path can hold", "Thing.example.com", {"a.b/c": {"state": "Failed"}}),
]


@pytest.mark.parametrize(("what", "kind", "status"), WELL, ids=[row[0] for row in WELL])
def test_a_healthy_neighbour_is_no_trouble(what: str, kind: str, status: dict[str, Any]) -> None:
    assert trouble(custom(kind, status), alone=True) is None, what


@pytest.mark.parametrize(
    "more",
    [
        {"spec": {"suspend": True}},
        {"spec": {"paused": True}},
        {"annotations": {"crossplane.io/paused": "true"}},
        {"annotations": {"autoscaling.keda.sh/paused-replicas": "0"}},
        {"annotations": {"strimzi.io/pause-reconciliation": "true"}},
    ],
)
def test_an_object_that_its_controller_leaves_alone_is_no_trouble(more: dict[str, Any]) -> None:
    status = {"conditions": [no("Ready", "Failed")], "phase": "Failed"}
    assert trouble(custom("Thing.example.com", status)) is not None
    assert trouble(custom("Thing.example.com", status, **more)) is None


def test_a_class_is_unused_only_where_the_gateways_were_listed() -> None:
    gateways = "Gateway.gateway.networking.k8s.io"
    manifest = custom(
        "GatewayClass.gateway.networking.k8s.io", {"conditions": [no("Accepted", "Pending")]}, namespace=""
    )
    assert trouble(manifest) is None
    assert trouble(manifest, custom(gateways, {}, spec={"gatewayClassName": "web"})) is not None
    refused = complete(manifest)
    refused.refuse(Want(gateways), "forbidden")
    (obj,) = objects(manifest)
    assert stated_trouble(obj, refused, alone=False) is not None


def test_a_new_object_has_its_time() -> None:
    assert trouble(custom("Thing.example.com", {"phase": "Failed"}, creationTimestamp=ago(seconds=50))) is None
    waiting = {"state": "pending", "reason": "waiting for the other side"}
    assert trouble(custom("Thing.example.com", waiting, creationTimestamp=ago(minutes=9))) is None
    recent = {"conditions": [condition("Ready", "False", "Creating", ago(minutes=9))]}
    assert trouble(custom("Thing.example.com", recent)) is None
    failed = {"conditions": [condition("Ready", "False", "CreateFailed", ago(minutes=9))]}
    assert trouble(custom("Thing.example.com", failed)) is not None


def test_a_condition_of_an_earlier_spec_is_told_as_such() -> None:
    stale = {"conditions": [{**no("Ready", "Failed"), "observedGeneration": 1}]}
    said = trouble(custom("Thing.example.com", stale, generation=2))
    assert said is not None
    assert said.says == "Ready is False for 60m: Failed (of an earlier spec)"


def test_what_follows_from_a_condition_is_not_told_twice() -> None:
    same = {"type": "Ready", "status": "False", "reason": "E", "message": "why it fails", "lastTransitionTime": OLD}
    said = trouble(custom("Thing.example.com", {"conditions": [same], "phase": "Failed", "message": "why it fails"}))
    assert said is not None
    assert said.says == "Ready is False for 120m: E"


REQUEST = "CertificateRequest.cert-manager.io"
FAILED = {"conditions": [no("Ready", "Failed")], "failureTime": ago(minutes=50)}


def test_an_old_failed_attempt_is_only_a_record() -> None:
    old = {**FAILED, "failureTime": ago(hours=2)}
    assert trouble(custom(REQUEST, FAILED)) is not None
    assert trouble(custom(REQUEST, old)) is None
    assert trouble(custom(REQUEST, old), alone=True) is not None


def test_a_failed_attempt_beside_what_it_was_for() -> None:
    request = custom(REQUEST, FAILED, ownerReferences=owned_by("Certificate.cert-manager.io", "web"))
    ready = custom("Certificate.cert-manager.io", {"conditions": [condition("Ready", "True", "Ready")]})
    unready = custom("Certificate.cert-manager.io", {"conditions": [no("Ready", "DoesNotExist")]})
    assert trouble(request, ready) is None
    assert trouble(request, unready) is not None
    old = {**request, "status": {**FAILED, "failureTime": ago(days=3)}}
    assert trouble(old, unready) is not None, "what it was for is still missing"


def test_a_later_attempt_speaks_for_the_earlier_ones() -> None:
    owner = owned_by("Schedule.velero.io", "nightly")
    first = custom(
        "Backup.velero.io", {"phase": "Failed", "completionTimestamp": ago(minutes=50)}, ownerReferences=owner
    )
    second = custom("Backup.velero.io", {"phase": "Completed"}, ownerReferences=owner, name="web-2")
    second["metadata"]["creationTimestamp"] = ago(minutes=20)
    other = custom("Backup.velero.io", {"phase": "Completed"}, name="web-3", creationTimestamp=ago(minutes=20))
    assert trouble(first, second) is None
    assert trouble(first, other) is not None
