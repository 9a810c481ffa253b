"""Faults of the machine below the node, of etcd, and of a drain: diagnosed live, the proposed command pasted, and all is
well afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.layout import NODE_NAME, Document, image
from tests.real.diagnosis import Diagnosis, run, said
from tests.real.namespace import Namespace
from tests.real.recording.machines import (
    alarm,
    kernel_ran_out_of_memory,
    kubelet_with,
    node_event,
    requests,
    small,
)
from tests.real.workloads import deployment, manifest

pytestmark = pytest.mark.real

Ask = Callable[..., Diagnosis]
UNLIMITED = {"resources": {"requests": {"cpu": "10m", "memory": "16Mi"}}}


def about(finding: Document) -> tuple[str, str, str]:
    return finding["diagnostic"], finding["about"]["kind"], finding["about"]["name"]


def first_command(finding: Document, beginning: str) -> str:
    """The command of the first fix that begins so."""
    lines = [fix["command"] for fix in finding["fixes"] if (fix["command"] or "").startswith(beginning)]
    assert lines, f"{said(finding)}\n{finding['fixes']}"
    return str(lines[0])


@pytest.fixture
def full_size(namespace: Namespace) -> Iterator[Namespace]:
    """The node has its usual memory for pods again at the end."""
    yield namespace
    kubelet_with(kubeReserved={"memory": "1Gi"})(namespace)


def test_a_program_that_uses_up_the_memory_of_all_pods(full_size: Namespace, ask: Ask) -> None:
    """The kernel kills it at the limit that the kubelet sets for all pods of the node together."""
    small(full_size)
    full_size.apply(deployment("report", full_size.name, "eat", "-mb", "600", container=UNLIMITED))
    full_size.cluster.wait_for("OOMKilled", lambda: full_size.last_ended("report", "OOMKilled"))

    diagnosis = ask("deploy", "report", "-n", full_size.name)

    assert about(diagnosis.culprit) == ("pods/out-of-memory", "Deployment", "report")
    assert "it has no memory limit, and its node ran out of memory for pods" in diagnosis.culprit["summary"]
    full_size.apply(deployment("report", full_size.name, "eat", "-mb", "60", container=UNLIMITED))
    full_size.wait_until_available("report")


def test_a_program_that_the_kernel_kills_because_the_machine_has_no_memory(namespace: Namespace, ask: Ask) -> None:
    """Whole, a machine without memory would be the one that runs the tests: the kernel's lines are written by hand."""
    namespace.apply(deployment("checkout", namespace.name, container=UNLIMITED))
    namespace.wait_until_available("checkout")
    kernel_ran_out_of_memory(namespace)
    namespace.cluster.wait_for("the kubelet read the kernel's log", lambda: node_event("SystemOOM")(namespace))

    diagnosis = ask("node", NODE_NAME)

    assert about(diagnosis.culprit) == ("nodes/node-out-of-memory", "Node", NODE_NAME)
    assert "the kernel killed app (pid " in diagnosis.culprit["summary"]
    namespace.wait_until_available("checkout")
    namespace.cluster.kubectl("delete", "events", "--all", "-n", "default")


def test_a_rollout_of_an_image_that_does_not_exist_is_undone(namespace: Namespace, ask: Ask) -> None:
    namespace.apply(deployment("checkout", namespace.name))
    namespace.wait_until_available("checkout")
    bad = {"image": image("checkout", "9.9.9")}
    namespace.cluster.kubectl("set", "image", "deployment/checkout", f"app={bad['image']}", "-n", namespace.name)
    namespace.cluster.wait_for("ImagePullBackOff", lambda: namespace.waiting("checkout", "ImagePullBackOff"))

    diagnosis = ask("deploy", "checkout", "-n", namespace.name)

    assert about(diagnosis.culprit) == ("pods/image-not-found", "Deployment", "checkout")
    namespace.cluster.paste(first_command(diagnosis.culprit, "kubectl "))
    namespace.wait_until_available("checkout")
    namespace.cluster.wait_for("the failed pod is gone", lambda: len(namespace.pods("checkout")) == 1)
    assert ask("deploy", "checkout", "-n", namespace.name).report["incidents"] == []


