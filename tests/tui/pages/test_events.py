"""Events: a table of what happened, the newest first, and a page that opens the object."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from kubedoctor.cluster import Event, Ref, Snapshot
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.cluster.seen.snapshot import Source
from kubedoctor.engine.health import Health
from kubedoctor.tui.columns import columns_of
from kubedoctor.tui.pages.events import event_page
from kubedoctor.tui.rows import View, make_rows

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def event(name: str, seconds: int, **fields: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "shop"},
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web-1"},
        "lastTimestamp": f"{NOW - timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}",
        **fields,
    }


def seen(*events: dict[str, Any]) -> Snapshot:
    snapshot = Snapshot(NOW, Source("bundle", "test"), complete=True)
    for manifest in events:
        snapshot.add(convert_object("Event", manifest).objects)
    return snapshot


WARNING = event("b", 30, type="Warning", reason="BackOff", message="Back-off restarting", count=7)
NORMAL = {"type": "Normal", "reason": "Pulled", "message": "Pulled image"}
SNAPSHOT = seen(event("a", 60, **NORMAL), WARNING, event("c", 5, **NORMAL))


def test_warnings_come_first_and_the_newest_of_them() -> None:
    rows = make_rows(SNAPSHOT, View("Event", "shop"))
    assert [row.ref.name for row in rows] == ["b", "c", "a"]
    assert [row.health for row in rows] == [Health.NOTED, Health.IDLE, Health.IDLE]


def test_the_columns_say_what_happened_to_what() -> None:
    row = make_rows(SNAPSHOT, View("Event", "shop"))[0]
    cells = {column.title: column.text(row, NOW) for column in columns_of(View("Event", "shop"))}
    assert cells == {
        "LAST SEEN": "30s",
        "TYPE": "Warning",
        "REASON": "BackOff",
        "OBJECT": "pod/web-1",
        "COUNT": "7",
        "MESSAGE": "Back-off restarting",
    }
    assert "NAMESPACE" in [column.title for column in columns_of(View("Event"))]


def test_the_page_says_how_often_and_when_last() -> None:
    obj = SNAPSHOT.get(Ref("Event", "shop", "b"))
    assert isinstance(obj, Event)
    page = event_page(obj, SNAPSHOT).plain
    assert "Back-off restarting" in page
    assert "UTC, age 30s" in page
    assert "seen 7 times, last " in page
    assert "Pod shop/web-1" in page
