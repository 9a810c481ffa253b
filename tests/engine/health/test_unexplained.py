"""What is left unexplained, given what was found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kubedoctor.cluster import Cluster, Deployment, KubernetesObject, Node, Pod, Ref, quote
from kubedoctor.engine import Catalogue, Report, focus, scan
from kubedoctor.findings import Confidence, Finding, Severity
from tests.engine.clinic import complete, deployment, made, node, pod, replica_set, said

OLD = "2026-01-15T09:00:00Z"
WEB, REPLICAS, POD = Ref("Deployment", "shop", "web"), Ref("ReplicaSet", "shop", "web-1"), Ref("Pod", "shop", "web-1-a")


def unwell(manifest: dict[str, Any], type_: str, status: str = "False") -> dict[str, Any]:
    one = {"type": type_, "status": status, "reason": "Because", "lastTransitionTime": OLD}
    return {**manifest, "status": {**manifest.get("status", {}), "conditions": [one]}}


def leaving(manifest: dict[str, Any]) -> dict[str, Any]:
    return {**manifest, "metadata": {**manifest["metadata"], "deletionTimestamp": OLD}}


SHOP = (
    unwell(deployment("web"), "Available"),
    replica_set("web-1", "web"),
    unwell(pod("web-1-a", node="n1", owner="web-1"), "Ready"),
    unwell(node("n1"), "Ready"),
)


def finds(subject: type[KubernetesObject], severity: Severity = Severity.CRITICAL) -> Catalogue:
    def something(one: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
        yield said(one, "is wrong")

    return Catalogue((made(something, code="KD9001", subject=subject, severity=severity),))


def names(report: Report) -> list[Ref]:
    return [one.about for one in report.unexplained]


def test_in_a_scan_a_workload_speaks_for_its_pods() -> None:
    report = scan(Catalogue(()), complete(*SHOP), lambda wants: None)
    assert names(report) == [WEB, Ref("Node", "", "n1")]
    assert report.all_checked
    assert not report.complete


def test_what_is_found_explains_its_object_its_family_and_the_pods_of_its_node() -> None:
    assert names(scan(finds(Deployment), complete(*SHOP), lambda wants: None)) == [Ref("Node", "", "n1")]
    assert names(scan(finds(Pod), complete(*SHOP), lambda wants: None)) == [Ref("Node", "", "n1")]
    assert names(scan(finds(Node), complete(*SHOP), lambda wants: None)) == [WEB]
    assert names(scan(finds(Node), complete(*SHOP[1:]), lambda wants: None)) == []


def test_what_makes_a_workload_fail_does_not_explain_a_pod_that_does_not_go() -> None:
    snapshot = complete(*SHOP[:2], leaving(SHOP[2]))
    assert names(scan(finds(Deployment), snapshot, lambda wants: None)) == [POD]
    assert names(scan(finds(Pod), snapshot, lambda wants: None)) == []


def test_a_failing_pod_explains_the_custom_resources_above_it() -> None:
    owned = {"apiVersion": "core.strimzi.io/v1", "kind": "StrimziPodSet", "name": "web"}
    kafka = {"apiVersion": "kafka.strimzi.io/v1", "kind": "Kafka", "name": "web", "controller": False}
    top = unwell(
        {"apiVersion": kafka["apiVersion"], "kind": "Kafka", "metadata": {"name": "web", "namespace": "shop"}}, "Ready"
    )
    between = {
        "apiVersion": owned["apiVersion"],
        "kind": "StrimziPodSet",
        "metadata": {"name": "web", "namespace": "shop", "ownerReferences": [kafka]},
    }
    failing = pod("web-0")
    failing["metadata"]["ownerReferences"] = [{**owned, "controller": True}]
    snapshot = complete(top, between, failing)
    assert names(scan(finds(Pod), snapshot, lambda wants: None)) == []
    above = [Ref("Kafka.kafka.strimzi.io", "shop", "web")]
    assert names(scan(finds(Pod, Severity.WARNING), snapshot, lambda wants: None)) == above
    assert names(scan(Catalogue(()), snapshot, lambda wants: None)) == above


def test_a_notice_explains_only_what_it_quotes() -> None:
    def quotes(one: Deployment, cluster: Cluster) -> Iterator[Finding]:
        evidence = (quote(one, "status.conditions[type=Available].reason"),)
        yield Finding(Ref("Deployment", "shop", "web"), "is meant", evidence, Confidence.CERTAIN)

    assert names(scan(finds(Deployment, Severity.NOTICE), complete(SHOP[0]), lambda wants: None)) == [WEB]
    catalogue = Catalogue((made(quotes, code="KD9001", subject=Deployment, severity=Severity.NOTICE),))
    assert names(scan(catalogue, complete(SHOP[0]), lambda wants: None)) == []


def test_one_condition_quoted_against_an_object_explains_the_one_that_sums_up() -> None:
    def quotes_node(one: Pod, cluster: Cluster) -> Iterator[Finding]:
        (worker,) = cluster.all(Node)
        evidence = (quote(worker, "status.conditions[type=DiskPressure].message"),)
        yield Finding(POD, "the node is full", evidence, Confidence.CERTAIN, aspect="disk")

    worker = unwell(node("n1"), "Ready")
    full = {"type": "DiskPressure", "status": "True", "message": "the disk is full", "lastTransitionTime": OLD}
    worker["status"]["conditions"].append(full)
    catalogue = Catalogue((made(quotes_node, code="KD9001", subject=Pod),))
    assert names(scan(catalogue, complete(pod("web-1-a"), worker), lambda wants: None)) == []
    assert names(scan(Catalogue(()), complete(pod("web-1-a"), worker), lambda wants: None)) == [Ref("Node", "", "n1")]


def test_in_a_focus_the_subject_comes_first_and_what_belongs_to_it_follows() -> None:
    report = focus(Catalogue(()), WEB, complete(*SHOP), lambda wants: None)
    assert names(report)[0] == WEB
    assert POD in names(report)


def test_a_kind_that_no_diagnostic_looks_at_still_speaks() -> None:
    autoscaler = {"kind": "HorizontalPodAutoscaler", "metadata": {"name": "web", "namespace": "shop"}}
    subject = Ref("HorizontalPodAutoscaler", "shop", "web")
    report = focus(Catalogue(()), subject, complete(unwell(autoscaler, "ScalingActive")), lambda wants: None)
    assert names(report) == [subject]
    assert any("no diagnostic checks" in one.why for one in report.not_checked)


@pytest.mark.parametrize(("namespace", "expected"), [("shop", ["shop"]), ("other", []), ("", ["gone", "shop"])])
def test_with_a_namespace_no_other_speaks(namespace: str, expected: list[str]) -> None:
    gone = [leaving({"kind": "Namespace", "metadata": {"name": name}}) for name in ("shop", "gone")]
    report = scan(Catalogue(()), complete(*gone), lambda wants: None, namespace)
    assert [one.name for one in names(report)] == expected
