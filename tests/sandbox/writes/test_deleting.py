"""Deletion: who holds an object, and what goes with it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import pod
from tests.sandbox.writes.conftest import DEPLOYMENTS, MERGE, PODS, Author, config_map, deployment

CONFIG = "/api/v1/namespaces/shop/configmaps"
SETS = "/apis/apps/v1/namespaces/shop/replicasets"
CLAIMS = "/api/v1/namespaces/shop/persistentvolumeclaims"


def owned(obj: dict[str, Any], kind: str, name: str, uid: str) -> dict[str, Any]:
    obj["metadata"]["ownerReferences"] = [
        {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid, "controller": True}
    ]
    return obj


def family() -> Author:
    """Deployment api, its ReplicaSet, and a pod of that."""
    top, middle, leaf = deployment(), deployment("api-1"), pod("api-1-x", app="api")
    middle.update(kind="ReplicaSet")
    top["metadata"]["uid"], middle["metadata"]["uid"] = "top", "middle"
    return Author([top, owned(middle, "Deployment", "api", "top"), owned(leaf, "ReplicaSet", "api-1", "middle")])


@pytest.mark.parametrize("policy", ["", "?propagationPolicy=Background", "?propagationPolicy=Foreground"])
def test_what_an_owner_owns_goes_with_it(policy: str) -> None:
    author = family()
    author.did("DELETE", f"{DEPLOYMENTS}/api{policy}")
    assert author.names(SETS) == []
    assert "api-1-x" not in author.names(PODS)
    assert "web-1" in author.names(PODS)


def test_orphans_stay_without_an_owner() -> None:
    author = family()
    author.did("DELETE", f"{DEPLOYMENTS}/api", {"propagationPolicy": "Orphan"})
    (left,) = author.get(SETS)["items"]
    assert "ownerReferences" not in left["metadata"]
    assert "api-1-x" in author.names(PODS)


def test_a_finalizer_holds_an_object_until_it_is_taken_away(author: Author) -> None:
    body = config_map()
    body["metadata"]["finalizers"] = ["acme.example/held"]
    author.did("POST", CONFIG, body, code=201)
    held = author.did("DELETE", f"{CONFIG}/settings")
    assert held["metadata"]["deletionTimestamp"] == "2026-11-23T12:00:00Z"
    assert author.names(CONFIG) == ["settings"]
    author.did("PATCH", f"{CONFIG}/settings", {"metadata": {"finalizers": None}}, MERGE)
    assert author.names(CONFIG) == []


def test_a_pod_of_a_silent_node_stays_until_it_is_forced() -> None:
    author = Author()
    path = "/api/v1/nodes/node-1/status"
    author.did("PATCH", path, {"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}, MERGE)
    author.did("DELETE", f"{PODS}/web-1")
    assert author.get(f"{PODS}/web-1")["metadata"]["deletionTimestamp"] == "2026-11-23T12:00:30Z"
    author.did("DELETE", f"{PODS}/web-1?gracePeriodSeconds=0")
    assert "web-1" not in author.names(PODS)


def test_a_claim_in_use_goes_with_its_last_pod() -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "shop", "finalizers": ["kubernetes.io/pvc-protection"]},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    user = pod("db-0")
    user["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    author = Author([claim, user])
    author.did("DELETE", f"{CLAIMS}/data")
    assert author.names(CLAIMS) == ["data"]
    author.did("DELETE", f"{PODS}/db-0")
    assert author.names(CLAIMS) == []


def test_a_namespace_goes_with_what_is_in_it(author: Author) -> None:
    author.did("DELETE", "/api/v1/namespaces/shop")
    assert "shop" not in author.names("/api/v1/namespaces")
    assert author.names("/api/v1/pods") == ["agent-1"]


def test_a_namespace_waits_for_what_is_held(author: Author) -> None:
    body = config_map()
    body["metadata"]["finalizers"] = ["acme.example/held"]
    author.did("POST", CONFIG, body, code=201)
    author.did("DELETE", "/api/v1/namespaces/shop")
    assert author.get("/api/v1/namespaces/shop")["status"]["phase"] == "Terminating"
    assert "because it is being terminated" in author.refused("POST", CONFIG, config_map("other"), code=403)
    author.did("PATCH", f"{CONFIG}/settings", {"metadata": {"finalizers": None}}, MERGE)
    assert "shop" not in author.names("/api/v1/namespaces")


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        ({"preconditions": {"uid": "other"}}, 409, "Precondition failed: UID in precondition: other"),
        ({"propagationPolicy": "Sideways"}, 422, 'Unsupported value: "Sideways"'),
    ],
)
def test_a_deletion_that_is_refused(author: Author, options: object, code: int, says: str) -> None:
    assert says in author.refused("DELETE", f"{DEPLOYMENTS}/web", options, code=code)
    assert author.names(DEPLOYMENTS) == ["web"]


def test_many_are_deleted_by_their_labels(author: Author) -> None:
    author.did("DELETE", f"{PODS}?labelSelector=app=web")
    assert author.names("/api/v1/pods") == ["agent-1"]


def test_an_eviction_spends_a_budget_and_is_refused_without_one() -> None:
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
        "status": {"disruptionsAllowed": 1, "currentHealthy": 2, "desiredHealthy": 1, "expectedPods": 2},
    }
    ready = [pod(name, conditions=[{"type": "Ready", "status": "True"}]) for name in ("web-3", "web-4")]
    author = Author([budget, *ready])
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "x"}}
    author.did("POST", f"{PODS}/web-3/eviction", body, code=201)
    assert "web-3" not in author.names(PODS)
    says = author.refused("POST", f"{PODS}/web-4/eviction", body, code=429)
    assert says == "Cannot evict pod as it would violate the pod's disruption budget."
