"""Which workload is known as the operator of a custom resource, by the names that widespread operators have."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kubedoctor.cluster import Cluster, CustomResource, Snapshot, Source
from kubedoctor.cluster.kinds.apps import Deployment, DeploymentSpec, ReplicaSet
from kubedoctor.cluster.kinds.containers import Container
from kubedoctor.cluster.kinds.meta import LabelSelector, ManagedMeta, ObjectMeta, OwnerReference
from kubedoctor.cluster.kinds.pods import Pod, PodSpec, PodTemplate
from kubedoctor.cluster.relations.operators import CLEAR, operator_pod

WORKLOADS = (
    # namespace, name, container, image
    ("cert-manager", "cert-manager", "cert-manager-controller", "quay.io/jetstack/cert-manager-controller:v1.19.1"),
    (
        "cert-manager",
        "cert-manager-cainjector",
        "cert-manager-cainjector",
        "quay.io/jetstack/cert-manager-cainjector:v1",
    ),
    ("cert-manager", "cert-manager-webhook", "cert-manager-webhook", "quay.io/jetstack/cert-manager-webhook:v1.19.1"),
    ("cnpg-system", "cnpg-controller-manager", "manager", "ghcr.io/cloudnative-pg/cloudnative-pg:1.27.0"),
    ("external-secrets", "external-secrets", "external-secrets", "ghcr.io/external-secrets/external-secrets:v1.2.0"),
    ("external-secrets", "external-secrets-webhook", "webhook", "ghcr.io/external-secrets/external-secrets:v1.2.0"),
    ("flux-system", "helm-controller", "manager", "ghcr.io/fluxcd/helm-controller:v1.4.0"),
    ("flux-system", "kustomize-controller", "manager", "ghcr.io/fluxcd/kustomize-controller:v1.7.0"),
    ("keda", "keda-operator", "keda-operator", "ghcr.io/kedacore/keda:2.18.0"),
    ("kube-system", "coredns", "coredns", "registry.k8s.io/coredns/coredns:v1.12.1"),
    ("kube-system", "sealed-secrets-controller", "controller", "bitnami/sealed-secrets-controller:0.32.2"),
    ("monitoring", "kube-state-metrics", "kube-state-metrics", "registry.k8s.io/kube-state-metrics:v2.17.0"),
    (
        "monitoring",
        "prometheus-operator",
        "prometheus-operator",
        "quay.io/prometheus-operator/prometheus-operator:v0.86",
    ),
    ("postgres", "postgres-operator", "postgres-operator", "ghcr.io/zalando/postgres-operator:v1.15.0"),
    ("rook-ceph", "rook-ceph-operator", "rook-ceph-operator", "docker.io/rook/ceph:v1.18.0"),
    ("shop", "checkout", "app", "shop/checkout:1"),
    ("strimzi", "strimzi-cluster-operator", "strimzi-cluster-operator", "quay.io/strimzi/operator:0.49.0"),
)


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    snapshot = Snapshot(datetime(2026, 1, 15, tzinfo=UTC), Source("bundle", "test"), complete=True)
    for namespace, name, container, image in WORKLOADS:
        spec = PodSpec(containers=(Container(name=container, image=image),))
        labels = {"run": name}
        workload = ManagedMeta(name=name, namespace=namespace)
        owner = (OwnerReference(kind="Deployment", name=name, api_version="apps/v1", controller=True),)
        middle = ObjectMeta(name=f"{name}-7d4b9", namespace=namespace, labels=labels, owner_references=owner)
        owned = (OwnerReference(kind="ReplicaSet", name=f"{name}-7d4b9", api_version="apps/v1", controller=True),)
        last = ObjectMeta(name=f"{name}-7d4b9-x2x4l", namespace=namespace, labels=labels, owner_references=owned)
        selector, template = LabelSelector(match_labels=labels), PodTemplate(spec=spec)
        snapshot.add((Deployment(metadata=workload, spec=DeploymentSpec(selector=selector, template=template)),))
        snapshot.add((ReplicaSet(metadata=middle), Pod(metadata=last, spec=spec)))
    return Cluster(snapshot)


@pytest.mark.parametrize(
    ("kind", "group", "operator"),
    [
        ("Certificate", "cert-manager.io", "cert-manager"),
        ("Challenge", "acme.cert-manager.io", "cert-manager"),
        ("Cluster", "postgresql.cnpg.io", "cnpg-controller-manager"),
        ("ExternalSecret", "external-secrets.io", "external-secrets"),
        ("HelmRelease", "helm.toolkit.fluxcd.io", "helm-controller"),
        ("Kustomization", "kustomize.toolkit.fluxcd.io", "kustomize-controller"),
        ("ScaledObject", "keda.sh", "keda-operator"),
        ("SealedSecret", "bitnami.com", "sealed-secrets-controller"),
        ("Prometheus", "monitoring.coreos.com", "prometheus-operator"),
        ("postgresql", "acid.zalan.do", "postgres-operator"),
        ("CephCluster", "ceph.rook.io", "rook-ceph-operator"),
        ("Kafka", "kafka.strimzi.io", "strimzi-cluster-operator"),
    ],
)
def test_operators_by_their_names(kind: str, group: str, operator: str, cluster: Cluster) -> None:
    obj = CustomResource(kind=kind, api_version=f"{group}/v1", metadata=ObjectMeta(name="x", namespace="shop"))
    found = operator_pod(obj, cluster)
    assert found is not None
    assert found.workload.name == operator


def test_no_operator_is_guessed(cluster: Cluster) -> None:
    obj = CustomResource(kind="Widget", api_version="widget.example/v1", metadata=ObjectMeta(name="x"))
    assert operator_pod(obj, cluster) is None
    unclear = CustomResource(kind="Prometheus", api_version="monitoring.coreos.com/v1", metadata=ObjectMeta(name="x"))
    found = operator_pod(unclear, cluster)
    assert found is not None
    assert found.score < CLEAR
