"""Symptoms fold under their causes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from kubedoctor.cli.formats import render
from kubedoctor.cluster import (
    Cluster,
    ConfigMap,
    Deployment,
    Node,
    PersistentVolumeClaim,
    Pod,
    Ref,
    Service,
    ValidatingWebhookConfiguration,
)
from kubedoctor.cluster.relations.family import Family
from kubedoctor.engine import Catalogue, Incident, Report, scan
from kubedoctor.engine.catalogue import assemble
from kubedoctor.engine.words import circle_line
from kubedoctor.findings import Confidence, Evidence, Explains, Finding, Severity
from kubedoctor.findings.relations import Symptom, cause_relation
from tests.cli.test_formats import finding
from tests.cli.test_formats import report as reported
from tests.engine.clinic import complete, deployment, made, node, pod, replica_set, said


def sick_node(one: Node, cluster: Cluster) -> Iterator[Finding]:
    yield said(one, "the node is gone")


def sick_pod(one: Pod, cluster: Cluster) -> Iterator[Finding]:
    yield said(one, "the pod is not ready")


def stuck_rollout(one: Deployment, cluster: Cluster) -> Iterator[Finding]:
    yield said(one, "the rollout is stuck")


def empty_service(one: Service, cluster: Cluster) -> Iterator[Finding]:
    yield said(one, "nobody stands behind it")


def blaming_pod(one: Pod, cluster: Cluster) -> Iterator[Finding]:
    if one.name == "client":
        yield said(one, "connection refused", because_of=(Ref("Service", "shop", "web"),))


def unbound_claim(one: PersistentVolumeClaim, cluster: Cluster) -> Iterator[Finding]:
    yield said(one, "no volume")


def run(*diagnostics: Any, manifests: tuple[dict[str, Any], ...]) -> Report:
    return scan(Catalogue(tuple(diagnostics)), complete(*manifests), lambda wants: None)


def shape(report: Report) -> list[tuple[str, list[str]]]:
    return [
        (str(report.finding(one.cause).about), sorted(str(report.finding(name).about) for name in one.consequences))
        for one in report.incidents
    ]


SERVICE = {"kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"selector": {"app": "web"}}}


def test_one_node_with_187_pods_is_one_incident() -> None:
    pods = tuple(pod(f"web-{number}", node="n1") for number in range(187))
    report = run(
        made(sick_node, code="KD9001", subject=Node, explains=(Explains("runs"),)),
        made(sick_pod, code="KD9002", subject=Pod),
        manifests=(node("n1"), *pods),
    )
    (incident,) = report.incidents
    assert str(report.finding(incident.cause).about) == "Node/n1"
    assert len(incident.consequences) == 187


def test_pods_of_other_nodes_stay_incidents_of_their_own() -> None:
    report = run(
        made(sick_node, code="KD9001", subject=Node, explains=(Explains("runs"),)),
        made(sick_pod, code="KD9002", subject=Pod),
        manifests=(node("n1"), pod("web-1", node="n1"), pod("web-2", node="n2")),
    )
    assert shape(report) == [("Node/n1", ["Pod/shop/web-1"]), ("Pod/shop/web-2", [])]


def test_a_cause_explains_only_the_codes_that_it_names() -> None:
    report = run(
        made(sick_node, code="KD9001", subject=Node, explains=(Explains("runs", ("KD9999",)),)),
        made(sick_pod, code="KD9002", subject=Pod),
        manifests=(node("n1"), pod("web-1", node="n1")),
    )
    assert len(report.incidents) == 2


def test_a_pod_explains_the_rollout_of_its_deployment() -> None:
    report = run(
        made(sick_pod, code="KD9002", subject=Pod, explains=(Explains("same", ("KD9003",)),)),
        made(stuck_rollout, code="KD9003", subject=Deployment),
        manifests=(pod("web-1", owner="web-abc"), replica_set("web-abc", "web"), deployment("web")),
    )
    # The rollout's object is the Deployment; the pod's finding is about a pod of that Deployment.
    assert shape(report) == [("Pod/shop/web-1", ["Deployment/shop/web"])]


def test_a_service_suffers_from_the_pods_that_it_selects() -> None:
    report = run(
        made(sick_pod, code="KD9002", subject=Pod, explains=(Explains("selects"),)),
        made(empty_service, code="KD9004", subject=Service),
        manifests=(pod("web-1"), SERVICE),
    )
    assert shape(report) == [("Pod/shop/web-1", ["Service/shop/web"])]


def test_a_finding_that_names_what_it_blames_folds_under_it_along_the_chain() -> None:
    client = pod("client")
    client["metadata"]["labels"] = {"app": "client"}
    report = run(
        made(blaming_pod, code="KD9005", subject=Pod),
        made(empty_service, code="KD9004", subject=Service),
        made(sick_node, code="KD9001", subject=Node, explains=(Explains("runs"),)),
        manifests=(client, SERVICE, node("n1")),
    )
    assert ("Service/shop/web", ["Pod/shop/client"]) in shape(report)


def test_a_claim_explains_the_pods_that_mount_it() -> None:
    mounting = pod("web-1")
    mounting["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    report = run(
        made(unbound_claim, code="KD9006", subject=PersistentVolumeClaim, explains=(Explains("mounts"),)),
        made(sick_pod, code="KD9002", subject=Pod),
        manifests=(mounting, {"kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "shop"}}),
    )
    assert shape(report) == [("PersistentVolumeClaim/shop/data", ["Pod/shop/web-1"])]


def test_two_findings_that_explain_each_other_do_not_go_in_circles() -> None:
    everything = (Explains("same"),)
    report = run(
        made(sick_pod, code="KD9002", subject=Pod, explains=everything),
        made(blaming_pod, code="KD9005", subject=Pod, explains=everything),
        manifests=(pod("client"),),
    )
    (incident,) = report.incidents
    assert len(incident.consequences) == 1


def test_owners_in_a_circle_end() -> None:
    first, second = replica_set("a", "x"), replica_set("b", "x")
    first["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": "b", "controller": True}]
    second["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": "a", "controller": True}]
    report = run(made(sick_pod, code="KD9002", subject=Pod), manifests=(pod("web-1", owner="a"), first, second))
    assert len(report.incidents) == 1


def test_incidents_come_worst_first() -> None:
    report = run(
        made(sick_pod, code="KD9002", subject=Pod, severity=Severity.NOTICE),
        made(empty_service, code="KD9004", subject=Service, severity=Severity.CRITICAL),
        manifests=(pod("web-1"), SERVICE),
    )
    assert [name for name, _ in shape(report)] == ["Service/shop/web", "Pod/shop/web-1"]


def likely_service(one: Service, cluster: Cluster) -> Iterator[Finding]:
    yield said(one, "no name resolves", Confidence.LIKELY)


def test_the_cluster_s_own_parts_come_first_among_what_is_equally_bad() -> None:
    dns = {"kind": "Service", "metadata": {"name": "kube-dns", "namespace": "kube-system"}, "spec": {}}
    report = run(
        made(sick_pod, code="KD9002", subject=Pod),
        made(likely_service, code="KD9003", subject=Service),
        manifests=(pod("web-1", node="n1"), dns),
    )
    assert [about for about, _ in shape(report)] == ["Service/kube-system/kube-dns", "Pod/shop/web-1"]


@cause_relation("routes")
def routes(symptom: Symptom, family: Family) -> Iterator[Ref]:
    """A Service explains what is wrong with the pods of its name."""
    yield Ref("Service", symptom.about.namespace, symptom.about.name.rpartition("-")[0])


def test_a_relation_of_a_package_folds_as_the_built_in_ones_do() -> None:
    cause = made(empty_service, code="KD9004", subject=Service, explains=(Explains("routes"),))
    symptom = made(sick_pod, code="KD9002", subject=Pod)
    found = scan(assemble([cause, symptom, routes]), complete(pod("web-1"), SERVICE), lambda wants: None)
    assert shape(found) == [("Service/shop/web", ["Pod/shop/web-1"])]


def test_a_cause_along_a_built_in_relation_is_nearer() -> None:
    """A package that is installed takes no consequence away from a cause that is known without it."""
    service = made(empty_service, code="KD9004", subject=Service, explains=(Explains("routes"),))
    machine = made(sick_node, code="KD9001", subject=Node, explains=(Explains("runs"),))
    catalogue = assemble([service, machine, made(sick_pod, code="KD9002", subject=Pod), routes])
    found = scan(catalogue, complete(node("n1"), pod("web-1", node="n1"), SERVICE), lambda wants: None)
    assert ("Node/n1", ["Pod/shop/web-1"]) in shape(found)


@cause_relation("breaks")
def breaks(symptom: Symptom, family: Family) -> Iterator[Ref]:
    names: dict[str, str] = {}
    yield Ref("Node", "", names["no such label"])


def test_a_relation_that_raises_is_told_and_costs_nothing_else() -> None:
    found = scan(
        assemble([made(sick_pod, code="KD9002", subject=Pod), breaks]), complete(pod("web-1")), lambda wants: None
    )
    assert shape(found) == [("Pod/shop/web-1", [])]
    assert found.problems == ("the relation breaks failed: KeyError: 'no such label'",)


def full_quota(one: ConfigMap, cluster: Cluster) -> Iterator[Finding]:
    yield said(one, "the quota is full", affects=(Ref("Deployment", "shop", "web"),))


def service_without_pods(one: Service, cluster: Cluster) -> Iterator[Finding]:
    yield said(one, "no pods", because_of=(Ref("Deployment", "shop", "web"),))


QUOTA = {"kind": "ConfigMap", "metadata": {"name": "quota", "namespace": "shop"}}


def test_what_affects_a_blamed_workload_explains_too() -> None:
    diagnostics = (
        made(full_quota, code="KD9001", subject=ConfigMap),
        made(service_without_pods, code="KD9002", subject=Service),
    )
    report = run(*diagnostics, manifests=(deployment("web"), SERVICE, QUOTA))
    assert shape(report) == [("ConfigMap/shop/quota", ["Service/shop/web"])]


def test_what_is_found_about_a_blamed_workload_is_nearer_than_what_affects_it() -> None:
    diagnostics = (
        made(full_quota, code="KD9001", subject=ConfigMap),
        made(service_without_pods, code="KD9002", subject=Service),
        made(stuck_rollout, code="KD9003", subject=Deployment),
    )
    report = run(*diagnostics, manifests=(deployment("web"), SERVICE, QUOTA))
    assert ("Deployment/shop/web", ["Service/shop/web"]) in shape(report)


def broken_node(one: Node, cluster: Cluster) -> Iterator[Finding]:
    yield said(one, "starts no pods", affects=(Ref("Pod", "shop", "web-0"),))


def test_a_cause_explains_what_happens_to_the_workloads_of_the_pods_that_it_affects() -> None:
    diagnostics = (
        made(broken_node, code="KD9001", subject=Node, explains=(Explains("affects", ("KD9002", "KD9003")),)),
        made(stuck_rollout, code="KD9002", subject=Deployment),
        made(empty_service, code="KD9003", subject=Service),
    )
    owned = pod("web-0", node="n1", owner="web-1")
    manifests = (node("n1"), deployment("web"), replica_set("web-1", "web"), owned, SERVICE)
    report = run(*diagnostics, manifests=manifests)
    assert shape(report) == [("Node/n1", ["Deployment/shop/web", "Service/shop/web"])]


def test_what_is_found_about_a_workload_itself_is_nearer_than_what_affects_it() -> None:
    diagnostics = (
        made(broken_node, code="KD9001", subject=Node, explains=(Explains("affects", ("KD9002",)),)),
        made(sick_pod, code="KD9003", subject=Pod, explains=(Explains("same", ("KD9002",)),)),
        made(stuck_rollout, code="KD9002", subject=Deployment),
    )
    owned = pod("web-0", node="n1", owner="web-1")
    manifests = (node("n1"), deployment("web"), replica_set("web-1", "web"), owned)
    report = run(*diagnostics, manifests=manifests)
    assert ("Node/n1", []) in shape(report)


def test_a_circle_through_a_webhook_begins_with_its_configuration() -> None:
    """It refuses the pods of a DaemonSet, without which the node is not ready on which the webhook's own server would run."""

    def refusing(one: ValidatingWebhookConfiguration, cluster: Cluster) -> Iterator[Finding]:
        yield said(
            one,
            "refuses pods",
            because_of=(Ref("Service", "shop", "web"),),
            affects=(Ref("DaemonSet", "kube-system", "network"),),
        )

    def without_network(one: Node, cluster: Cluster) -> Iterator[Finding]:
        yield said(one, "no network", because_of=(Ref("DaemonSet", "kube-system", "network"),))

    report = run(
        made(without_network, code="KD9001", subject=Node, explains=(Explains("runs"),)),
        made(empty_service, code="KD9002", subject=Service),
        made(sick_pod, code="KD9003", subject=Pod, explains=(Explains("selects"),)),
        made(refusing, code="KD9004", subject=ValidatingWebhookConfiguration),
        manifests=(
            node("n1"),
            pod("web-1", node="n1"),
            SERVICE,
            {"kind": "ValidatingWebhookConfiguration", "metadata": {"name": "policies"}},
            {"kind": "DaemonSet", "metadata": {"name": "network", "namespace": "kube-system"}},
        ),
    )
    assert shape(report) == [
        ("ValidatingWebhookConfiguration/policies", ["Node/n1", "Pod/shop/web-1", "Service/shop/web"])
    ]
    (incident,) = report.incidents
    around = [report.finding(name).about.kind for name in incident.circle]
    assert around == ["ValidatingWebhookConfiguration", "Node", "Pod", "Service"]
    assert circle_line(report, incident).endswith(
        "Service shop/web → ValidatingWebhookConfiguration policies; "
        "to break it, begin with ValidatingWebhookConfiguration policies"
    )
    assert [link.relation for link in incident.links] == ["affects", "selects", "runs"]  # by code
    assert "to break it, begin with" in " ".join(render(report, "text").split())
    assert json.loads(render(report, "json"))["incidents"][0]["circle"] == list(incident.circle)


