"""How objects fare at this moment, by what their own status says."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.cluster.kinds.karpenter import NodePool, NodePoolStatus
from kubedoctor.cluster.kinds.meta import Condition, CustomResource, ObjectMeta
from kubedoctor.engine.health import Health, stated_health
from tests.engine.clinic import objects
from tests.engine.health.test_trouble import BAD, condition, stating, trouble

METADATA = {"name": "one", "namespace": "shop", "creationTimestamp": "2026-11-23T09:00:00Z"}


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        ("Deployment", {"spec": {"replicas": 0}}, ("–", "0/0")),
        ("Deployment", {"spec": {"replicas": 3}, "status": {"readyReplicas": 0}}, ("✗", "0/3")),
        ("Deployment", {"spec": {"replicas": 3}, "status": {"readyReplicas": 2, "updatedReplicas": 3}}, ("!", "2/3")),
        ("Deployment", {"spec": {}, "status": {"readyReplicas": 1, "updatedReplicas": 1}}, ("✓", "1/1")),
        ("Deployment", {"spec": {}, "status": {"readyReplicas": 1, "updatedReplicas": 0}}, ("!", "1/1")),
        ("Deployment", {"spec": {"paused": True}, "status": {"readyReplicas": 1}}, ("✓", "1/1")),
        ("DaemonSet", {"status": {"desiredNumberScheduled": 0}}, ("–", "0/0")),
        ("DaemonSet", {"status": {"desiredNumberScheduled": 2, "numberReady": 1}}, ("!", "1/2")),
        ("Job", {"status": {"conditions": [{"type": "Failed", "status": "True"}]}}, ("✗", "0/1")),
        ("Job", {"status": {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}}, ("✓", "1/1")),
        ("Job", {"spec": {"suspend": True}}, ("–", "0/1")),
        ("CronJob", {"spec": {"suspend": True}}, ("–", "–")),
        ("PersistentVolumeClaim", {"status": {"phase": "Pending"}}, ("!", "")),
        ("Node", {"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}, ("✗", "")),
        ("ConfigMap", {"data": {}}, ("–", "")),
    ],
)
def test_an_object_fares_as_its_own_status_says(kind: str, data: dict[str, Any], expected: tuple[str, str]) -> None:
    (obj,) = objects({"kind": kind, "metadata": METADATA, **data})
    stated = stated_health(obj)
    assert (stated.health.symbol, stated.ready) == expected


@pytest.mark.parametrize(
    ("kind", "type_", "status", "reason"), [row for row in BAD if row[0] in ("Deployment", "Node")]
)
def test_what_lasts_as_trouble_is_not_well_now(kind: str, type_: str, status: str, reason: str) -> None:
    manifest = stating(kind, condition(type_, status, reason))
    (obj,) = objects(manifest)
    assert trouble(manifest) is not None
    assert stated_health(obj).health in (Health.BROKEN, Health.DEGRADED)


def node(*conditions: dict[str, Any]) -> dict[str, Any]:
    return stating("Node", condition("Ready", "True"), *conditions)


def test_a_condition_of_a_node_that_is_good_when_true_is_no_trouble() -> None:
    manifest = node(condition("StorageReady", "True"), condition("EtcdIsVoter", "True"))
    (obj,) = objects(manifest)
    assert (stated_health(obj).health, stated_health(obj).status) == (Health.HEALTHY, "Ready")
    assert trouble(manifest) is None


def test_a_node_under_pressure_says_which() -> None:
    (obj,) = objects(node(condition("DiskPressure", "True"), condition("PIDPressure", "True")))
    assert (stated_health(obj).health, stated_health(obj).status) == (Health.DEGRADED, "DiskPressure, PIDPressure")


def test_an_old_failure_to_create_pods_is_past_once_all_are_there() -> None:
    said = {"conditions": [condition("ReplicaFailure", "True", "FailedCreate")]}
    there = {"readyReplicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
    (obj,) = objects({"kind": "Deployment", "metadata": METADATA, "spec": {"replicas": 2}, "status": {**said, **there}})
    assert stated_health(obj).health is Health.HEALTHY
    (obj,) = objects(
        {
            "kind": "Deployment",
            "metadata": METADATA,
            "spec": {"replicas": 2},
            "status": {**said, **there, "availableReplicas": 1},
        }
    )
    assert (stated_health(obj).health, stated_health(obj).status) == (Health.DEGRADED, "rollout not finished")


def custom(*conditions: dict[str, Any], **spec: Any) -> tuple[Health, str]:
    obj = CustomResource(
        kind="Certificate", api_version="cert-manager.io/v1", spec=spec, status={"conditions": list(conditions)}
    )
    stated = stated_health(obj)
    return stated.health, stated.status


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([condition("Ready", "True", "Issued")], (Health.HEALTHY, "Ready")),
        ([condition("Ready", "False", "Failed")], (Health.DEGRADED, "Failed")),
        ([condition("Ready", "Unknown", "Issuing")], (Health.DEGRADED, "Issuing")),
        ([condition("Ready", "Unknown", "Ready")], (Health.DEGRADED, "not Ready")),
        ([condition("Ready", "True"), condition("Stalled", "True")], (Health.DEGRADED, "Stalled")),
        ([condition("Ready", "True"), condition("Synced", "False")], (Health.DEGRADED, "not Synced")),
        ([condition("Progressing", "True")], (Health.IDLE, "")),
        ([], (Health.IDLE, "")),
    ],
)
def test_a_custom_kind_fares_as_its_conditions_say(conditions: list[Any], expected: tuple[Health, str]) -> None:
    assert custom(*conditions) == expected


def test_a_paused_custom_object_is_idle() -> None:
    assert custom(condition("Ready", "False", "Failed"), suspend=True) == (Health.IDLE, "Suspended")


def test_a_kind_of_an_extension_with_a_struct_of_its_own_is_judged_alike() -> None:
    said = (Condition(type="Ready", status="False", reason="NodeClassNotReady"),)
    stated = stated_health(NodePool(metadata=ObjectMeta(name="general"), status=NodePoolStatus(conditions=said)))
    assert (stated.health, stated.status) == (Health.DEGRADED, "NodeClassNotReady")
