"""Rows of a list, made of recorded clusters and of small ones made here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from kubedoctor.cluster import Ref, Snapshot, Source
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.engine import load_catalogue, scan
from kubedoctor.engine.health import Health
from kubedoctor.engine.report import Unexplained
from kubedoctor.tui.filters import FilterError, keep
from kubedoctor.tui.home.empty import empty_text
from kubedoctor.tui.incidents.incident_rows import tree_rows, view_rows
from kubedoctor.tui.rows import (
    Row,
    View,
    arrange,
    counts,
    make_rows,
    namespaces_in_order,
    searchable,
)
from tests.engine.clinic import complete
from tests.engine.crowd import stuck
from tests.tui.recordings import opened, recorded

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def cluster(*objects: tuple[str, dict[str, Any]]) -> Snapshot:
    snapshot = Snapshot(NOW, Source("bundle", "made"), complete=True)
    for kind, data in objects:
        decoded = convert_object(kind, data)
        assert not decoded.problems
        snapshot.add(decoded.objects)
    return snapshot


def meta(name: str, owner: tuple[str, str] | None = None, **more: Any) -> dict[str, Any]:
    data: dict[str, Any] = {"name": name, "namespace": "shop", "creationTimestamp": "2026-11-23T09:00:00Z", **more}
    if owner:
        data["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "uid": "u", "controller": True}]
    return data


def pod(name: str, owner: tuple[str, str] | None = None, restarts: int = 0, ready: str = "True") -> tuple[str, Any]:
    return "Pod", {
        "metadata": meta(name, owner),
        "spec": {"nodeName": "n1", "containers": [{"name": "app", "image": "app:1"}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": ready}],
            "containerStatuses": [
                {"name": "app", "ready": ready == "True", "restartCount": restarts, "state": {"running": {}}}
            ],
        },
    }


def row(name: str, health: Health = Health.HEALTHY, **more: Any) -> Row:
    ref = Ref("Deployment", "shop", name)
    return Row(ref, health, search=searchable(ref), **more)


def test_while_lists_are_read_only_what_has_no_other_owner_is_listed() -> None:
    owned, named, free = pod("web-1-a", ("ReplicaSet", "web-1")), pod("db-0", ("StatefulSet", "db")), pod("free")
    half = cluster(owned, named, free)
    assert [row.ref.name for row in make_rows(half, View(), whole=False)] == ["free"]
    assert [row.ref.name for row in make_rows(half, View("Pod"), whole=False)] == ["db-0", "free", "web-1-a"]
    assert [row.ref.name for row in make_rows(half, View())] == ["db-0", "free", "web-1-a"]


def test_a_recorded_shop_lists_each_workload_once_and_the_sick_one_first() -> None:
    snapshot = recorded("oom-killed")
    rows = make_rows(snapshot, View(namespace="shop"))
    assert [(one.health.symbol, one.ref.kind, one.ref.name, one.ready) for one in rows] == [
        ("✗", "Deployment", "checkout", "0/1"),
        ("✓", "Deployment", "api", "2/2"),
        ("✓", "Deployment", "web", "2/2"),
        ("✓", "Deployment", "worker", "1/1"),
        ("✓", "StatefulSet", "db", "1/1"),
        ("✓", "CronJob", "nightly-report", "–"),
        ("✓", "Job", "migrate", "1/1"),
    ]
    assert rows[0].restarts == 3


def test_restarts_of_all_pods_of_a_workload_are_summed() -> None:
    snapshot = cluster(
        (
            "Deployment",
            {"metadata": meta("web"), "spec": {"replicas": 2}, "status": {"readyReplicas": 2, "updatedReplicas": 2}},
        ),
        ("ReplicaSet", {"metadata": meta("web-1", ("Deployment", "web")), "spec": {"replicas": 2}}),
        pod("web-1-a", ("ReplicaSet", "web-1"), restarts=2),
        pod("web-1-b", ("ReplicaSet", "web-1"), restarts=3),
    )
    (only,) = make_rows(snapshot, View())
    assert (only.ref.kind, only.restarts, only.health) == ("Deployment", 5, Health.HEALTHY)


def test_a_pod_whose_owner_cannot_be_seen_is_listed_itself() -> None:
    snapshot = cluster(pod("web-1-a", ("ReplicaSet", "web-1")), pod("mirror", ("Node", "n1")), pod("bare"))
    assert {one.ref.name for one in make_rows(snapshot, View())} == {"web-1-a", "mirror", "bare"}


def test_pods_of_a_workload_are_found_through_its_replica_sets() -> None:
    snapshot = recorded("oom-killed")
    rows = make_rows(snapshot, View("Pod", "shop", Ref("Deployment", "shop", "api")))
    assert len(rows) == 2
    assert all(one.ref.name.startswith("api-") for one in rows)


def test_a_cron_job_is_no_better_than_its_newest_run() -> None:
    failed = {"conditions": [{"type": "Failed", "status": "True"}]}
    runs = [
        (
            "Job",
            {"metadata": meta("n-1", ("CronJob", "n"), creationTimestamp="2026-11-22T09:00:00Z"), "status": failed},
        ),
        ("Job", {"metadata": meta("n-2", ("CronJob", "n"))}),
    ]
    healthy = cluster(("CronJob", {"metadata": meta("n")}), *runs)
    assert [one.health for one in make_rows(healthy, View())] == [Health.HEALTHY]
    sick = cluster(("CronJob", {"metadata": meta("n")}), runs[0])
    assert [one.health for one in make_rows(sick, View())] == [Health.DEGRADED]


def test_findings_make_the_rows_of_their_objects_worse() -> None:
    source = opened("oom-killed")
    snapshot = source.snapshot
    report = scan(load_catalogue(), snapshot, source.gather)
    about = {finding.about for finding in report.findings} | {name for one in report.findings for name in one.affects}
    assert any(name.name.startswith("checkout") for name in about)
    family = Family(snapshot)
    marked = {one.ref: one.health for one in make_rows(snapshot, View(namespace="shop"), report)}
    assert marked[Ref("Deployment", "shop", "checkout")] is Health.BROKEN
    assert all(
        marked.get(family.top(name)) is not None for name in about if name.namespace == "shop" and name.kind == "Pod"
    )


def test_kinds_without_a_namespace_are_listed_from_within_one() -> None:
    rows = make_rows(recorded("oom-killed"), View("Namespace", "shop"))
    assert {"shop", "kube-system"} <= {one.ref.name for one in rows}


def test_nouns() -> None:
    assert View().noun(1) == "workload"
    assert View("Ingress").noun(1) == "ingress"
    assert View("Ingress").noun(0) == "ingresses"
    assert View("Finding").noun(2) == "findings"


def test_filters_by_name_inverse_and_labels() -> None:
    rows = (row("web", labels={"app": "web"}), row("worker", labels={"app": "worker"}), row("db"))
    assert [one.ref.name for one in keep(rows, "w")] == ["web", "worker"]
    assert [one.ref.name for one in keep(rows, "!w")] == ["db"]
    assert [one.ref.name for one in keep(rows, "-l app in (web)")] == ["web"]
    assert [one.ref.name for one in keep(rows, "-l !app")] == ["db"]
    assert [one.ref.name for one in keep(rows, "^shop/w.b ")] == ["web"]
    assert [one.ref.name for one in keep(rows, "(")] == []
    assert keep(rows, "") == keep(rows, "!") == keep(rows, "-l") == rows
    with pytest.raises(FilterError):
        keep(rows, "-l app in (")


def test_filters_by_letters_of_the_name_in_their_order() -> None:
    rows = (row("checkout-7d9f"), row("cart"), row("worker"))
    assert [one.ref.name for one in keep(rows, "-f ck7")] == ["checkout-7d9f"]
    assert [one.ref.name for one in keep(rows, "-f SHC")] == ["checkout-7d9f", "cart"], "the namespace counts"
    assert [one.ref.name for one in keep(rows, "-f w o")] == ["worker"]
    assert keep(rows, "-f .*") == (), "letters are no regular expression"
    assert keep(rows, "-f deployment") == (), "the kind does not count"
    assert keep(rows, "-") == keep(rows, "-f") == keep(rows, "-f ") == rows


def test_faults_only_keeps_what_is_broken_or_degraded() -> None:
    rows = tuple(row(health.value, health) for health in Health)
    assert [one.ref.name for one in keep(rows, "", faults_only=True)] == ["broken", "degraded"]
    assert counts(rows) == dict.fromkeys(Health, 1)


def test_orders() -> None:
    old = row("b", created=datetime(2026, 1, 1, tzinfo=UTC))
    young = row("c", Health.DEGRADED, created=NOW)
    unknown = row("a")
    rows = (old, young, unknown)
    assert [one.ref.name for one in arrange(rows, "health")] == ["c", "a", "b"]
    assert [one.ref.name for one in arrange(rows, "name")] == ["a", "b", "c"]
    assert [one.ref.name for one in arrange(rows, "age")] == ["c", "b", "a"]


def test_namespaces_of_the_system_come_last_and_the_own_one_first() -> None:
    assert namespaces_in_order(["kube-system", "a", "shop"], "shop") == ("shop", "a", "kube-system")
    assert namespaces_in_order([], "shop") == ("shop",)


def test_no_finding_is_not_called_no_problem_where_something_is_not_explained() -> None:
    source = opened("oom-killed")
    report = msgspec.structs.replace(
        scan(load_catalogue(), source.snapshot, source.gather), findings=(), incidents=(), unexplained=()
    )
    view = View("Finding", "shop")
    assert view_rows(source.snapshot, view, None) == view_rows(source.snapshot, view, report) == ()
    told = msgspec.structs.replace(report, unexplained=(Unexplained(Ref("Pod", "shop", "web"), "it waits", ()),))
    (only,) = view_rows(source.snapshot, view, told)
    assert (only.ref.name, only.health, only.finding) == ("web", Health.DEGRADED, "")
    assert "esc clears it" in empty_text(view, told, filtered=True)


def test_the_tree_of_a_dead_node_unfolds_to_all_that_wait_for_it() -> None:
    snapshot = complete(*stuck(180))
    report = scan(load_catalogue(), snapshot, lambda wants: None)
    rows = tree_rows(report.incidents[0].cause, report, snapshot)
    assert {row.ref.name for row in rows} == {f"svc-{index}" for index in range(180)}
    assert all(row.finding for row in rows), "each is opened with its own finding"