def test_each_link_says_how_it_is_related_and_what_else_may_explain_the_finding() -> None:
    report = run(
        made(sick_node, code="KD9001", subject=Node, explains=(Explains("runs", ("KD9002",)),)),
        made(sick_pod, code="KD9002", subject=Pod),
        made(stuck_rollout, code="KD9003", subject=Deployment, explains=(Explains("same", ("KD9002",)),)),
        manifests=(node("n1"), deployment("web"), replica_set("web-1", "web"), pod("web-0", node="n1", owner="web-1")),
    )
    incident = next(one for one in report.incidents if one.links)
    (link,) = incident.links
    assert (link.finding, link.because) == (incident.consequences[0], incident.cause)
    (rival,) = link.rivals
    assert [report.finding(name).about.kind for name in (link.because, rival)] == ["Node", "Deployment"]
    assert link.relation == "runs"


def test_a_chain_is_as_sure_as_its_weakest_finding() -> None:
    sure, unsure, last = (
        finding(1),
        finding(2, confidence=Confidence.POSSIBLE, would_disprove="x"),
        finding(3, confidence=Confidence.LIKELY),
    )
    incident = Incident(sure.id, (unsure.id, last.id), (sure.id, unsure.id))
    one = reported(sure, unsure, last, incidents=(incident,))
    assert one.confidence_of(incident, sure.id) is Confidence.CERTAIN
    assert one.confidence_of(incident, last.id) is Confidence.POSSIBLE


