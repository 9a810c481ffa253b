"""What the kubelet reports about its machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kubedoctor.cluster import Event
from kubedoctor.replay.kubelet.node_events import boot_named, seen_anew, victim_named

START = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("message", "name", "pid"),
    [
        ("System OOM encountered, victim process: java, pid: 4711", "java", 4711),
        ("System OOM encountered, victim process: tokio-runtime-w, pid: 1", "tokio-runtime-w", 1),
        ("System OOM encountered, victim process: my app, pid: 22", "my app", 22),
        ("System OOM encountered, victim process: , pid: 22", "", 22),
    ],
)
def test_the_victim_of_the_kernel(message: str, name: str, pid: int) -> None:
    victim = victim_named(message)
    assert victim is not None
    assert (victim.name, victim.pid) == (name, pid)
    assert str(victim) == f"{name or 'a process'} (pid {pid})"


def test_an_unknown_victim() -> None:
    assert victim_named("System OOM encountered") is None


def test_the_boot_of_a_machine() -> None:
    message = "Node worker-a has been rebooted, boot id: 6b6a1f0e-3f43-4b7e-8d5c-0d8f6a1c2e11"
    assert boot_named(message) == "6b6a1f0e-3f43-4b7e-8d5c-0d8f6a1c2e11"
    assert boot_named("Node worker-a has been rebooted") == ""


@pytest.mark.parametrize(
    ("first", "last", "counts"),
    [
        (-60, -60, -60),
        (0, 2, None),
        (-600, 2, -600),
        (0, 60, 60),
        (None, 2, None),
    ],
)
def test_a_kubelet_that_starts_reports_old_kills_again(first: int | None, last: int, counts: int | None) -> None:
    def after(seconds: int | None) -> datetime | None:
        return None if seconds is None else START + timedelta(seconds=seconds)

    start = Event(reason="Starting", last_timestamp=START)
    kill = Event(reason="SystemOOM", first_timestamp=after(first), last_timestamp=after(last))
    assert seen_anew(kill, (start, kill)) == after(counts)
    assert seen_anew(kill, (kill,)) == after(last)
