"""A workload that is not ready, without a finding, is never well; it may still start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kubedoctor.cli.exit_codes import ExitCode, exit_code
from kubedoctor.cluster import Cluster, Pod, Ref, quote
from kubedoctor.engine import Catalogue, Report, scan
from kubedoctor.engine.words import verdict_line
from kubedoctor.findings import Confidence, Finding, Severity
from tests.engine.clinic import complete, made
from tests.engine.health.test_trouble import ago, condition
from tests.engine.health.test_warnings import event, part

OWNER = {"kind": "ReplicaSet", "name": "web-1", "controller": True}


def workload(kind: str, ready: int, desired: int = 2, *conditions: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    status = {"readyReplicas": ready, "replicas": desired, "updatedReplicas": desired, "conditions": list(conditions)}
    if kind == "DaemonSet":
        status = {"numberReady": ready, "desiredNumberScheduled": desired, "currentNumberScheduled": desired}
    made = {"name": "web", "namespace": "shop", "creationTimestamp": ago(seconds=40), **metadata}
    return {"kind": kind, "metadata": made, "spec": {"replicas": desired}, "status": status}


def test_what_a_cluster_has_told_needs_no_date() -> None:
    told = pod("web-1", owner={})
    del told["metadata"]["creationTimestamp"]
    manifest = {**told, "metadata": {"name": "web-2", "namespace": "shop"}, "status": {}}
    report = scan(Catalogue(()), complete(told, manifest), lambda wants: None)
    assert [one.about for one in report.not_ready] == [Ref("Pod", "shop", "web-1")]


def pod(
    name: str, ready: str = "False", phase: str = "Running", owner: dict[str, Any] = OWNER, **more: Any
) -> dict[str, Any]:
    owners = {"ownerReferences": [owner]} if owner else {}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "creationTimestamp": ago(seconds=30), **owners, **more},
        "spec": {"nodeName": "n1", "containers": []},
        "status": {"phase": phase, "conditions": [condition("Ready", ready, since=ago(seconds=20))]},
    }


def report(*manifests: dict[str, Any], catalogue: Catalogue | None = None) -> Report:
    return scan(catalogue or Catalogue(()), complete(*manifests), lambda wants: None)


def waiting(*manifests: dict[str, Any]) -> list[tuple[str, str]]:
    return [(str(item.about), item.says) for item in report(*manifests).not_ready]


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"])
def test_a_workload_without_its_ready_pods(kind: str) -> None:
    assert waiting(workload(kind, 0)) == [(f"{kind}/shop/web", "0/2 ready")]
    assert waiting(workload(kind, 2)) == []
    assert waiting(workload(kind, 0, 0)) == []


def test_a_rollout_that_keeps_the_deployment_available_is_well() -> None:
    available = condition("Available", "True", "MinimumReplicasAvailable")
    assert waiting(workload("Deployment", 3, 4, available)) == []
    assert waiting(workload("Deployment", 3, 4, condition("Available", "False", since=ago(minutes=1)))) != []
    assert waiting(workload("Deployment", 0, 4, available)) != []


def test_pods_without_their_workload() -> None:
    assert waiting(pod("web-1-a"), pod("web-1-b"), pod("web-1-c", "True")) == [
        ("ReplicaSet/shop/web-1", "2 pods are not ready")
    ]
    assert waiting(pod("alone", owner={})) == [("Pod/shop/alone", "not ready")]
    assert waiting(pod("done", phase="Succeeded", owner={})) == []
    assert waiting(pod("leaving", owner={}, deletionTimestamp=ago(seconds=-20))) == []


def test_the_pod_of_a_job_need_not_be_ready_but_must_start() -> None:
    job = {"kind": "Job", "name": "web", "controller": True}
    assert waiting(pod("web-a", phase="Running", owner=job)) == []
    assert waiting(pod("web-a", phase="Pending", owner=job)) == [("Job/shop/web", "1 pod is not ready")]


def test_a_manifest_of_which_no_cluster_has_told_anything_is_not_waiting() -> None:
    assert waiting(workload("Deployment", 0, creationTimestamp=None)) == []


def test_it_is_neither_well_nor_a_finding() -> None:
    starting = report(workload("Deployment", 0))
    assert verdict_line(starting) == ("? namespace shop: no findings, but 1 workload is not ready, no cause found yet")
    assert exit_code(starting, Severity.WARNING, allow_gaps=False) is ExitCode.GAPS
    assert exit_code(report(workload("Deployment", 2)), Severity.WARNING, allow_gaps=False) is ExitCode.HEALTHY


def test_its_newest_warning_stands_beside_it() -> None:
    (item,) = scan(
        Catalogue(()),
        part(pod("web-1-a"), event("Pod", "Unhealthy", ago(seconds=5), count=6, name="web-1-a")),
        lambda wants: None,
    ).not_ready
    assert item.messages == ("event Unhealthy, 6 times, last 5s ago: the message of Unhealthy",)


def test_a_finding_about_a_pod_or_its_node_explains_it() -> None:
    def about_pod(one: Pod, cluster: Cluster) -> Iterator[Finding]:
        yield Finding(Ref("Pod", "shop", one.name), "x", (quote(one, "metadata.name"),), Confidence.CERTAIN)

    def about_node(one: Pod, cluster: Cluster) -> Iterator[Finding]:
        yield Finding(Ref("Node", "", "n1"), "x", (quote(one, "metadata.name"),), Confidence.CERTAIN)

    owner = {"kind": "DaemonSet", "name": "web", "controller": True}
    for check in (about_pod, about_node):
        catalogue = Catalogue((made(check, code="KD9001", subject=Pod),))
        assert report(workload("DaemonSet", 0, 1), pod("web-a", owner=owner), catalogue=catalogue).not_ready == ()
