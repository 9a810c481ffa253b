"""Which incidents concern a row, and what their pages say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kubedoctor.cluster import Evidence, Ref, Snapshot, Source
from kubedoctor.cluster.relations.family import Family
from kubedoctor.engine import Catalogue, Incident, NotChecked, Report, ReportedFinding, Unexplained, load_catalogue
from kubedoctor.engine.health import Health
from kubedoctor.findings import Command, Confidence, Effect, Fix, Severity
from kubedoctor.tui.incidents.incident_rows import IncidentRow, incident_rows, tree_rows, view_rows
from kubedoctor.tui.pages.incidents import copyables, verdict_of_incident, verdict_on
from kubedoctor.tui.pages.lessons import lesson_page
from kubedoctor.tui.pages.why import why_page
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
    return why_page(verdict, row(ref, health), snapshot, Catalogue(()), full=full).plain


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
    assert page.splitlines()[0] == " ✗  Pod shop/web-1-a: f2 is wrong"
    assert "because     Node n1             ✗ f1 is wrong" in page
    assert "impact      ✗ Service shop/web  f3 is wrong" in page


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
    assert [" ".join(line.split()) for line in lines if line] == [
        "✗ Pod shop/web-1-a: f3 is wrong",
        "certain KD9999",
        "because Deployment shop/policy ✗ f1 is wrong",
        "└ Service shop/web ✗ up",
        "└ Pod shop/web-1-a ✗ up",
        "fix 1 scale it up ◐ changes cluster",
        "kubectl scale x copy",
        "impact ✗ Node n1 f4 is wrong",
        "detail At length.",
        "evidence status.phase = Bad as an example",
    ]
    root = page_of(policy, made, Health.IDLE)
    assert root.splitlines()[0] == " ✗  Deployment shop/policy: f1 is wrong"
    marks = {one.ref: one.health for one in make_rows(shop(), View(namespace="shop"), made)}
    assert marks[WEB] is Health.BROKEN


def test_a_cause_is_marked_as_badly_as_what_follows_from_it() -> None:
    api = Ref("Deployment", "shop", "api")
    made = report(
        finding("f1", api, severity=Severity.NOTICE), finding("f2", WEB), incidents=(Incident("f1", ("f2",)),)
    )
    assert {one.ref: one.health for one in make_rows(shop(), View(), made)}[api] is Health.BROKEN
    (row_of_incident,) = view_rows(shop(), View("Finding"), made)
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
    page = page_of(WEB, made).splitlines()
    assert page[0] == " ✗  Deployment shop/web: 0/1 ready"
    assert page[3] == "because     Node n1  ✗ f1 is wrong"


def test_an_incident_of_many_workloads_says_how_many_and_starts_with_the_row_s_own() -> None:
    api = Ref("Deployment", "shop", "api")
    made = report(
        finding("f1", WEB, summary="no room"),
        finding("f2", api, summary="no space"),
        incidents=(Incident("f1", alike=("f2",)),),
    )
    (listed,) = view_rows(shop(), View("Finding"), made)
    assert listed.status == "2 workloads: no room"
    page = page_of(api, made)
    assert page.splitlines()[0] == " ✗  Deployment shop/api: no space"
    assert " ".join(page.splitlines()[1].split()) == "certain the same of 1 other KD9999"
    assert "the same    Deployment shop/web" in page
    assert "no room" not in page


def test_what_the_cause_affects_without_a_finding_is_named_by_its_workload() -> None:
    made = report(finding("f1", NODE, affects=(POD, Ref("Pod", "shop", "other"))))
    page = why_page(verdict_of_incident("f1", made, Family(shop())), row(NODE), shop(), Catalogue(())).plain
    assert "impact      ✗ shop/web 0/1   ! shop/other" in page


def test_equal_sentences_are_one_line_with_all_names() -> None:
    suffering = [finding(f"f{n}", Ref("Deployment", "shop", f"d{n}"), summary="no room") for n in range(2, 8)]
    made = report(finding("f1", NODE), *suffering, incidents=(Incident("f1", tuple(one.id for one in suffering)),))
    snapshot = shop()
    page = why_page(verdict_of_incident("f1", made, Family(shop())), row(NODE), snapshot, Catalogue(())).plain
    assert page.count("no room") == 1
    flat = " ".join(page.split())
    assert "Deployment shop/d3, Deployment shop/d4, Deployment shop/d5, Deployment shop/d6, and 1 more no room" in flat
    apart = report(*suffering, finding("f9", WEB))
    assert page_of(WEB, apart).count("no room") == 0


def test_the_incident_whose_cause_is_the_object_itself_comes_first() -> None:
    made = report(finding("f1", NODE, affects=(POD,)), finding("f2", WEB))
    verdict = verdict_on(WEB, made, Family(shop()))
    assert [one.cause for one in verdict.incidents] == ["f2", "f1"]
    page = page_of(WEB, made)
    assert page.index("f2 is wrong") < page.index("also ") < page.index("f1 is wrong")
    assert "also " not in page_of(WEB, made, full=True)


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
    page = [" ".join(line.split()) for line in page_of(WEB, made).splitlines() if line]
    assert page[0] == "✗ Deployment shop/web: f1 is wrong"
    assert page[1].startswith("possible")
    assert page[2:5] == [
        "fix 1 ✓ ask for less ↻ restarts pods",
        "kubectl set resources deployment/web x copy",
        "2 buy a node ◐ changes cluster",
    ]
    assert "detail It was killed." in page
    assert "evidence spec.replicas = 3" in page
    assert page[page.index("Node n1") + 1] == "status.allocatable[cpu] = 4 too few"
    assert "next kubectl describe node n1 what is left" in page
    assert "ruled out by" in page
    assert "a second node" in page
    assert "not checked ? Event: list events is forbidden" in page
    assert "not checked ? dns/coredns-down: Service: list services is forbidden" in page


def test_commands_are_numbered_as_they_are_copied() -> None:
    made = report(finding("f1", WEB, fixes=(Fix("one", "a"), Fix("two")), commands=(Command("b"), Command("a"))))
    verdict = verdict_on(WEB, made, Family(shop()))
    assert [one.line for one in copyables(verdict)] == ["a", "b"]


def test_sick_without_a_finding_is_no_praise() -> None:
    page = page_of(WEB, report())
    assert " ✗  Deployment shop/web: 0/1 ready" in page
    assert "no diagnostic explains this" in page
    assert "kubectl describe deployment/web -n shop" in page
    assert "no problems found" not in page


def test_healthy_says_how_many_looked_and_what_was_not_checked() -> None:
    made = report(not_checked=(NotChecked("a/b", None, "Pod: list pods is forbidden"),))
    page = page_of(Ref("Deployment", "shop", "api"), made, Health.HEALTHY)
    assert " ?  Deployment shop/api: no problems found, but not everything could be checked" in page
    assert "7 diagnostics found no problem" in page
    assert "list pods is forbidden" in page
    all_checked = page_of(Ref("Deployment", "shop", "api"), report(), Health.HEALTHY)
    assert " ✓  Deployment shop/api: no problems found\n" in all_checked


def test_what_nothing_explains_is_quoted_and_marked() -> None:
    api = Ref("Deployment", "shop", "api")
    fact = Evidence(api, "metadata.finalizers", ["shop.example/hold"], "")
    made = report(unexplained=(Unexplained(api, "deletion is overdue by 3m", (fact,)),))
    page = page_of(api, made, Health.HEALTHY)
    assert " !  Deployment shop/api: " in page
    assert "no problems found" not in page
    assert "not explained" in page
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
    page = why_page(verdict, checkout, snapshot, Catalogue(())).plain
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


def test_incidents_as_rows_say_since_when_and_what_they_break() -> None:
    made = report(
        finding("f1", NODE, diagnostic="nodes/node-not-ready", affects=(POD,)),
        finding("f2", SERVICE),
        incidents=(Incident("f1", ("f2",)),),
    )
    (only,) = incident_rows(made, shop())
    assert (only.ref, only.reason, only.breaks, only.finding) == (NODE, "not ready", "1 workload", "f1")
    assert incident_rows(made, shop(), "shop") == (only,)
    assert incident_rows(made, shop(), "other") == ()


def test_the_tree_has_what_follows_below_what_it_follows_from() -> None:
    policy = Ref("Deployment", "shop", "policy")
    made = report(
        finding("f1", policy),
        finding("f2", SERVICE),
        finding("f3", NODE, affects=(POD,)),
        finding("f4", Ref("Ingress", "shop", "front")),
        incidents=(Incident("f1", ("f2", "f3", "f4"), ("f1", "f2", "f1")),),
    )
    rows = tree_rows("f1", made, shop())
    assert [(row.lead, row.ref.title) for row in rows] == [
        ("├─", "Service shop/web"),
        ("│ └─", "Node n1"),
        ("│   └─", "Deployment shop/web"),
        ("└─", "Ingress shop/front"),
    ]
    assert all(isinstance(row, IncidentRow) for row in rows)
    assert tree_rows("gone", made, shop()) == ()


def test_what_suffers_names_its_cause_in_the_list_of_workloads() -> None:
    made = report(finding("f1", NODE, diagnostic="nodes/node-not-ready", affects=(POD,)))
    causes = {one.ref: one.cause for one in make_rows(shop(), View(namespace="shop"), made)}
    assert causes[WEB] == "← node n1 not ready"
    assert causes[Ref("Deployment", "shop", "api")] == ""
    own = report(finding("f1", WEB, diagnostic="workloads/replicas-zero"))
    assert {one.ref: one.cause for one in make_rows(shop(), View(), own)}[WEB] == "replicas zero"
