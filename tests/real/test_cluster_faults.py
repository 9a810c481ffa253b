"""Faults of the cluster itself; each test repairs what it broke, because all tests share one cluster."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.layout import NODE_NAME
from tests.real.cluster.node import NETWORKS, POD_NETWORK
from tests.real.diagnosis import Diagnosis, said
from tests.real.namespace import Namespace
from tests.real.workloads import deployment, network_plugin

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


def older_than(cluster: RealCluster, age: timedelta) -> bool:
    created = cluster.get("node", NODE_NAME)["metadata"]["creationTimestamp"]
    return datetime.now(UTC) - datetime.fromisoformat(created) > age


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


@pytest.fixture
def network_configuration(cluster: RealCluster) -> Iterator[Path]:
    """The file that configures the pod network; it is there again at the end."""
    path = cluster.folder / NETWORKS / "10-bridge.conflist"
    yield path
    path.write_text(json.dumps(POD_NETWORK))
    cluster.wait_for("the node is ready again", lambda: ready(cluster) == "True")


def test_a_node_without_its_network_configuration_gets_it_again(
    namespace: Namespace, network_configuration: Path, ask: Ask
) -> None:
    cluster = namespace.cluster
    namespace.apply(*network_plugin(namespace.name, str(network_configuration.parent), POD_NETWORK))
    cluster.kubectl("rollout", "status", "daemonset/network", "-n", namespace.name, "--timeout=60s")
    cluster.wait_for("the node no longer counts as joining", lambda: older_than(cluster, timedelta(seconds=15)))
    network_configuration.unlink()
    cluster.wait_for("the node has no network", lambda: ready(cluster) == "False")

    diagnosis = ask("scan", "-A")

    assert diagnosis.exit_code == 1
    assert (diagnosis.culprit["diagnostic"], diagnosis.culprit["about"]["name"]) == ("nodes/node-not-ready", NODE_NAME)
    line = diagnosis.culprit["fixes"][0]["command"]
    assert line, said(diagnosis.culprit) + str(diagnosis.culprit["fixes"])
    cluster.paste(line)
    cluster.wait_for("the node is ready again", lambda: ready(cluster) == "True")
    assert network_configuration.exists()
    namespace.apply(deployment("checkout", namespace.name))
    namespace.wait_until_available("checkout")
    assert ask("node", NODE_NAME).report["incidents"] == []


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
