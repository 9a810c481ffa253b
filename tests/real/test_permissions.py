"""A service account that may read only pods still gets an answer, and is told what could not be seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.layout import image
from tests.real.diagnosis import diagnose
from tests.real.namespace import Namespace
from tests.real.workloads import deployment, pods_only_account

pytestmark = pytest.mark.real


@pytest.fixture
def pods_only(cluster: RealCluster, namespace: Namespace, tmp_path: Path) -> Path:
    """A kubeconfig of a service account that may read the pods of the namespace and nothing else."""
    namespace.apply(*pods_only_account("junior", namespace.name))
    token = cluster.kubectl("create", "token", "junior", "-n", namespace.name).strip()
    kubeconfig = cluster.kubeconfig_with(token, tmp_path / "kubeconfig")
    account = f"--as=system:serviceaccount:{namespace.name}:junior"
    rights = cluster.kubectl("auth", "can-i", "--list", account, "-n", namespace.name, "--no-headers")
    assert any(row.split()[0] == "pods" for row in rights.splitlines())
    assert "events" not in rights
    return kubeconfig


def test_a_broken_pod_is_explained_from_what_may_be_read(namespace: Namespace, pods_only: Path) -> None:
    namespace.apply(deployment("checkout", namespace.name, container={"image": image("checkout", "9.9.9")}))
    namespace.cluster.wait_for("ImagePullBackOff", lambda: namespace.waiting("checkout", "ImagePullBackOff"))

    diagnosis = diagnose(pods_only, "pod", namespace.pod_name("checkout"), "-n", namespace.name)

    assert diagnosis.exit_code == 1
    assert diagnosis.culprit["diagnostic"] == "pods/image-not-found"
    assert any("forbidden" in gap for gap in diagnosis.unseen)


def test_a_running_pod_is_not_called_healthy_when_little_could_be_seen(namespace: Namespace, pods_only: Path) -> None:
    namespace.apply(deployment("checkout", namespace.name))
    namespace.wait_until_available("checkout")
    subject = ("pod", namespace.pod_name("checkout"), "-n", namespace.name)

    diagnosis = diagnose(pods_only, *subject)

    assert [finding for finding in diagnosis.findings if finding["severity"] != "notice"] == []
    assert any("forbidden" in gap for gap in diagnosis.unseen)
    assert diagnosis.exit_code == 3
    assert diagnose(pods_only, *subject, "--allow-gaps").exit_code == 0


def test_a_scan_with_little_permission_keeps_what_it_may_read(namespace: Namespace, pods_only: Path) -> None:
    namespace.apply(deployment("checkout", namespace.name, container={"image": image("checkout", "9.9.9")}))
    namespace.cluster.wait_for("ImagePullBackOff", lambda: namespace.waiting("checkout", "ImagePullBackOff"))

    diagnosis = diagnose(pods_only, "scan", "-n", namespace.name)

    assert diagnosis.exit_code == 1
    assert diagnosis.culprit["diagnostic"] == "pods/image-not-found"
    refused = [row["diagnostic"] for row in diagnosis.report["not_checked"] if "forbidden" in row["why"]]
    assert "services/no-endpoints" in refused, "what needs Services is named as not checked"
