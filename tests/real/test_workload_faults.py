"""Broken workloads on a real node: `kubedoctor deploy X` names each cause live."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.real.cluster.layout import image
from tests.real.diagnosis import Diagnosis, quoted, said
from tests.real.namespace import Namespace
from tests.real.workloads import deployment, manifest

pytestmark = pytest.mark.real

Ask = Callable[..., Diagnosis]


def about(kind: str, namespace: Namespace, name: str) -> dict[str, str]:
    return {"kind": kind, "namespace": namespace.name, "name": name}


def test_a_deployment_that_asks_for_more_cpu_than_any_node_has(namespace: Namespace, ask: Ask) -> None:
    resources = {"resources": {"requests": {"cpu": "64"}}}
    namespace.apply(deployment("checkout", namespace.name, container=resources))
    namespace.cluster.wait_for(
        "FailedScheduling", lambda: bool(namespace.event("FailedScheduling", "Insufficient cpu"))
    )
    (pod,) = namespace.pods("checkout")
    (message,) = [row["message"] for row in pod["status"]["conditions"] if row["type"] == "PodScheduled"]
    assert "Insufficient cpu" in message

    diagnosis = ask("deploy", "checkout", "-n", namespace.name)

    assert diagnosis.exit_code == 1
    assert diagnosis.culprit["diagnostic"] == "scheduling/unschedulable"
    assert diagnosis.culprit["about"] == about("Deployment", namespace, "checkout")
    assert message in quoted(diagnosis.culprit), "the scheduler's own words are quoted"


def test_a_deployment_whose_namespace_has_used_up_its_quota(namespace: Namespace, ask: Ask) -> None:
    quota = manifest("ResourceQuota", "team-quota", namespace.name, spec={"hard": {"pods": "1"}})
    namespace.apply(quota, deployment("web", namespace.name))
    namespace.wait_until_available("web")
    namespace.cluster.wait_for(
        "the quota is used up",
        lambda: (
            namespace.cluster.get("resourcequota", "team-quota", namespace.name)["status"].get("used") == {"pods": "1"}
        ),
    )
    namespace.apply(deployment("checkout", namespace.name, replicas=3))
    namespace.cluster.wait_for("FailedCreate", lambda: bool(namespace.event("FailedCreate", "exceeded quota")))
    namespace.cluster.wait_for("ReplicaFailure", lambda: replica_failure(namespace, "checkout"))
    assert namespace.pods("checkout") == []

    diagnosis = ask("deploy", "checkout", "-n", namespace.name)

    assert diagnosis.exit_code == 1
    assert diagnosis.culprit["diagnostic"] == "admission/quota-exceeded"
    assert diagnosis.culprit["about"]["kind"] in ("Deployment", "ResourceQuota")
    assert diagnosis.culprit["about"]["name"] in ("checkout", "team-quota")
    assert "team-quota" in said(diagnosis.culprit)


def replica_failure(namespace: Namespace, name: str) -> bool:
    """Whether the Deployment itself says that its pods are refused."""
    conditions = namespace.cluster.get("deployment", name, namespace.name)["status"].get("conditions", [])
    return any(row["type"] == "ReplicaFailure" and row["status"] == "True" for row in conditions)


def test_a_deployment_that_the_kernel_kills_at_its_memory_limit(namespace: Namespace, ask: Ask) -> None:
    limits = {"resources": {"requests": {"cpu": "50m"}, "limits": {"memory": "48Mi"}}}
    namespace.apply(deployment("checkout", namespace.name, "eat", "-mb", "400", container=limits))
    namespace.cluster.wait_for("OOMKilled", lambda: namespace.last_ended("checkout", "OOMKilled"))

    diagnosis = ask("deploy", "checkout", "-n", namespace.name)

    assert diagnosis.exit_code == 1
    assert diagnosis.culprit["diagnostic"] == "pods/out-of-memory"
    assert diagnosis.culprit["about"] == about("Deployment", namespace, "checkout")
    assert diagnosis.culprit["confidence"] == "certain"
    assert "48Mi" in quoted(diagnosis.culprit), "the limit is quoted"


def test_a_deployment_whose_image_tag_does_not_exist(namespace: Namespace, ask: Ask) -> None:
    namespace.apply(deployment("checkout", namespace.name, container={"image": image("checkout", "9.9.9")}))
    namespace.cluster.wait_for("ImagePullBackOff", lambda: namespace.waiting("checkout", "ImagePullBackOff"))

    diagnosis = ask("deploy", "checkout", "-n", namespace.name)

    assert diagnosis.exit_code == 1
    assert diagnosis.culprit["diagnostic"] == "pods/image-not-found"
    assert diagnosis.culprit["about"] == about("Deployment", namespace, "checkout")
    assert "checkout:9.9.9" in said(diagnosis.culprit)


def test_a_deployment_that_crashes_again_and_again(namespace: Namespace, ask: Ask) -> None:
    arguments = ("exit", "-code", "3", "-after", "100ms", "-say", "fatal: no such database shop_orders")
    namespace.apply(deployment("checkout", namespace.name, *arguments))
    namespace.cluster.wait_for("CrashLoopBackOff", lambda: namespace.waiting("checkout", "CrashLoopBackOff"))

    diagnosis = ask("deploy", "checkout", "-n", namespace.name)

    assert diagnosis.exit_code == 1
    assert diagnosis.culprit["diagnostic"] == "pods/crash-loop"
    assert diagnosis.culprit["about"] == about("Deployment", namespace, "checkout")
    assert "3" in quoted(diagnosis.culprit), "the exit code is quoted"
    assert "no such database shop_orders" in said(diagnosis.culprit), "the program's last words are quoted"


def test_a_deployment_that_reads_a_key_which_its_configmap_lacks(namespace: Namespace, ask: Ask) -> None:
    reads = {"configMapKeyRef": {"name": "settings", "key": "DATABASE_URL"}}
    variable = {"env": [{"name": "DATABASE_URL", "valueFrom": reads}]}
    settings = manifest("ConfigMap", "settings", namespace.name, data={"DATABASE_URI": "db.shop"})
    namespace.apply(settings, deployment("checkout", namespace.name, container=variable))
    namespace.cluster.wait_for("config error", lambda: namespace.waiting("checkout", "CreateContainerConfigError"))

    diagnosis = ask("deploy", "checkout", "-n", namespace.name)

    assert diagnosis.exit_code == 1
    assert diagnosis.culprit["diagnostic"] == "pods/missing-config-key"
    assert "settings" in said(diagnosis.culprit)
    assert "DATABASE_URL" in said(diagnosis.culprit)


def test_a_claim_without_class_in_a_cluster_without_default_class(namespace: Namespace, ask: Ask) -> None:
    size = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    volume = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}
    claim = manifest("PersistentVolumeClaim", "data", namespace.name, spec=size)
    namespace.apply(claim, deployment("checkout", namespace.name, pod=volume))
    namespace.cluster.wait_for("unbound claim", lambda: bool(namespace.event("FailedScheduling", "unbound immediate")))

    diagnosis = ask("deploy", "checkout", "-n", namespace.name)

    assert diagnosis.exit_code == 1
    assert diagnosis.culprit["diagnostic"] == "storage/claim-pending"
    assert diagnosis.culprit["about"] == about("PersistentVolumeClaim", namespace, "data")


def test_a_service_whose_selector_has_a_typo(namespace: Namespace, ask: Ask) -> None:
    ports = [{"port": 80, "targetPort": 8080}]
    service = manifest("Service", "checkout", namespace.name, spec={"selector": {"app": "chekout"}, "ports": ports})
    namespace.apply(service, deployment("checkout", namespace.name))
    namespace.wait_until_available("checkout")
    namespace.cluster.wait_for(
        "an EndpointSlice without endpoints",
        lambda: [row.get("endpoints") for row in namespace.cluster.items("endpointslices", namespace.name)] == [None],
    )

    diagnosis = ask("svc", "checkout", "-n", namespace.name)

    assert diagnosis.exit_code == 1
    assert diagnosis.culprit["diagnostic"] == "services/no-endpoints"
    assert diagnosis.culprit["about"] == about("Service", namespace, "checkout")
    assert "app=checkout" in said(diagnosis.culprit), "the label that was meant is named"


def test_a_deployment_whose_readiness_probe_fails(namespace: Namespace, ask: Ask) -> None:
    probe = {"readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 1}}
    namespace.apply(deployment("checkout", namespace.name, "serve", "-not-ready", container=probe))
    namespace.cluster.wait_for("Unhealthy", lambda: bool(namespace.event("Unhealthy", "statuscode: 503")))
    # No program is called unready before it had the time to start.
    namespace.cluster.wait_for("15 s", lambda: namespace.running_for("checkout") > timedelta(seconds=15))

    diagnosis = ask("deploy", "checkout", "-n", namespace.name)

    assert diagnosis.exit_code == 1
    assert diagnosis.culprit["diagnostic"] == "pods/readiness-fails"
    assert diagnosis.culprit["about"] == about("Deployment", namespace, "checkout")
    assert "503" in said(diagnosis.culprit), "the kubelet's own words are quoted"


@pytest.mark.parametrize("scan", [False, True], ids=["deploy", "scan"])
def test_a_healthy_deployment_gives_no_finding_above_notice(namespace: Namespace, ask: Ask, scan: bool) -> None:
    namespace.apply(deployment("checkout", namespace.name, replicas=2))
    namespace.wait_until_available("checkout")

    diagnosis = ask("scan", "-n", namespace.name) if scan else ask("deploy", "checkout", "-n", namespace.name)

    assert [finding for finding in diagnosis.findings if finding["severity"] != "notice"] == []
    assert diagnosis.report["not_checked"] == []
    assert diagnosis.exit_code == 0
