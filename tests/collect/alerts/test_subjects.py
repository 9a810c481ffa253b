"""The labels are those that the rules of kubernetes-mixin, node-exporter's mixin, and the named projects leave in alerts."""

from __future__ import annotations

import pytest

from kubedoctor.collect.alerts.payload import Alert
from kubedoctor.collect.alerts.subjects import AlertSubject, meant_by, owners_of_lost

SCRAPED = {
    "job": "kube-state-metrics",
    "pod": "kube-state-metrics-6f5d9-x2x4z",
    "service": "kube-state-metrics",
    "container": "kube-state-metrics",
}


@pytest.mark.parametrize(
    ("name", "labels", "meant"),
    [
        ("KubePodCrashLooping", {"namespace": "shop", "pod": "web-1", "container": "app"}, AlertSubject("Pod", "shop", "web-1")),
        ("KubePodNotReady", {"namespace": "shop", "pod": "web-1", "job": "kube-state-metrics"}, AlertSubject("Pod", "shop", "web-1")),
        ("KubeContainerWaiting", {"namespace": "shop", "pod": "web-1", "container": "app"}, AlertSubject("Pod", "shop", "web-1")),
        ("KubeDeploymentReplicasMismatch", {**SCRAPED, "namespace": "shop", "deployment": "web"}, AlertSubject("Deployment", "shop", "web")),
        ("KubeDeploymentRolloutStuck", {**SCRAPED, "namespace": "shop", "deployment": "web"}, AlertSubject("Deployment", "shop", "web")),
        ("KubeStatefulSetReplicasMismatch", {**SCRAPED, "namespace": "shop", "statefulset": "db"}, AlertSubject("StatefulSet", "shop", "db")),
        ("KubeDaemonSetRolloutStuck", {**SCRAPED, "namespace": "ops", "daemonset": "agent"}, AlertSubject("DaemonSet", "ops", "agent")),
        ("KubeJobFailed", {**SCRAPED, "namespace": "shop", "job_name": "load"}, AlertSubject("Job", "shop", "load")),
        ("KubeHpaMaxedOut", {**SCRAPED, "namespace": "shop", "horizontalpodautoscaler": "web"}, AlertSubject("HorizontalPodAutoscaler", "shop", "web")),
        ("KubePdbNotEnoughHealthyPods", {**SCRAPED, "namespace": "shop", "poddisruptionbudget": "web"}, AlertSubject("PodDisruptionBudget", "shop", "web")),
        ("KubeQuotaFullyUsed", {**SCRAPED, "namespace": "shop", "resourcequota": "team"}, AlertSubject("ResourceQuota", "shop", "team")),
        (
            "KubePersistentVolumeFillingUp",
            {"namespace": "shop", "persistentvolumeclaim": "data-db-0", "node": "n1", "job": "kubelet", "service": "kubelet"},
            AlertSubject("PersistentVolumeClaim", "shop", "data-db-0"),
        ),
        ("KubePersistentVolumeErrors", {**SCRAPED, "persistentvolume": "pv-1", "namespace": "monitoring"}, AlertSubject("PersistentVolume", "", "pv-1")),
        ("KubeNodeNotReady", {**SCRAPED, "node": "n1", "namespace": "monitoring"}, AlertSubject("Node", "", "n1")),
        ("KubeletTooManyPods", {"node": "n1"}, AlertSubject("Node", "", "n1")),
        ("NodeFilesystemAlmostOutOfSpace", {"instance": "10.0.0.7:9100", "pod": "node-exporter-abcde", "namespace": "monitoring"}, AlertSubject("Node", address="10.0.0.7")),
        ("NodeClockNotSynchronising", {"instance": "[fd00::7]:9100"}, AlertSubject("Node", address="fd00::7")),
        ("CPUThrottlingHigh", {"namespace": "shop", "pod": "web-1", "container": "app", "service": "kubelet", "node": "n1"}, AlertSubject("Pod", "shop", "web-1")),
        ("TargetDown", {"namespace": "shop", "service": "web", "job": "web"}, AlertSubject("Service", "shop", "web")),
        ("Errors", {"namespace": "monitoring", "pod": "exporter-1", "exported_namespace": "shop", "exported_pod": "web-1"}, AlertSubject("Pod", "shop", "web-1")),
        ("CertManagerCertExpirySoon", {"exported_namespace": "shop", "name": "web-tls", "namespace": "cert-manager"}, AlertSubject("Certificate.cert-manager.io", "shop", "web-tls")),
        ("ArgoCdAppUnhealthy", {"name": "shop", "namespace": "argocd", "project": "default"}, AlertSubject("Application.argoproj.io", "argocd", "shop")),
        ("FluxNotReady", {"kind": "HelmRelease", "name": "web", "exported_namespace": "shop", "namespace": "flux-system"}, AlertSubject("HelmRelease", "shop", "web")),
        ("HighErrorRate", {"namespace": "shop"}, AlertSubject(namespace="shop")),
        ("KubeAPIDown", {"severity": "critical"}, AlertSubject()),
        ("Watchdog", {"severity": "none"}, AlertSubject(always=True)),
    ],
)  # fmt: skip
def test_the_object_of_an_alert(name: str, labels: dict[str, str], meant: AlertSubject) -> None:
    assert meant_by(Alert(name, labels)) == meant


@pytest.mark.parametrize(
    ("pod", "owners"),
    [
        ("web-7d9f6c5b8-x2x4z", ("Deployment/web", "DaemonSet/web-7d9f6c5b8", "Job/web-7d9f6c5b8", "ReplicaSet/web-7d9f6c5b8")),
        ("db-0", ("StatefulSet/db",)),
        ("agent-9dpxv", ("DaemonSet/agent", "Job/agent", "ReplicaSet/agent")),
        ("alone", ()),
    ],
)  # fmt: skip
def test_what_may_have_made_a_lost_pod(pod: str, owners: tuple[str, ...]) -> None:
    assert tuple(f"{kind}/{name}" for kind, name in owners_of_lost(pod)) == owners
