"""Which incidents concern a row, and what their pages say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kubedoctor.cluster import Evidence, Ref, Snapshot, Source
from kubedoctor.cluster.relations.family import Family
from kubedoctor.engine import Catalogue, Incident, NotChecked, Report, ReportedFinding, Unexplained, load_catalogue
from kubedoctor.engine.health import Health
from kubedoctor.findings import Command, Confidence, Effect, Fix, Severity
from kubedoctor.tui.pages.incidents import copyables, incident_page, verdict_of_incident, verdict_on
from kubedoctor.tui.pages.lessons import lesson_page
from kubedoctor.tui.rows import Row, View, make_rows
from tests.tui.recordings import recorded
from tests.tui.test_rows import cluster, meta, pod

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
WEB = Ref("Deployment", "shop", "web")
POD = Ref("Pod", "shop", "web-1-a")
NODE = Ref("Node", "", "n1")
SERVICE = Ref("Service", "shop", "web")


def shop() -> Snapshot:
    return cluster(
        ("Deployment", {"metadata": meta("web"), "spec": {"replicas": 1}}),
        ("ReplicaSet", {"metadata": meta("web-1", ("Deployment", "web")), "spec": {"replicas": 1}}),
        pod("web-1-a", ("ReplicaSet", "web-1"), ready="False"),
        ("Deployment", {"metadata": meta("api"), "status": {"readyReplicas": 1, "updatedReplicas": 1}}),
    )


def finding(id_: str, about: Ref, **more: object) -> ReportedFinding:
    fields: dict[str, object] = {
        "id": id_,
        "code": "KD9999",
        "diagnostic": "made/up",
        "severity": Severity.CRITICAL,
        "confidence": Confidence.CERTAIN,
        "about": about,
        "summary": f"{id_} is wrong",
        "evidence": (Evidence(about, "status.phase", "Bad", "as an example"),),
        **more,
    }
    return ReportedFinding(**fields)  # type: ignore[arg-type]  # the fields are given by name above


def report(*findings: ReportedFinding, incidents: tuple[Incident, ...] = (), **more: object) -> Report:
    fields: dict[str, object] = {
        "taken_at": NOW,
        "source": Source("bundle", "made"),
        "subject": None,
        "namespaces": ("shop",),
        "incidents": incidents or tuple(Incident(one.id) for one in findings),
        "findings": findings,
        "not_checked": (),
        "diagnostics_run": 7,
        "objects_seen": 4,
        **more,
    }
    return Report(**fields)  # type: ignore[arg-type]  # the fields are given by name above


def row(ref: Ref, health: Health = Health.BROKEN, ready: str = "0/1") -> Row:
    return Row(ref, health, ready)


def page_of(ref: Ref, made: Report, health: Health = Health.BROKEN, *, full: bool = False) -> str:
    snapshot = shop()
    verdict = verdict_on(ref, made, Family(snapshot))
    return incident_page(verdict, row(ref, health), snapshot, Catalogue(()), full=full).plain


def test_a_finding_about_a_pod_concerns_its_workload_and_no_other() -> None:
    made = report(finding("f1", POD))
    family = Family(shop())
    assert [one.cause for one in verdict_on(WEB, made, family).incidents] == ["f1"]
    assert verdict_on(Ref("Deployment", "shop", "api"), made, family).incidents == ()


def test_a_pod_shares_the_finding_of_its_workload() -> None:
    assert [one.cause for one in verdict_on(POD, report(finding("f1", WEB)), Family(shop())).incidents] == ["f1"]


def test_an_incident_concerns_whom_only_a_consequence_touches() -> None:
    made = report(
        finding("f1", NODE), finding("f2", POD), finding("f3", SERVICE), incidents=(Incident("f1", ("f2", "f3")),)
    )
    page = page_of(WEB, made)
    assert page.index("✗ f2 is wrong") < page.index("because ✗ Node n1  f1 is wrong")
    assert "Impact" in page
    assert "f3 is wrong" in page


def test_the_page_of_what_suffers_starts_with_its_own_sentence_and_the_chain_from_the_cause() -> None:
    policy = Ref("Deployment", "shop", "policy")
    made = report(
        finding(
            "f1", policy, severity=Severity.NOTICE, fixes=(Fix("scale it up", "kubectl scale"),), detail="At length."
        ),
        finding("f2", SERVICE),
        finding("f3", POD, affects=(WEB,)),
        finding("f4", NODE),
        incidents=(Incident("f1", ("f2", "f3", "f4"), ("f1", "f2", "f1")),),
    )
    page = page_of(WEB, made)
    lines = page.splitlines()
    assert lines[:5] == [
        "✗ f3 is wrong",
        "  because ✗ Deployment shop/policy  f1 is wrong  KD9999 · certain",
        "    └ ✗ Service shop/web  f2 is wrong",
        "Fix",
        "  1 scale it up  changes cluster",
    ]
    assert page.index("At length.") > page.index("scale it up")
    for id_ in ("f1", "f2", "f3", "f4"):
        assert page.count(f"{id_} is wrong") == 1, "no fact twice"
    assert "✓ Deployment shop/policy" not in page
    root = page_of(policy, made, Health.IDLE)
    assert root.splitlines()[0] == "✗ f1 is wrong  KD9999 · certain"
    marks = {one.ref: one.health for one in make_rows(shop(), View(namespace="shop"), made)}
    assert marks[WEB] is Health.BROKEN


def test_a_cause_is_marked_as_badly_as_what_follows_from_it() -> None:
    api = Ref("Deployment", "shop", "api")
    made = report(
        finding("f1", api, severity=Severity.NOTICE), finding("f2", WEB), incidents=(Incident("f1", ("f2",)),)
    )
    assert {one.ref: one.health for one in make_rows(shop(), View(), made)}[api] is Health.BROKEN
    (row_of_incident,) = make_rows(shop(), View("Finding"), made)
    assert row_of_incident.health is Health.BROKEN
    alone = report(finding("f1", api, severity=Severity.NOTICE))
    assert {one.ref: one.health for one in make_rows(shop(), View(), alone)}[api] is Health.NOTED


def test_of_equally_bad_rows_those_of_the_first_incident_come_first() -> None:
    api, other = Ref("Deployment", "shop", "api"), Ref("Node", "", "n9")
    made = report(finding("f1", other), finding("f2", WEB), finding("f3", api))
    assert [one.ref for one in make_rows(shop(), View(), made)] == [other, WEB, api]
    turned = report(*made.findings[::-1])
    assert [one.ref for one in make_rows(shop(), View(), turned)] == [api, WEB, other]


def test_what_is_only_affected_says_how_it_fares_before_why() -> None:
    made = report(finding("f1", NODE, affects=(POD,)))
    assert page_of(WEB, made).splitlines()[:2] == [
        "✗ web: 0/1 ready",
        "  because ✗ Node n1  f1 is wrong  KD9999 · certain",
    ]


def test_an_incident_of_many_workloads_says_how_many_and_starts_with_the_row_s_own() -> None:
    api = Ref("Deployment", "shop", "api")
    made = report(
        finding("f1", WEB, summary="no room"),
        finding("f2", api, summary="no space"),
        incidents=(Incident("f1", alike=("f2",)),),
    )
    (listed,) = make_rows(shop(), View("Finding"), made)
    assert listed.status == "2 workloads: no room"
    page = page_of(api, made)
    assert page.splitlines()[0] == "✗ no space  KD9999 · certain · the same of 1 other"
    assert "The same\n  Deployment shop/web" in page
    assert "no room" not in page


def test_what_the_cause_affects_without_a_finding_is_named_by_its_workload() -> None:
    made = report(finding("f1", NODE, affects=(POD, Ref("Pod", "shop", "other"))))
    page = incident_page(verdict_of_incident("f1", made, Family(shop())), row(NODE), shop(), Catalogue(())).plain
    assert "Impact\n  affects Deployment shop/web, Pod shop/other" in page


def test_equal_sentences_are_one_line_with_all_names() -> None:
    suffering = [finding(f"f{n}", Ref("Deployment", "shop", f"d{n}"), summary="no room") for n in range(2, 8)]
    made = report(finding("f1", NODE), *suffering, incidents=(Incident("f1", tuple(one.id for one in suffering)),))
    snapshot = shop()
    page = incident_page(verdict_of_incident("f1", made, Family(shop())), row(NODE), snapshot, Catalogue(())).plain
    assert page.count("no room") == 1
    assert "Deployment shop/d2, Deployment shop/d3, Deployment shop/d4, Deployment shop/d5, and 2 more  no room" in page
    apart = report(*suffering, finding("f9", WEB))
    assert page_of(WEB, apart).count("no room") == 0


def test_the_incident_whose_cause_is_the_object_itself_comes_first() -> None:
    made = report(finding("f1", NODE, affects=(POD,)), finding("f2", WEB))
    verdict = verdict_on(WEB, made, Family(shop()))
    assert [one.cause for one in verdict.incidents] == ["f2", "f1"]
    page = page_of(WEB, made)
    assert page.index("f2 is wrong") < page.index("Other incidents") < page.index("f1 is wrong")
    assert "Other incidents" not in page_of(WEB, made, full=True)


def test_the_page_says_cause_evidence_fixes_commands_and_gaps() -> None:
    made = report(
        finding(
            "f1",
            WEB,
            detail="It was killed.",
            evidence=(Evidence(WEB, "spec.replicas", 3, ""), Evidence(NODE, "status.allocatable[cpu]", "4", "too few")),
            fixes=(
                Fix("ask for less", "kubectl set resources deployment/web", Effect.DISRUPTS, verified=True),
                Fix("buy a node"),
            ),
            commands=(Command("kubectl describe node n1", "what is left"),),
            would_disprove="a second node",
            confidence=Confidence.POSSIBLE,
            gaps=("Event: list events is forbidden",),
        ),
        not_checked=(NotChecked("dns/coredns-down", None, "Service: list services is forbidden"),),
    )
    page = page_of(WEB, made).splitlines()
    assert page[0] == "✗ f1 is wrong  KD9999 · possible"
    assert "  It was killed." in page
    assert "  spec.replicas  3  " in page
    assert page[page.index("  Node n1") + 1] == "  status.allocatable[cpu]  4  too few"
    assert "  1 ✓ ask for less  restarts pods" in page
    assert "    kubectl set resources deployment/web" in page
    assert "  · buy a node  changes cluster" in page
    assert "  2 kubectl describe node n1" in page
    assert "    what is left (read-only)" in page
    assert "  a second node" in page
    assert "  Event: list events is forbidden" in page
    assert "  dns/coredns-down: Service: list services is forbidden" in page


def test_commands_are_numbered_as_they_are_copied() -> None:
    made = report(finding("f1", WEB, fixes=(Fix("one", "a"), Fix("two")), commands=(Command("b"), Command("a"))))
    verdict = verdict_on(WEB, made, Family(shop()))
    assert [one.line for one in copyables(verdict)] == ["a", "b"]


def test_sick_without_a_finding_is_no_praise() -> None:
    page = page_of(WEB, report())
    assert "✗ web: 0/1 ready" in page
    assert "No diagnostic explains this" in page
    assert "kubectl describe deployment/web -n shop" in page
    assert "no problems found" not in page


def test_healthy_says_how_many_looked_and_what_was_not_checked() -> None:
    made = report(not_checked=(NotChecked("a/b", None, "Pod: list pods is forbidden"),))
    page = page_of(Ref("Deployment", "shop", "api"), made, Health.HEALTHY)
    assert "? api: no problems found, but not everything could be checked" in page
    assert "7 diagnostics found no problem" in page
    assert "list pods is forbidden" in page
    all_checked = page_of(Ref("Deployment", "shop", "api"), report(), Health.HEALTHY)
    assert "✓ api: no problems found\n" in all_checked


def test_what_nothing_explains_is_quoted_and_marked() -> None:
    api = Ref("Deployment", "shop", "api")
    fact = Evidence(api, "metadata.finalizers", ["shop.example/hold"], "")
    made = report(unexplained=(Unexplained(api, "deletion is overdue by 3m", (fact,)),))
    page = page_of(api, made, Health.HEALTHY)
    assert "! api: " in page
    assert "no problems found" not in page
    assert "Not explained" in page
    assert "deletion is overdue by 3m" in page
    assert "shop.example/hold" in page
    marks = {one.ref: one.health for one in make_rows(shop(), View(namespace="shop"), made)}
    assert marks[api] is Health.DEGRADED
    assert "deletion is overdue" in page_of(api, report(finding("f1", api), unexplained=made.unexplained))


def test_what_nothing_explains_has_a_row_of_its_own_beside_the_workloads() -> None:
    web = Ref("HorizontalPodAutoscaler", "shop", "web")
    fact = Evidence(web, "status.conditions[type=ScalingActive].status", "False", "")
    made = report(unexplained=(Unexplained(web, "ScalingActive is False", (fact,)),))
    (own,) = (one for one in make_rows(shop(), View(namespace="shop"), made) if one.ref == web)
    assert own.health is Health.DEGRADED
    assert own.status == "ScalingActive is False"
    assert web not in {one.ref for one in make_rows(shop(), View(namespace="other"), made)}


def test_the_conditions_of_a_sick_object_are_quoted() -> None:
    snapshot = recorded("quota-exceeded")
    checkout = next(one for one in make_rows(snapshot, View(namespace="shop")) if one.ref.name == "checkout")
    verdict = verdict_on(checkout.ref, report(), Family(snapshot))
    page = incident_page(verdict, checkout, snapshot, Catalogue(())).plain
    assert "ReplicaFailure = True" in page
    assert "exceeded quota" in page
    assert "Progressing = True" not in page


def test_an_incident_by_its_cause() -> None:
    made = report(finding("f1", NODE), finding("f2", POD), incidents=(Incident("f1", ("f2",)),))
    assert verdict_of_incident("f1", made, Family(shop())).subject == NODE
    assert verdict_of_incident("gone", made, Family(shop())).incidents == ()


def test_who_only_suffers_is_degraded_at_most() -> None:
    api = Ref("Deployment", "shop", "api")
    made = report(finding("f1", NODE, affects=(api, POD)))
    marks = {one.ref: one.health for one in make_rows(shop(), View(namespace="shop"), made)}
    assert marks[api] is Health.DEGRADED
    assert marks[WEB] is Health.BROKEN  # by its own status: 0/1
    blamed = {one.ref: one.health for one in make_rows(shop(), View(namespace="shop"), report(finding("f1", api)))}
    assert blamed[api] is Health.BROKEN


def test_what_hurts_beside_the_workloads_is_listed_with_them() -> None:
    snapshot = shop()
    elsewhere = Ref("Service", "other", "x")
    made = report(
        finding("f1", SERVICE),
        finding("f2", elsewhere),
        finding("f3", Ref("Service", "shop", "quiet"), severity=Severity.NOTICE),
        finding("f4", NODE, affects=(POD,)),
    )
    rows = make_rows(snapshot, View(namespace="shop"), made)
    names = [one.ref for one in rows]
    assert SERVICE in names
    assert elsewhere not in names
    assert NODE not in names
    quiet = names.index(Ref("Service", "shop", "quiet"))
    assert rows[quiet].health is Health.NOTED
    assert rows[quiet + 1].ref == Ref("Deployment", "shop", "api")  # what is well comes last
    assert elsewhere in [one.ref for one in make_rows(snapshot, View(), made)]


@pytest.mark.parametrize("one", load_catalogue().diagnostics, ids=lambda one: one.id)
def test_every_lesson_can_be_read(one: object) -> None:
    catalogue = load_catalogue()
    code = getattr(one, "code", "")
    text = lesson_page(code, catalogue).plain
    assert code in text
    assert "How to fix it" in text
    assert "```" not in text
