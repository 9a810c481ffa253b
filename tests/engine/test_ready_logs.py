"""Of which ready pods the logs are read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from kubedoctor.cluster import Cluster, LogTail, LogWant, Pod, Ref, Snapshot, Want
from kubedoctor.engine import Catalogue, focus, load_catalogue, scan
from tests.engine.clinic import TAKEN_AT, live, objects, pod

FAILS = [one for one in load_catalogue().diagnostics if one.id == "pods/fails-while-ready"]


def ready(name: str, owner: str, *, hours: int = 1, is_ready: bool = True) -> dict[str, Any]:
    made = pod(name, node="n1", owner=owner)
    started = (TAKEN_AT - timedelta(hours=hours)).isoformat()
    made["metadata"]["creationTimestamp"] = started
    made["status"]["conditions"] = [{"type": "Ready", "status": str(is_ready)}]
    state = {"running": {"startedAt": started}}
    made["status"]["containerStatuses"] = [{"name": "app", "ready": is_ready, "state": state}]
    return made


def listed(*pods: dict[str, Any]) -> Snapshot:
    snapshot = live()
    snapshot.add(objects(*pods))
    snapshot.cover(Want("Pod"))
    return snapshot


def logs_read(snapshot: Snapshot) -> list[str]:
    asked: list[str] = []

    def gather(wants: frozenset[Want | LogWant]) -> None:
        asked.extend(sorted(want.pod for want in wants if isinstance(want, LogWant)))
        for want in wants:
            snapshot.refuse(want, "forbidden")

    report = scan(Catalogue(tuple(FAILS)), snapshot, gather)
    assert not report.findings
    assert not report.not_checked
    return asked


def test_one_pod_of_each_template() -> None:
    assert logs_read(listed(*(ready(f"web-{n}", "web") for n in range(9)), ready("db-1", "db"))) == ["db-1", "web-0"]


def test_thirty_at_most_and_the_newest() -> None:
    read = logs_read(listed(*(ready(f"web-{n:03}", f"web-{n}", hours=n + 1) for n in range(100))))
    assert read == [f"web-{n:03}" for n in range(30)]


def test_fewer_where_others_are_in_trouble() -> None:
    sick = [ready(f"sick-{n}", f"sick-{n}", is_ready=False) for n in range(28)]
    well = [ready(f"web-{n}", f"web-{n}", hours=n + 1) for n in range(9)]
    assert logs_read(listed(*sick, *well)) == ["web-0", "web-1"]


def test_the_log_of_a_pod_that_is_asked_for_is_read_and_of_few_beside_it() -> None:
    pods = [ready(f"web-{n}", f"web-{n}", hours=9 - n) for n in range(9)]
    snapshot = live()
    snapshot.add(objects(*pods))
    asked: set[str] = set()

    def gather(wants: frozenset[Want | LogWant]) -> None:
        asked.update(want.pod for want in wants if isinstance(want, LogWant))
        for want in wants:
            snapshot.refuse(want, "forbidden")

    focus(Catalogue(tuple(FAILS)), Ref("Pod", "shop", "web-0"), snapshot, gather)
    assert "web-0" in asked
    assert len(asked) <= 4


def test_a_log_at_hand_is_read() -> None:
    snapshot = listed(*(ready(f"web-{n:03}", f"web-{n}", hours=n + 1) for n in range(100)))
    name = Ref("Pod", "shop", "web-099")
    line = 'level=error msg="dial tcp 10.96.0.9:80: connect: connection refused"'
    lines = tuple(f"time={(TAKEN_AT - timedelta(minutes=n)):%Y-%m-%dT%H:%M:%SZ} {line}" for n in range(9, 0, -1))
    snapshot.add_log(LogWant("shop", "web-099", "app"), LogTail(name, "app", False, lines))
    found = next(iter(FAILS)).among
    assert found is not None
    chosen = [one.name for one in snapshot.of_kind("Pod") if isinstance(one, Pod) and found(Cluster(snapshot))(one)]
    assert len(chosen) == 31
    assert "web-099" in chosen
