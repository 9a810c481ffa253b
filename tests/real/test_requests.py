"""What leaves the process, as the API server itself wrote it down in its audit log."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.real.cluster.certificates import VISITOR
from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.layout import Document
from tests.real.diagnosis import Diagnosis
from tests.real.namespace import Namespace
from tests.real.workloads import deployment

pytestmark = pytest.mark.real

Ask = Callable[..., Diagnosis]
READS = {"get", "list", "watch"}
REVIEWS = {"selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"}


def visits(cluster: RealCluster) -> list[Document]:
    """All requests so far of the account that only kubedoctor uses."""
    lines = (cluster.folder / "audit.log").read_text().splitlines()
    return [entry for entry in map(json.loads, lines) if entry["user"]["username"] == VISITOR]


def is_read(request: Document) -> bool:
    if request["verb"] == "create":
        return request.get("objectRef", {}).get("resource") in REVIEWS
    return request["verb"] in READS


def test_the_audit_log_would_show_a_change(cluster: RealCluster, namespace: Namespace) -> None:
    """The log tells changes from reads, so a clean log means something."""
    name = f"--kubeconfig={cluster.visitor_kubeconfig}"
    before = len(visits(cluster))
    cluster.kubectl(name, "create", "configmap", "made-by-visitor", "-n", namespace.name)
    made = [request for request in visits(cluster)[before:] if not is_read(request)]
    assert [(request["verb"], request["objectRef"]["resource"]) for request in made] == [("create", "configmaps")]
    assert all(request["userAgent"].startswith("kubectl") for request in made)


def test_only_reads_leave_the_process(cluster: RealCluster, namespace: Namespace, ask: Ask) -> None:
    namespace.apply(
        deployment("web", namespace.name),
        deployment("checkout", namespace.name, "exit", "-code", "3", "-after", "100ms"),
        deployment("big", namespace.name, container={"resources": {"requests": {"cpu": "64"}}}),
    )
    namespace.wait_until_available("web")
    namespace.cluster.wait_for("CrashLoopBackOff", lambda: namespace.waiting("checkout", "CrashLoopBackOff"))
    before = len(visits(cluster))

    for subject in ("web", "checkout", "big"):
        ask("deploy", subject, "-n", namespace.name)
    ask("scan", "-A")

    requests = visits(cluster)[before:]
    assert len(requests) > 10, "the scan alone lists more kinds than that"
    assert [request for request in requests if not is_read(request)] == []
    assert {request["userAgent"].partition("/")[0] for request in requests} == {"kubedoctor"}


def test_a_running_pod_costs_few_requests_and_they_are_counted(
    cluster: RealCluster, namespace: Namespace, ask: Ask
) -> None:
    namespace.apply(deployment("web", namespace.name))
    namespace.wait_until_available("web")
    before = len(visits(cluster))

    diagnosis = ask("pod", namespace.pod_name("web"), "-n", namespace.name, "--stats")

    requests = [request["requestURI"] for request in visits(cluster)[before:]]
    assert len(requests) <= 8, "\n".join(requests)
    assert diagnosis.report["requests"] == len(requests), "\n".join(requests)
