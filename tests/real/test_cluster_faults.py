"""Faults of the cluster itself; each test repairs what it broke, because all tests share one cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.layout import NODE_NAME
from tests.real.diagnosis import Diagnosis
from tests.real.namespace import Namespace
from tests.real.workloads import deployment

pytestmark = pytest.mark.real

Ask = Callable[..., Diagnosis]
DNS = ("deployment/coredns", "-n", "kube-system")


@pytest.fixture
def without_dns(cluster: RealCluster) -> Iterator[None]:
    cluster.kubectl("scale", *DNS, "--replicas=0")
    cluster.wait_for("no pods of CoreDNS", lambda: not cluster.items("pods", "kube-system", "k8s-app=kube-dns"))
    yield
    cluster.kubectl("scale", *DNS, "--replicas=1")
    cluster.kubectl("rollout", "status", *DNS, "--timeout=120s")


def ready(cluster: RealCluster) -> str:
    """The status of the node's Ready condition: True, False or Unknown."""
    (status,) = [
        row["status"] for row in cluster.get("node", NODE_NAME)["status"]["conditions"] if row["type"] == "Ready"
    ]
    return str(status)


@pytest.fixture
def kill_kubelet(cluster: RealCluster) -> Iterator[Callable[[], None]]:
    """A function that ends the kubelet and waits until the control plane notices."""

    def kill() -> None:
        cluster.kill("kubelet")
        cluster.wait_for("the node is lost", lambda: ready(cluster) == "Unknown")

    yield kill
    cluster.revive("kubelet")
    cluster.wait_for("the node is back", lambda: ready(cluster) == "True")
    cluster.wait_for("its taints are gone", lambda: not cluster.get("node", NODE_NAME)["spec"].get("taints"))


def test_a_cluster_dns_scaled_to_zero(without_dns: None, ask: Ask) -> None:
    diagnosis = ask("scan", "-A")

    assert diagnosis.exit_code == 1
    assert diagnosis.culprit["diagnostic"] == "dns/coredns-down"
    assert diagnosis.culprit["about"]["namespace"] == "kube-system"


def test_a_node_whose_kubelet_died_explains_its_pods(
    namespace: Namespace, kill_kubelet: Callable[[], None], ask: Ask
) -> None:
    namespace.apply(deployment("checkout", namespace.name, replicas=2))
    namespace.wait_until_available("checkout")
    kill_kubelet()

    def pods_are_not_ready() -> bool:
        conditions = [row for pod in namespace.pods("checkout") for row in pod["status"]["conditions"]]
        return all(row["status"] == "False" for row in conditions if row["type"] == "Ready")

    namespace.cluster.wait_for("the node's pods are not ready", pods_are_not_ready)

    node = {"kind": "Node", "namespace": None, "name": NODE_NAME}
    for arguments in (("node", NODE_NAME), ("scan", "-A"), ("deploy", "checkout", "-n", namespace.name)):
        diagnosis = ask(*arguments)
        assert diagnosis.exit_code == 1
        assert (diagnosis.culprit["diagnostic"], diagnosis.culprit["about"]) == ("nodes/node-not-ready", node)
        critical = [finding for finding in diagnosis.findings if finding["severity"] == "critical"]
        others = [finding for finding in critical if finding["id"] != diagnosis.culprit["id"]]
        assert [finding for finding in others if finding not in diagnosis.consequences_of(diagnosis.culprit)] == []
