"""Examination in rounds and in one pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kubedoctor.cluster import (
    Cluster,
    ConfigMap,
    CustomResource,
    LogWant,
    Node,
    Pod,
    Ref,
    Service,
    Snapshot,
    Source,
    Want,
    kind_name,
    ref,
    related,
)
from kubedoctor.cluster.relations.workloads import workload_of
from kubedoctor.engine import Catalogue, focus, scan
from kubedoctor.engine.catalogue import assemble
from kubedoctor.findings import Confidence, Finding, Severity
from tests.engine.clinic import TAKEN_AT, complete, deployment, live, made, node, objects, pod, replica_set, said

WEB = Ref("Pod", "shop", "web-1")


def reads_config(one: Pod, cluster: Cluster) -> Iterator[Finding]:
    """Needs a ConfigMap, then a Node: one round each."""
    if cluster.get(ConfigMap, one.namespace, "settings") is None and cluster.get(Node, "", one.spec.node_name):
        yield said(one, "settings are missing")


def helped_by_config(one: Pod, cluster: Cluster) -> Iterator[Finding]:
    cluster.maybe.all(ConfigMap, one.namespace)
    yield said(one, "something is wrong")


def raises(one: Pod, cluster: Cluster) -> Iterator[Finding]:
    yield said(one, one.labels["no such thing"])


def blames_deployment(one: Pod, cluster: Cluster) -> Iterator[Finding]:
    from kubedoctor.cluster import quote

    yield Finding(workload_of(one, cluster), "the template is wrong", (quote(one, "spec.nodeName"),), Confidence.LIKELY)


class Server:
    """Answers wants from a list of objects, and remembers them round by round."""

    def __init__(self, snapshot: Snapshot, *manifests: dict[str, Any], refused: tuple[str, ...] = ()) -> None:
        self.snapshot = snapshot
        self.objects = objects(*manifests)
        self.refused = refused
        self.rounds: list[set[str]] = []

    def gather(self, wants: frozenset[Want | LogWant]) -> None:
        self.rounds.append({str(want) for want in wants})
        for want in wants:
            if isinstance(want, LogWant):
                self.snapshot.add_log(want, None)
            elif want.kind in self.refused:
                self.snapshot.refuse(want, f"list {want.kind} is forbidden")
            else:
                self.snapshot.add(one for one in self.objects if kind_name(one) == want.kind)
                self.snapshot.cover(want)


def test_focus_fetches_what_checks_ask_for_and_runs_them_again() -> None:
    snapshot = live()
    server = Server(snapshot, pod("web-1", node="n1"), node("n1"))
    report = focus(Catalogue((made(reads_config, code="KD9001", subject=Pod),)), WEB, snapshot, server.gather)
    assert [one.summary for one in report.findings] == ["settings are missing"]
    assert server.rounds[0] == {
        "get Pod/web-1 in shop",
        "get Namespace/shop",
        "list NetworkPolicy in shop",
        "list Service in shop",
    }
    assert any("get ConfigMap/settings in shop" in wants for wants in server.rounds)
    assert report.rounds == len(server.rounds) <= 3


LICENSE = "License.acme.example"


@related(Pod)
def license_of(one: Pod, _: Cluster) -> Iterator[Ref]:
    yield Ref(LICENSE, one.namespace, "gold")


def expired(one: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    yield said(one, "it has expired")


def test_focus_follows_the_relations_of_a_package_to_its_own_kinds() -> None:
    snapshot = live()
    license_ = {"kind": LICENSE, "metadata": {"name": "gold", "namespace": "shop"}}
    server = Server(snapshot, pod("web-1", node="n1"), license_)
    catalogue = assemble([made(expired, code="KD9001", subject=LICENSE), license_of])
    report = focus(catalogue, WEB, snapshot, server.gather)
    assert [str(one.about) for one in report.findings] == [f"{LICENSE}/shop/gold"]
    assert f"get {LICENSE}/gold in shop" in server.rounds[1]


def blames_service(one: Pod, cluster: Cluster) -> Iterator[Finding]:
    yield said(one, "connection refused", because_of=(Ref("Service", "shop", "db"),))


def empty_service(one: Service, cluster: Cluster) -> Iterator[Finding]:
    yield said(one, "nobody stands behind it")


def test_focus_examines_what_a_finding_blames() -> None:
    snapshot = live()
    service = {"kind": "Service", "metadata": {"name": "db", "namespace": "shop"}, "spec": {}}
    server = Server(snapshot, pod("web-1", node="n1"), service)
    catalogue = Catalogue(
        (made(blames_service, code="KD9001", subject=Pod), made(empty_service, code="KD9002", subject=Service))
    )
    report = focus(catalogue, WEB, snapshot, server.gather)
    (incident,) = report.incidents
    assert report.finding(incident.cause).code == "KD9002"
    assert [report.finding(name).code for name in incident.consequences] == ["KD9001"]


def test_focus_asks_for_nothing_twice() -> None:
    snapshot = live()
    server = Server(snapshot, pod("web-1", node="n1"), node("n1"))
    focus(Catalogue((made(reads_config, code="KD9001", subject=Pod),)), WEB, snapshot, server.gather)
    asked = [want for wants in server.rounds for want in wants]
    assert len(asked) == len(set(asked))


def test_focus_ends_when_a_check_asks_for_ever_new_things() -> None:
    def insatiable(one: Pod, cluster: Cluster) -> Iterator[Finding]:
        for number in range(1000):
            cluster.get(ConfigMap, one.namespace, f"settings-{number}")
        yield said(one, "never")

    snapshot = live()
    server = Server(snapshot, pod("web-1", node="n1"))
    report = focus(Catalogue((made(insatiable, code="KD9001", subject=Pod),)), WEB, snapshot, server.gather)
    assert not report.findings
    assert any("not fetched after" in one.why for one in report.not_checked)
    assert not report.complete


def test_focus_on_what_does_not_exist_is_empty() -> None:
    snapshot = live()
    report = focus(Catalogue(()), WEB, snapshot, Server(snapshot).gather)
    assert not report.findings


def test_a_refused_kind_makes_the_check_not_checked() -> None:
    snapshot = live()
    server = Server(snapshot, pod("web-1", node="n1"), refused=("ConfigMap",))
    report = focus(Catalogue((made(reads_config, code="KD9001", subject=Pod),)), WEB, snapshot, server.gather)
    assert [(one.diagnostic, one.about, one.why) for one in report.not_checked if one.diagnostic] == [
        ("test/reads-config", WEB, "ConfigMap: list ConfigMap is forbidden")
    ]


def test_a_refused_kind_that_only_helps_becomes_a_gap_of_the_finding() -> None:
    snapshot = complete(pod("web-1", node="n1"))
    snapshot.refuse(Want("ConfigMap"), "list configmaps is forbidden")
    report = scan(Catalogue((made(helped_by_config, code="KD9001", subject=Pod),)), snapshot, lambda wants: None)
    assert report.findings[0].gaps == ("ConfigMap: list configmaps is forbidden",)
    assert report.findings[0].confidence is Confidence.CERTAIN


def test_a_check_that_finds_nothing_says_what_it_could_not_see() -> None:
    def needs_config_to_speak(one: Pod, cluster: Cluster) -> Iterator[Finding]:
        if cluster.maybe.all(ConfigMap, one.namespace):
            yield said(one, "something is wrong")

    snapshot = complete(pod("web-1"))
    snapshot.refuse(Want("ConfigMap"), "list configmaps is forbidden")
    report = scan(Catalogue((made(needs_config_to_speak, code="KD9001", subject=Pod),)), snapshot, lambda wants: None)
    assert [(one.about, one.why) for one in report.not_checked] == [(WEB, "ConfigMap: list configmaps is forbidden")]
    assert not report.complete


def test_a_partial_answer_lowers_the_confidence() -> None:
    snapshot = live()
    snapshot.replace_all("Pod", objects(pod("web-1", node="n1")))
    snapshot.limit(Want("ConfigMap", "shop"), "the list stopped after 500 objects")
    report = scan(Catalogue((made(helped_by_config, code="KD9001", subject=Pod),)), snapshot, lambda wants: None)
    assert report.findings[0].confidence is Confidence.LIKELY
    assert "stopped after" in report.findings[0].gaps[0]


def test_events_that_are_not_there_lower_no_confidence() -> None:
    """They expire, so that nothing is concluded from their absence anyway."""

    def told_by_an_event(one: Pod, cluster: Cluster) -> Iterator[Finding]:
        cluster.events_about(ref(one))
        yield said(one, "something is wrong")

    snapshot = Snapshot(TAKEN_AT, Source("bundle", "file"), closed=True)
    snapshot.add(objects(pod("web-1", node="n1")))
    snapshot.limit(Want("Event", "shop"), "only objects of the file")
    check = made(told_by_an_event, code="KD9001", subject=Pod)
    (finding,) = scan(Catalogue((check,)), snapshot, lambda wants: None).findings
    assert (finding.confidence, finding.gaps) == (Confidence.CERTAIN, ("Event: only objects of the file",))


def test_a_check_that_raises_costs_no_other() -> None:
    catalogue = Catalogue(
        (made(raises, code="KD9001", subject=Pod), made(helped_by_config, code="KD9002", subject=Pod))
    )
    report = scan(catalogue, complete(pod("web-1", node="n1")), lambda wants: None)
    assert [one.code for one in report.findings] == ["KD9002"]
    (failed,) = report.not_checked
    assert failed.why.startswith("the check failed: KeyError")
    assert "Traceback" in failed.traceback


def test_findings_about_one_workload_are_one_and_name_its_pods() -> None:
    snapshot = complete(
        pod("web-1", node="n1", owner="web-abc"),
        pod("web-2", node="n1", owner="web-abc"),
        replica_set("web-abc", "web"),
        deployment("web"),
    )
    report = scan(Catalogue((made(blames_deployment, code="KD9001", subject=Pod),)), snapshot, lambda wants: None)
    (one,) = report.findings
    assert one.about == Ref("Deployment", "shop", "web")
    assert one.affects == (WEB, Ref("Pod", "shop", "web-2"))


def test_a_scan_of_a_namespace_leaves_out_the_others() -> None:
    snapshot = complete(pod("web-1", node="n1"))
    catalogue = Catalogue((made(helped_by_config, code="KD9001", subject=Pod),))
    assert len(scan(catalogue, snapshot, lambda wants: None, "shop").findings) == 1
    assert not scan(catalogue, snapshot, lambda wants: None, "other").findings
    assert not scan(catalogue, snapshot, lambda wants: None, picked=lambda obj: False).findings


def test_a_scan_of_a_namespace_follows_the_blame_to_another() -> None:
    service = {"kind": "Service", "metadata": {"name": "db", "namespace": "data"}, "spec": {}}

    def blames_elsewhere(one: Pod, cluster: Cluster) -> Iterator[Finding]:
        yield said(one, "connection refused", because_of=(Ref("Service", "data", "db"),))

    catalogue = Catalogue(
        (made(blames_elsewhere, code="KD9001", subject=Pod), made(empty_service, code="KD9002", subject=Service))
    )
    report = scan(catalogue, complete(pod("web-1", node="n1"), service), lambda wants: None, "shop")
    (incident,) = report.incidents
    assert report.finding(incident.cause).about == Ref("Service", "data", "db")


def test_a_subject_that_cannot_be_listed_is_not_checked() -> None:
    snapshot = complete()
    snapshot.refuse(Want("Pod"), "list pods is forbidden")
    report = scan(Catalogue((made(raises, code="KD9001", subject=Pod),)), snapshot, lambda wants: None)
    assert [(one.diagnostic, one.about) for one in report.not_checked] == [("test/raises", None)]
    assert not report.complete


def reads_log(one: Pod, cluster: Cluster) -> Iterator[Finding]:
    cluster.log_tail(one, "app", previous=True)
    yield said(one, "it crashes")


def test_a_scan_of_a_namespace_says_what_it_lacks_of_it_and_of_the_cluster() -> None:
    snapshot = live()
    snapshot.limit(Want("Pod", "shop"), "list pods in shop stopped after 500 objects")
    snapshot.refuse(Want("Node"), "list nodes is forbidden")
    checks = (
        made(helped_by_config, code="KD9001", subject=Pod),
        made(helped_by_config, code="KD9002", subject=Node),
    )
    report = scan(Catalogue(checks), snapshot, lambda wants: None, "shop")
    assert {one.why for one in report.not_checked} == {
        "Pod: list pods in shop stopped after 500 objects",
        "Node: list nodes is forbidden",
    }


def test_a_scan_reads_one_log_for_each_workload() -> None:
    snapshot = complete(
        *(pod(f"web-{number}", node="n1", owner="web-abc") for number in range(5)), pod("lone", node="n1")
    )
    asked: list[LogWant] = []

    def gather(wants: frozenset[Want | LogWant]) -> None:
        for want in wants:
            assert isinstance(want, LogWant)
            asked.append(want)
            snapshot.add_log(want, None)

    snapshot.closed = False
    report = scan(Catalogue((made(reads_log, code="KD9001", subject=Pod),)), snapshot, gather)
    assert sorted(want.pod for want in asked) == ["lone", "web-0"]
    assert len(report.findings) == 6


def test_a_scan_fetches_what_a_log_leads_to() -> None:
    """A program of the scanned namespace may call a Service of another one."""

    def follows_its_log(one: Pod, cluster: Cluster) -> Iterator[Finding]:
        cluster.log_tail(one, "app")
        if any(service.name == "db" for service in cluster.all(Service)):
            yield said(one, "its database is elsewhere")

    snapshot = live()
    snapshot.replace_all("Pod", objects(pod("web-1", node="n1")))
    server = Server(snapshot, {"kind": "Service", "metadata": {"name": "db", "namespace": "data"}})
    check = made(follows_its_log, code="KD9001", subject=Pod)
    report = scan(Catalogue((check,)), snapshot, server.gather, "shop")
    assert [finding.summary for finding in report.findings] == ["its database is elsewhere"]
    assert (report.not_checked, report.rounds) == ((), 2)


def test_a_scan_does_not_ask_for_ever() -> None:
    def insatiable(one: Pod, cluster: Cluster) -> Iterator[Finding]:
        for number in range(99):
            cluster.get(ConfigMap, one.namespace, f"config-{number}")
        yield said(one, "")

    snapshot = live()
    snapshot.replace_all("Pod", objects(pod("web-1", node="n1")))
    server = Server(snapshot)
    report = scan(Catalogue((made(insatiable, code="KD9001", subject=Pod),)), snapshot, server.gather, "shop")
    assert [entry.why for entry in report.not_checked] == ["get ConfigMap/config-4 in shop: could not be read"]
    assert len(server.rounds) == 4


@pytest.mark.parametrize("severity", list(Severity))
def test_the_predicate_spares_the_check(severity: Severity) -> None:
    seen: list[str] = []

    def notes(one: Pod, cluster: Cluster) -> Iterator[Finding]:
        seen.append(one.name)
        yield from ()

    catalogue = Catalogue(
        (made(notes, code="KD9001", subject=Pod, severity=severity, when=lambda one: one.name != "web-1"),)
    )
    scan(catalogue, complete(pod("web-1", node="n1"), pod("web-2", node="n1")), lambda wants: None)
    assert seen == ["web-2"]
