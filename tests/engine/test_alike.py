"""One sentence about many workloads is one incident."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubedoctor.cluster import Cluster, Deployment, Pod, Ref, Service
from kubedoctor.engine import Catalogue, Incident, Report, load_catalogue, scan
from kubedoctor.findings import Explains, Finding
from tests.engine.clinic import complete, deployment, made, pod, replica_set, said
from tests.engine.crowd import crowd, stuck

SENTENCES = {
    "api": "api asks for 500m, at most 200m is free",
    "web": "web asks for 1.5, at most 200m is free",
    "big": "big asks for 64, the largest node has 16",
    "web-2": "web-2 asks for 2Gi, at most 200m is free",
}


def no_room(one: Deployment, cluster: Cluster) -> Iterator[Finding]:
    yield said(one, SENTENCES[one.name])


def pod_waits(one: Pod, cluster: Cluster) -> Iterator[Finding]:
    yield said(one, "it waits")


def no_endpoints(one: Service, cluster: Cluster) -> Iterator[Finding]:
    yield said(one, "no endpoints")


def run(*diagnostics: Any, manifests: tuple[dict[str, Any], ...]) -> Report:
    return scan(Catalogue(tuple(diagnostics)), complete(*manifests), lambda wants: None)


def names(report: Report, incident: Incident) -> list[str]:
    return [report.finding(id_).about.name for id_ in (incident.cause, *incident.alike)]


def test_the_same_sentence_but_for_names_and_amounts_is_one_incident() -> None:
    report = run(made(no_room, code="KD9001", subject=Deployment), manifests=tuple(map(deployment, SENTENCES)))
    assert sorted(names(report, incident) for incident in report.incidents) == [["api", "web", "web-2"], ["big"]]
    assert len(report.findings) == 4


def test_what_follows_from_each_of_them_keeps_its_own_cause() -> None:
    diagnostics = (
        made(no_room, code="KD9001", subject=Deployment, explains=(Explains("same"),)),
        made(pod_waits, code="KD9002", subject=Pod),
    )
    manifests = tuple(
        manifest
        for name in ("api", "web")
        for manifest in (deployment(name), replica_set(f"{name}-1", name), pod(f"{name}-1-a", owner=f"{name}-1"))
    )
    report = run(*diagnostics, manifests=manifests)
    (incident,) = report.incidents
    by_name = {finding.about.name: finding.id for finding in report.findings}
    assert names(report, incident) == ["api", "web"]
    assert incident.line_to(by_name["web-1-a"]) == (by_name["web"], by_name["web-1-a"])
    assert incident.line_to(by_name["web"]) == (by_name["web"],)
    seen = incident.seen_from(by_name["web-1-a"])
    assert (seen.cause, seen.consequences, seen.alike) == (by_name["web"], (by_name["web-1-a"],), (by_name["api"],))
    assert set(incident.members) == set(by_name.values())


def test_services_are_not_joined() -> None:
    services = tuple(
        {"kind": "Service", "metadata": {"name": name, "namespace": "shop"}, "spec": {"selector": {"app": name}}}
        for name in ("a", "b")
    )
    report = run(made(no_endpoints, code="KD9003", subject=Service), manifests=services)
    assert len(report.incidents) == 2


def test_186_deployments_without_room_are_few_incidents_and_the_dead_node_is_the_first() -> None:
    report = scan(load_catalogue(), complete(*crowd(186)), lambda wants: None)
    assert len(report.incidents) <= 5
    assert report.finding(report.incidents[0].cause).about == Ref("Node", "", "dead")
    waiting = {
        report.finding(id_).about
        for incident in report.incidents
        for id_ in (incident.cause, *incident.alike)
        if report.finding(id_).code == "KD1101"
    }
    assert len(waiting) == 186


def test_a_dead_node_with_180_pods_that_cannot_end_is_one_incident_with_all_of_them() -> None:
    report = scan(load_catalogue(), complete(*stuck(180)), lambda wants: None)
    first = report.incidents[0]
    assert len(report.incidents) <= 5
    assert report.finding(first.cause).about == Ref("Node", "", "dead")
    assert {report.finding(id_).about.name for id_ in first.consequences} == {f"svc-{index}" for index in range(180)}
