"""What objects say of themselves, beside the near misses that say nothing bad."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from kubedoctor.cluster import Ref
from kubedoctor.cluster.kinds.karpenter import NodePool, NodePoolStatus
from kubedoctor.cluster.kinds.meta import Condition, CustomResource, ObjectMeta
from kubedoctor.engine.health import Trouble, stated_trouble
from tests.engine.clinic import TAKEN_AT, complete, objects


def ago(**duration: float) -> str:
    return (TAKEN_AT - timedelta(**duration)).isoformat()


def stating(kind: str, *conditions: dict[str, Any], **more: Any) -> dict[str, Any]:
    metadata = {"name": "web", "namespace": "shop", "creationTimestamp": ago(days=2), **more.pop("metadata", {})}
    return {"kind": kind, "metadata": metadata, "status": {"conditions": list(conditions)}, **more}


def condition(type_: str, status: str, reason: str = "", since: str | None = None) -> dict[str, Any]:
    made = {"type": type_, "status": status, "reason": reason, "message": f"the message of {type_}"}
    return {**made, "lastTransitionTime": since or ago(hours=1)}


def trouble(manifest: dict[str, Any], *others: dict[str, Any], alone: bool = False) -> Trouble | None:
    (obj,) = objects(manifest)
    return stated_trouble(obj, complete(manifest, *others), alone=alone)


def custom(*conditions: Any, **spec: Any) -> Trouble | None:
    status = {"conditions": list(conditions)}
    obj = CustomResource(kind="Certificate", api_version="cert-manager.io/v1", spec=spec, status=status)
    return stated_trouble(obj, complete(), alone=False)


BAD = [
    ("HorizontalPodAutoscaler", "ScalingActive", "False", "FailedGetResourceMetric"),
    ("HorizontalPodAutoscaler", "AbleToScale", "False", "FailedGetScale"),
    ("APIService", "Available", "False", "MissingEndpoints"),
    ("CustomResourceDefinition", "Established", "False", "NotAccepted"),
    ("CustomResourceDefinition", "NamesAccepted", "False", "ShortNamesConflict"),
    ("PodDisruptionBudget", "DisruptionAllowed", "False", "SyncFailed"),
    ("Deployment", "Available", "False", "MinimumReplicasUnavailable"),
    ("Deployment", "Progressing", "False", "ProgressDeadlineExceeded"),
    ("Deployment", "ReplicaFailure", "True", "FailedCreate"),
    ("ReplicaSet", "ReplicaFailure", "True", "FailedCreate"),
    ("ReplicationController", "ReplicaFailure", "True", "FailedCreate"),
    ("Node", "Ready", "Unknown", "NodeStatusUnknown"),
    ("Node", "DiskPressure", "True", "KubeletHasDiskPressure"),
    ("Node", "ReadonlyFilesystem", "True", "FilesystemIsReadOnly"),
    ("PersistentVolumeClaim", "NodeResizeError", "True", ""),
    ("Pod", "Ready", "False", "ContainersNotReady"),
]

WELL = [
    ("HorizontalPodAutoscaler", "ScalingActive", "False", "ScalingDisabled"),
    ("HorizontalPodAutoscaler", "ScalingLimited", "True", "TooManyReplicas"),
    ("HorizontalPodAutoscaler", "AbleToScale", "True", "ReadyForNewScale"),
    ("PodDisruptionBudget", "DisruptionAllowed", "False", "InsufficientPods"),
    ("Deployment", "Progressing", "Unknown", "DeploymentPaused"),
    ("Deployment", "Available", "True", "MinimumReplicasAvailable"),
    ("PersistentVolumeClaim", "FileSystemResizePending", "True", ""),
    ("PersistentVolumeClaim", "Unused", "False", "PodUsingPVC"),
    ("Node", "MemoryPressure", "False", "KubeletHasSufficientMemory"),
    ("Job", "Suspended", "True", "JobSuspended"),
    ("Job", "Complete", "True", ""),
    ("Pod", "PodScheduled", "True", ""),
]


@pytest.mark.parametrize(("kind", "type_", "status", "reason"), BAD)
def test_a_condition_that_upstream_calls_bad_is_quoted(kind: str, type_: str, status: str, reason: str) -> None:
    said = trouble(stating(kind, condition(type_, status, reason)))
    assert said is not None
    assert said.says.startswith(f"{type_} is {status} for 60m" + (f": {reason}" if reason else ""))
    path = f"status.conditions[type={type_}]"
    assert [(one.path, one.text) for one in said.evidence] == [
        (f"{path}.status", status),
        (f"{path}.message", f"the message of {type_}"),
    ]


@pytest.mark.parametrize(("kind", "type_", "status", "reason"), WELL)
def test_what_peace_looks_like_too_is_no_trouble(kind: str, type_: str, status: str, reason: str) -> None:
    assert trouble(stating(kind, condition(type_, status, reason)), alone=True) is None


@pytest.mark.parametrize(
    ("kind", "type_", "status", "before", "after"),
    [
        ("HorizontalPodAutoscaler", "ScalingActive", "False", 119, 121),
        ("APIService", "Available", "False", 59, 61),
        ("Node", "Ready", "False", 119, 121),
        ("Deployment", "Available", "False", 599, 601),
        ("Pod", "Ready", "False", 599, 601),
    ],
)
def test_a_condition_has_its_time_to_become_good(kind: str, type_: str, status: str, before: int, after: int) -> None:
    assert trouble(stating(kind, condition(type_, status, since=ago(seconds=before))), alone=True) is None
    assert trouble(stating(kind, condition(type_, status, since=ago(seconds=after)))) is not None


SCALE = "the HPA controller was unable to get the target's current scale"
METRICS = "failed to get cpu utilization: unable to get metrics for resource cpu"
AT_ONCE = [
    ("AbleToScale", "FailedGetScale", f'{SCALE}: deployments.apps "web" not found'),
    ("AbleToScale", "FailedGetScale", f'{SCALE}: no matches for kind "Deployment" in group "extensions"'),
    ("AbleToScale", "FailedUpdateScale", 'deployments.apps "web" is forbidden: User "x" cannot update resource'),
    ("ScalingActive", "InvalidSelector", "the HPA target's scale is missing a selector"),
    ("ScalingActive", "InvalidMetricSourceType", 'unknown metric source type "Pod"'),
    ("ScalingActive", "FailedGetResourceMetric", "missing request for cpu in container app of Pod web-1"),
    ("ScalingActive", "FailedGetResourceMetric", f"{METRICS}: the server could not find the requested resource"),
    ("ScalingActive", "FailedGetPodsMetric", "no custom metrics API (custom.metrics.k8s.io) registered"),
]
BY_ITSELF = [
    ("AbleToScale", "FailedGetScale", f"{SCALE}: context deadline exceeded"),
    ("AbleToScale", "FailedUpdateScale", "Operation cannot be fulfilled: the object has been modified"),
    ("ScalingActive", "FailedGetResourceMetric", f"{METRICS}: no metrics returned from resource metrics API"),
    ("ScalingActive", "FailedGetResourceMetric", "did not receive metrics for targeted pods (pods might be unready)"),
    ("ScalingActive", "FailedGetResourceMetric", f"{METRICS}: the server is currently unable to handle the request"),
]


@pytest.mark.parametrize(("type_", "reason", "message"), AT_ONCE)
def test_what_no_component_repairs_by_itself_is_trouble_at_once(type_: str, reason: str, message: str) -> None:
    stated = {**condition(type_, "False", reason, ago(seconds=5)), "message": message}
    said = trouble(stating("HorizontalPodAutoscaler", stated))
    assert said is not None
    assert said.says.startswith(f"{type_} is False")


@pytest.mark.parametrize(("type_", "reason", "message"), BY_ITSELF)
def test_what_may_pass_by_itself_has_its_time(type_: str, reason: str, message: str) -> None:
    stated = {**condition(type_, "False", reason, ago(seconds=100)), "message": message}
    assert trouble(stating("HorizontalPodAutoscaler", stated), alone=True) is None
    stated["lastTransitionTime"] = ago(seconds=130)
    assert trouble(stating("HorizontalPodAutoscaler", stated)) is not None


def test_a_deadline_that_is_over_has_no_more_time() -> None:
    late = condition("Progressing", "False", "ProgressDeadlineExceeded", ago(seconds=5))
    assert trouble(stating("Deployment", late)) is not None
    failed = condition("Progressing", "False", "ReplicaSetCreateError", ago(seconds=5))
    assert trouble(stating("Deployment", failed)) is None


def test_without_a_time_of_its_own_a_condition_is_as_old_as_its_object() -> None:
    bare = {"type": "Available", "status": "False"}
    assert trouble(stating("Deployment", bare)) is not None
    assert trouble(stating("Deployment", bare, metadata={"creationTimestamp": ago(seconds=30)})) is None
    assert trouble(stating("Deployment", bare, metadata={"creationTimestamp": None})) is None


def test_a_failure_that_only_an_emptied_replica_set_remembers_is_past() -> None:
    old = condition("ReplicaFailure", "True", "FailedCreate")
    assert trouble(stating("ReplicaSet", old, spec={"replicas": 0})) is None
    settled = stating("Deployment", old, spec={"replicas": 2})
    settled["status"] |= {"updatedReplicas": 2, "availableReplicas": 2}
    assert trouble(settled) is None
    settled["status"] |= {"availableReplicas": 1}
    assert trouble(settled) is not None


def test_what_lies_about_in_healthy_clusters_speaks_only_when_asked_by_name() -> None:
    failed = stating("Job", condition("Failed", "True", "BackoffLimitExceeded"))
    assert trouble(failed) is None
    assert trouble(failed, alone=True) is not None
    owner = {"kind": "ReplicaSet", "name": "web-1", "controller": True}
    evicted = stating("Pod", metadata={"ownerReferences": [owner]}) | {
        "status": {"phase": "Failed", "reason": "Evicted"}
    }
    assert trouble(evicted) is None
    said = trouble(evicted, alone=True)
    assert said is not None
    assert [one.text for one in said.evidence] == ["Failed", "Evicted"]


def test_a_failed_pod_that_nothing_replaces_speaks_in_a_scan_until_it_is_old() -> None:
    assert trouble(stating("Pod") | {"status": {"phase": "Failed"}}) is not None
    for since, told in ((ago(minutes=59), True), (ago(minutes=61), False)):
        failed = stating("Pod", condition("Ready", "False", "PodFailed", since))
        failed["status"]["phase"] = "Failed"
        assert (trouble(failed) is not None) is told
        assert trouble(failed, alone=True) is not None
    assert trouble(stating("Pod") | {"status": {"phase": "Succeeded"}}) is None


def test_a_finished_pod_need_not_be_ready() -> None:
    done = stating("Pod", condition("Ready", "False", "PodCompleted"))
    done["status"]["phase"] = "Succeeded"
    assert trouble(done, alone=True) is None


def test_a_lost_claim_says_so() -> None:
    said = trouble({**stating("PersistentVolumeClaim"), "status": {"phase": "Lost"}})
    assert said is not None
    assert said.says == "phase is Lost"


@pytest.mark.parametrize(
    ("type_", "status"),
    [("Ready", "False"), ("Available", "False"), ("Synced", "False"), ("Reconciled", "False"), ("Stalled", "True")],
)
def test_custom_resources_follow_the_common_conventions(type_: str, status: str) -> None:
    said = custom(condition(type_, status, "Failing"))
    assert said is not None
    assert "Failing" in said.says
    assert said.evidence[0].object.kind == "Certificate.cert-manager.io"
    assert custom(condition(type_, {"True": "False", "False": "True"}[status])) is None
    assert (custom(condition(type_, "Unknown")) is not None) is (type_ in ("Ready", "Available"))
    assert custom(condition(type_, status, since=ago(minutes=9))) is None


def test_an_extensions_kind_with_fields_of_its_own_is_custom_too() -> None:
    unready = NodePool(status=NodePoolStatus(conditions=(Condition(type="Ready", status="False", reason="NotReady"),)))
    old = msgspec.structs.replace(unready, metadata=ObjectMeta(creation_timestamp=TAKEN_AT - timedelta(hours=1)))
    said = stated_trouble(old, complete(), alone=False)
    assert said is not None
    assert said.evidence[0].object.kind == "NodePool.karpenter.sh"


def test_custom_resources_that_are_suspended_or_odd_say_nothing() -> None:
    assert custom(condition("Ready", "False"), suspend=True) is None
    assert custom(condition("Active", "False")) is None
    assert custom("Ready", 7) is None
    assert custom({"type": ["Ready"], "status": False, "lastTransitionTime": 5}) is None
    assert custom({"type": "Ready", "status": "False", "lastTransitionTime": "yesterday"}) is None


def leaving(kind: str, due: str, *finalizers: str, **more: Any) -> dict[str, Any]:
    metadata = {"name": "web", "namespace": "shop", "deletionTimestamp": due, "finalizers": list(finalizers)}
    return {"kind": kind, "metadata": {**metadata, **more.pop("metadata", {})}, **more}


def test_a_deletion_has_a_minute_after_its_grace() -> None:
    assert trouble(leaving("Pod", ago(seconds=-500)), alone=True) is None
    assert trouble(leaving("Pod", ago(seconds=60)), alone=True) is None
    assert trouble(leaving("Pod", ago(seconds=61))) is not None


def test_finalizers_are_named_with_what_they_wait_for() -> None:
    said = trouble(leaving("ConfigMap", ago(minutes=5), "shop.example/hold"))
    assert said is not None
    assert said.deletion
    assert said.says == "deletion is overdue by 5m; blocked by finalizer shop.example/hold"
    assert [one.path for one in said.evidence] == ["metadata.deletionTimestamp", "metadata.finalizers"]
    said = trouble(leaving("PersistentVolume", ago(minutes=5), "kubernetes.io/pv-protection", "shop.example/hold"))
    assert said is not None
    assert "kubernetes.io/pv-protection (a claim is still bound to it), shop.example/hold" in said.says


def test_a_pod_that_nothing_keeps_waits_for_its_kubelet() -> None:
    said = trouble(leaving("Pod", ago(minutes=5), spec={"nodeName": "n1", "containers": []}))
    assert said is not None
    assert "the kubelet of node n1 has not confirmed that the containers stopped" in said.says


def user(name: str, **more: Any) -> dict[str, Any]:
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "web"}}]
    metadata = {"name": name, "namespace": "shop", **more}
    return {"kind": "Pod", "metadata": metadata, "spec": {"containers": [], "volumes": volumes}}


def test_a_claim_names_the_pods_that_use_it() -> None:
    claim = leaving("PersistentVolumeClaim", ago(minutes=5), "kubernetes.io/pvc-protection")
    said = trouble(claim, user("db-0"))
    assert said is not None
    assert said.says.endswith("kubernetes.io/pvc-protection (a pod still mounts it); mounted by db-0")
    assert trouble(claim, user("db-0", deletionTimestamp=ago(seconds=10))) is None


def test_a_namespace_quotes_what_remains() -> None:
    conditions = [
        condition("NamespaceContentRemaining", "True", "SomeResourcesRemain"),
        condition("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain"),
        condition("NamespaceDeletionContentFailure", "False", "ContentDeleted"),
    ]
    gone = leaving("Namespace", ago(minutes=5), metadata={"name": "shop", "namespace": ""})
    gone["status"] = {"phase": "Terminating", "conditions": conditions}
    said = trouble(gone)
    assert said is not None
    assert said.says == "deletion is overdue by 5m: the message of NamespaceFinalizersRemaining"
    assert [one.path for one in said.evidence] == [
        "metadata.deletionTimestamp",
        "status.conditions[type=NamespaceFinalizersRemaining].message",
        "status.conditions[type=NamespaceContentRemaining].message",
    ]
    assert trouble(gone, user("db-0", deletionTimestamp=ago(seconds=-20))) is None


def test_who_waits_for_pods_within_their_grace_is_in_time() -> None:
    web = leaving("Deployment", ago(minutes=5), "foregroundDeletion")
    owner = {"kind": "Deployment", "name": "web", "controller": True}
    middle = {"kind": "ReplicaSet", "metadata": {"name": "web-1", "namespace": "shop", "ownerReferences": [owner]}}
    owners = [{"kind": "ReplicaSet", "name": "web-1", "controller": True}]
    assert trouble(web, middle, user("web-1-a", ownerReferences=owners, deletionTimestamp=ago(seconds=-60))) is None
    assert trouble(web, middle, user("web-1-a", ownerReferences=owners)) is not None


@pytest.mark.parametrize(
    ("kind", "finalizer", "minutes"),
    [("Service", "service.kubernetes.io/load-balancer-cleanup", 10), ("Node", "karpenter.sh/termination", 60)],
)
def test_what_ordinarily_takes_longer_may(kind: str, finalizer: str, minutes: int) -> None:
    assert trouble(leaving(kind, ago(minutes=minutes - 1), finalizer)) is None
    assert trouble(leaving(kind, ago(minutes=minutes + 1), finalizer)) is not None


def test_the_evidence_names_the_object() -> None:
    said = trouble(leaving("ConfigMap", ago(minutes=5), "shop.example/hold"))
    assert said is not None
    assert {one.object for one in said.evidence} == {Ref("ConfigMap", "shop", "web")}