def test_who_reads_a_log_explains_what_is_found_of_the_log_alone() -> None:
    """A finding about another object by the same log, or by the same message in a status, knows more of it."""
    message = "creating instance: UnauthorizedOperation: You are not authorized to perform this operation"
    line = Evidence(Ref("Pod", "shop", "operator"), "log[app][-1]", f"level=error msg='{message}'", "")
    stated = Evidence(Ref("ConfigMap", "shop", "a"), "status.conditions[type=Ready].message", message, "")
    for fact in (line, stated):

        def log_alone(one: Pod, cluster: Cluster) -> Iterator[Finding]:
            yield Finding(Ref("Pod", "shop", one.name), "it keeps failing", (line,), Confidence.LIKELY)

        def of_an_object(one: ConfigMap, cluster: Cluster, fact: Evidence = fact) -> Iterator[Finding]:
            yield Finding(Ref("ConfigMap", "shop", one.name), "it is not created", (fact,), Confidence.LIKELY)

        report = run(
            made(log_alone, code="KD9001", subject=Pod, severity=Severity.WARNING),
            made(of_an_object, code="KD9002", subject=ConfigMap, severity=Severity.WARNING),
            manifests=(pod("operator"), {"kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"}}),
        )
        assert shape(report) == [("ConfigMap/shop/a", ["Pod/shop/operator"])]