def test_a_drain_that_a_budget_blocks(namespace: Namespace, ask: Ask) -> None:
    cluster = namespace.cluster
    namespace.apply(
        deployment("checkout", namespace.name),
        manifest(
            "PodDisruptionBudget",
            "checkout",
            namespace.name,
            "policy/v1",
            spec={"minAvailable": 1, "selector": {"matchLabels": {"app": "checkout"}}},
        ),
    )
    namespace.wait_until_available("checkout")
    cluster.wait_for(
        "the budget is counted",
        lambda: cluster.get("pdb", "checkout", namespace.name).get("status", {}).get("currentHealthy") == 1,
    )
    drain = ("drain", NODE_NAME, "--pod-selector=app=checkout", "--ignore-daemonsets", "--force", "--timeout=8s")

    asked = run(cluster.visitor_kubeconfig, "can-drain", NODE_NAME, "-o", "json")
    (pod,) = [row for row in json.loads(asked.stdout)["pods"] if row["pod"]["namespace"] == namespace.name]
    assert (pod["allowed"], pod["budgets"][0]["name"]) == (False, "checkout")
    with pytest.raises(RuntimeError, match=r"disruption budget|timeout"):
        cluster.kubectl(*drain)
    try:
        diagnosis = ask("pdb", "checkout", "-n", namespace.name)
        assert about(diagnosis.culprit) == ("workloads/budget-blocks-drain", "PodDisruptionBudget", "checkout")
        cluster.paste(first_command(diagnosis.culprit, "kubectl "))
        cluster.kubectl("uncordon", NODE_NAME)  # a Deployment that was scaled needs a node
        namespace.wait_until_available("checkout")
        cluster.wait_for(
            "the budget allows an eviction",
            lambda: cluster.get("pdb", "checkout", namespace.name)["status"]["disruptionsAllowed"] > 0,
        )
        asked = run(cluster.visitor_kubeconfig, "can-drain", NODE_NAME, "-o", "json")
        rows = [row for row in json.loads(asked.stdout)["pods"] if row["pod"]["namespace"] == namespace.name]
        assert any(row["allowed"] for row in rows)
        name = namespace.pod_name("checkout")
        cluster.kubectl(
            "create",
            "--raw",
            *eviction_of(name, namespace.name)[:1],
            "-f",
            "-",
            text=eviction_of(name, namespace.name)[1],
        )
    finally:
        cluster.kubectl("uncordon", NODE_NAME)
    namespace.wait_until_available("checkout")


def eviction_of(pod: str, namespace: str) -> tuple[str, str]:
    """The path and the body of what `kubectl drain` sends for a pod."""
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}}
    return f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction", json.dumps(body)


def test_etcd_without_space(cluster: RealCluster, namespace: Namespace, ask: Ask) -> None:
    namespace.apply(deployment("checkout", namespace.name))
    namespace.wait_until_available("checkout")
    alarm("ACTIVATE")(namespace)
    try:
        with pytest.raises(RuntimeError, match="database space exceeded"):
            cluster.kubectl("create", "configmap", "one-more", "-n", namespace.name)

        def no_lease_is_renewed() -> bool:
            found = ask("scan", "-A")
            return any(one["diagnostic"] == "control-plane/nothing-is-stored" for one in found.findings)

        cluster.wait_for("the leases are old", no_lease_is_renewed)
        diagnosis = ask("scan", "-A")
        assert about(diagnosis.culprit) == ("control-plane/nothing-is-stored", "Namespace", "kube-system")
        assert diagnosis.exit_code == 1
    finally:
        alarm("DEACTIVATE")(namespace)
    cluster.kubectl("create", "configmap", "one-more", "-n", namespace.name)
    cluster.wait_for("leases are renewed", lambda: ask("scan", "-A").report["incidents"] == [])


@pytest.fixture
def signing(cluster: RealCluster) -> Iterator[RealCluster]:
    """kube-controller-manager signs what is approved."""
    folder = cluster.folder / "certificates"
    signer = (f"--cluster-signing-cert-file={folder}/ca.crt", f"--cluster-signing-key-file={folder}/ca.key")
    cluster.restart("kube-controller-manager", *signer)
    yield cluster
    cluster.restart("kube-controller-manager")


def test_a_kubelet_that_waits_for_its_serving_certificate(signing: RealCluster, namespace: Namespace, ask: Ask) -> None:
    kubelet_with(serverTLSBootstrap=True)(namespace)
    try:
        signing.wait_for("a request", lambda: bool(requests(namespace)))

        def is_found() -> bool:
            found = ask("scan", "-A")
            return any(one["diagnostic"] == "nodes/certificate-not-issued" for one in found.findings)

        signing.wait_for("it has waited for long", is_found)
        diagnosis = ask("scan", "-A")
        (found,) = [one for one in diagnosis.findings if one["diagnostic"] == "nodes/certificate-not-issued"]
        assert f"node {NODE_NAME} gets no serving certificate" in found["summary"]
        signing.paste(first_command(found, "kubectl certificate approve"))
        signing.wait_for("it is issued", lambda: any(one["status"].get("certificate") for one in requests(namespace)))
        left = [one for one in ask("scan", "-A").findings if one["diagnostic"] == "nodes/certificate-not-issued"]
        assert left == []
    finally:
        kubelet_with(serverTLSBootstrap=None)(namespace)
        signing.kubectl("delete", "certificatesigningrequests", "--all")
