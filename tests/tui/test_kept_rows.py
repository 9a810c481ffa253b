"""Rows that are kept current are the rows that would be made of everything."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from kubedoctor.cluster import Pod, Ref, Snapshot, Source, ref
from kubedoctor.cluster.seen.news import News
from kubedoctor.engine import Report, load_catalogue, scan
from kubedoctor.engine.health import Health
from kubedoctor.tui.kept_rows import MOST_VIEWS, KeptRows, KeptViews, SortedRows, kinds_kept
from kubedoctor.tui.rows import Row, View, arrange, counts, make_rows, place_in
from tests.engine.clinic import objects

NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)


def owned(kind: str, name: str, owner: tuple[str, str] | None = None, **more: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": "shop", "creationTimestamp": "2026-11-28T09:00:00Z"}
    if owner:
        metadata["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "controller": True}]
    return {"kind": kind, "metadata": metadata, **more}


def pod(name: str, owner: tuple[str, str] | None, restarts: int, ready: bool = True) -> dict[str, Any]:
    statuses = [{"name": "app", "ready": ready, "restartCount": restarts}]
    conditions = [{"type": "Ready", "status": str(ready)}]
    status = {"phase": "Running", "containerStatuses": statuses, "conditions": conditions}
    return owned("Pod", name, owner, spec={"nodeName": "n1", "containers": [{"name": "app"}]}, status=status)


def workload(kind: str, name: str, owner: tuple[str, str] | None = None, ready: int = 1) -> dict[str, Any]:
    return owned(kind, name, owner, spec={"replicas": 1}, status={"replicas": 1, "readyReplicas": ready})


def everything(turn: random.Random) -> list[dict[str, Any]]:
    """Objects of a family each, some of which change from turn to turn."""
    made = []
    for number in range(4):
        app, revision = f"app-{number}", f"app-{number}-1"
        made += [
            workload("Deployment", app, ready=turn.randrange(2)),
            workload("ReplicaSet", revision, ("Deployment", app)),
            *(pod(f"{revision}-{n}", ("ReplicaSet", revision), turn.randrange(3), turn.random() < 0.5) for n in "ab"),
        ]
    failed = {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]}
    made += [
        owned("CronJob", "nightly", spec={"schedule": "0 1 * * *"}),
        owned("Job", "nightly-1", ("CronJob", "nightly"), spec={}, status=turn.choice([failed, {"succeeded": 1}])),
        pod("nightly-1-x", ("Job", "nightly-1"), turn.randrange(2)),
        pod("alone", None, turn.randrange(2), turn.random() < 0.5),
        {"kind": "Node", "metadata": {"name": "n1"}},
        {"kind": "Namespace", "metadata": {"name": "shop"}},
    ]
    return [obj for obj in made if turn.random() < 0.8]


VIEWS = (
    View(),
    View("", "shop"),
    View("", "other"),
    View("Pod"),
    View("Pod", "shop", Ref("Deployment", "shop", "app-1")),
    View("Pod", "", Ref("Node", "", "n1")),
    View("Node", "shop"),
    View("Deployment"),
)


@pytest.mark.parametrize("view", VIEWS, ids=str)
@pytest.mark.parametrize("order", ["health", "name", "age"])
def test_they_are_the_rows_of_everything(view: View, order: str) -> None:
    turn = random.Random(9)
    snapshot = Snapshot(NOW, Source("live", "test"))
    kept = KeptRows(snapshot, view, None, order)
    for _ in range(40):
        now = {ref(obj): obj for obj in objects(*everything(turn))}
        gone = {name for kind in snapshot.kinds() for name in map(ref, snapshot.of_kind(kind))} - set(now)
        changed = {name for name, obj in now.items() if snapshot.get(name) != obj} | gone
        snapshot.add(now.values())
        for name in gone:
            snapshot.remove(name)
        before = kept.rows
        differs = kept.update(snapshot, {name for name in changed if name.kind in kinds_kept(view)})
        assert kept.rows == arrange(make_rows(snapshot, view), order)
        assert kept.counts == counts(kept.rows)
        assert differs is (kept.rows != before)


def test_the_marks_of_the_report_stay() -> None:
    snapshot = Snapshot(NOW, Source("bundle", "test"), complete=True)
    snapshot.add(objects(workload("Deployment", "app", ready=0), workload("Deployment", "well")))
    report: Report = scan(load_catalogue(), snapshot, lambda _: None)
    kept = KeptRows(snapshot, View(), report, "health")
    assert kept.rows == make_rows(snapshot, View(), report)
    (deployment,) = (obj for obj in snapshot.of_kind("Deployment") if obj.name == "app")
    snapshot.add((replace(deployment, metadata=replace(deployment.metadata, labels={"a": "b"})),))
    assert kept.update(snapshot, {ref(deployment)})
    assert kept.rows == make_rows(snapshot, View(), report)


def test_what_is_equal_keeps_its_row() -> None:
    snapshot = Snapshot(NOW, Source("live", "test"))
    snapshot.add(objects(pod("a", None, 0), pod("b", None, 0)))
    kept = KeptRows(snapshot, View(), None, "health")
    before = kept.rows
    (first, _) = snapshot.of_kind("Pod")
    assert isinstance(first, Pod)
    snapshot.add((replace(first, metadata=replace(first.metadata, resource_version="9")),))
    assert not kept.update(snapshot, {ref(first)})
    assert [one is other for one, other in zip(before, kept.rows, strict=True)] == [True, True]


def row(number: int, health: Health = Health.HEALTHY) -> Row:
    return Row(Ref("Pod", "shop", f"web-{number}"), health)


def test_rows_that_come_and_go_in_any_number_stay_sorted() -> None:
    turn = random.Random(9)
    there = {number: row(number) for number in range(700)}
    kept = SortedRows(arrange(there.values(), "health"), place_in("health"))
    for step in range(12_000):
        number = turn.randrange(6_000 if step < 6_000 else 200)
        if number in there:
            kept.remove(there.pop(number))
        else:
            there[number] = row(number, turn.choice(list(Health)))
            kept.add(there[number])
    assert tuple(kept) == arrange(there.values(), "health")


def test_there_may_be_none() -> None:
    kept = SortedRows((), place_in("health"))
    kept.add(row(1))
    kept.remove(row(1))
    assert tuple(kept) == ()


# Views that were shown before

PODS, NODES = View("Pod"), View("Node")


def seen() -> Snapshot:
    snapshot = Snapshot(NOW, Source("live", "test"))
    snapshot.add(objects(pod("a", None, 0), pod("b", None, 0)))
    return snapshot


def shown(views: KeptViews, snapshot: Snapshot, view: View) -> KeptRows:
    """The rows of a view, made for the first time."""
    assert views.take(view, None, "health", None) is None
    kept = KeptRows(snapshot, view, None, "health")
    views.put(kept)
    return kept


def test_a_view_comes_back_with_what_changed_meanwhile() -> None:
    snapshot, views = seen(), KeptViews()
    pods = shown(views, snapshot, PODS)
    shown(views, snapshot, NODES)
    views.note(News(objects=frozenset({Ref("Pod", "shop", "a"), Ref("Service", "shop", "web")})))
    assert views.take(PODS, None, "health", None) == (pods, {Ref("Pod", "shop", "a")})


def test_what_changes_while_the_rows_are_made_is_missed_later() -> None:
    snapshot, views = seen(), KeptViews()
    views.take(PODS, None, "health", None)
    pods = KeptRows(snapshot, PODS, None, "health")
    (name, _) = map(ref, snapshot.of_kind("Pod"))
    views.note(News(objects=frozenset({name})))
    views.put(pods)
    assert views.take(PODS, None, "health", None) == (pods, {name})


def test_what_is_listed_again_is_made_again() -> None:
    listed, cleared = KeptViews(), KeptViews()
    for views in (listed, cleared):
        shown(views, seen(), PODS)
    listed.note(News(frozenset({"Pod"})))
    cleared.clear()
    assert [views.take(PODS, None, "health", None) for views in (listed, cleared)] == [None, None]


def test_another_order_or_report_needs_other_rows() -> None:
    snapshot, views = seen(), KeptViews()
    shown(views, snapshot, PODS)
    assert views.take(PODS, None, "name", None) is None
    shown(views, snapshot, PODS)
    assert views.take(PODS, None, "health", News(frozenset({"Pod"}))) is None


def test_rows_of_an_earlier_report_are_not_kept() -> None:
    snapshot, views = seen(), KeptViews()
    shown(views, snapshot, PODS)
    report = scan(load_catalogue(), snapshot, lambda _: None)
    assert views.take(NODES, report, "health", None) is None
    views.put(KeptRows(snapshot, NODES, report, "health"))
    assert views.take(NODES, report, "health", None) is not None
    assert views.take(PODS, None, "health", None) is None


def test_only_the_views_shown_last_are_kept() -> None:
    snapshot, views = seen(), KeptViews()
    shown(views, snapshot, PODS)
    for number in range(MOST_VIEWS):
        shown(views, snapshot, View("Pod", f"namespace-{number}"))
    assert views.take(PODS, None, "health", None) is None
