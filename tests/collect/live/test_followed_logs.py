"""Logs of several containers are merged by time, follow, and outlive silence, ends and rotation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kubedoctor.cluster import LogWant
from kubedoctor.collect.connecting.connection import connect
from kubedoctor.collect.connecting.transport import Transport
from kubedoctor.collect.live import followed_logs
from kubedoctor.collect.live.cluster import LiveSource
from kubedoctor.collect.live.followed_logs import FollowedLogs, LogPeriod
from kubedoctor.collect.options import Options
from kubedoctor.sandbox import Sandbox, SandboxState, serve
from tests.sandbox.conftest import objects, pod

ONE, TWO = LogWant("shop", "web-1", "app"), LogWant("ops", "agent-1", "app")
LOGS = {
    "shop/web-1/app": {"current": "2026-11-23T11:00:06Z a1\n2026-11-23T11:00:08Z a2\n", "previous": "before\n"},
    "ops/agent-1/app": {"current": "2026-11-23T11:00:07Z b1\n2026-11-23T11:00:09Z b2\n"},
}


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed_logs, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(followed_logs, "LONGEST_PAUSE", 0.05)


def until(true: Callable[[], object]) -> None:
    ends = time.monotonic() + 15
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.02)


@contextmanager
def following(*wants: LogWant, follow: bool = True) -> Iterator[tuple[FollowedLogs, Sandbox]]:
    sandbox = Sandbox(SandboxState(objects(), LOGS, namespace="shop"))
    with serve(sandbox) as served:
        source = LiveSource(Transport(connect(Options(kubeconfig=str(served.kubeconfig)), {})))
        logs = source.follow_logs(wants, LogPeriod(), follow=follow)
        try:
            yield logs, sandbox
        finally:
            logs.stop()
            source.close()


def texts(logs: FollowedLogs) -> list[str]:
    return [line.text.rpartition(" ")[2] for line in logs.lines()]


def with_status(name: str, **status: Any) -> dict[str, Any]:
    return pod(name, containerStatuses=[{"name": "app", "restartCount": 1, **status}])


def test_lines_are_merged_by_time_and_go_on() -> None:
    with following(ONE, TWO) as (logs, sandbox):
        until(lambda: texts(logs) == ["a1", "b1", "a2", "b2"])
        sandbox.append_log("ops", "agent-1", "app", "b3\n")
        until(lambda: texts(logs)[-1:] == ["b3"])
        sandbox.append_log("shop", "web-1", "app", "a3\n")
        until(lambda: texts(logs)[-2:] == ["b3", "a3"])
        assert logs.states() == ("following", "following")


def test_a_container_that_ends_and_starts_again_is_followed_without_repeating() -> None:
    with following(ONE) as (logs, sandbox):
        until(lambda: texts(logs) == ["a1", "a2"])
        sandbox.put(with_status("web-1", state={"terminated": {"exitCode": 1, "containerID": "c://1"}}))
        until(lambda: logs.states() == ("ended",))
        running = {"running": {"startedAt": "2026-11-23T11:00:05Z"}}
        sandbox.put(with_status("web-1", state=running))
        until(lambda: logs.states() == ("following",))
        sandbox.append_log("shop", "web-1", "app", "a3\n")
        until(lambda: texts(logs) == ["a1", "a2", "a3"])
        sandbox.rotate_log("shop", "web-1", "app")
        sandbox.append_log("shop", "web-1", "app", "a4\n")
        until(lambda: texts(logs) == ["a1", "a2", "a3", "a4"])
        sandbox.delete(pod("web-1"))
        until(lambda: logs.states() == ("the pod was deleted",))


def test_a_container_that_waits_delays_no_other() -> None:
    with following(ONE, LogWant("shop", "web-2", "app"), TWO) as (logs, _):
        until(lambda: texts(logs) == ["a1", "b1", "a2", "b2"])
        until(lambda: logs.states()[1] not in ("reading", "following"))


def test_memory_is_bounded_and_secrets_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed_logs, "MOST_LINES", 100)
    with following(ONE) as (logs, sandbox):
        until(lambda: len(texts(logs)) == 2)
        for number in range(20):
            sandbox.append_log("shop", "web-1", "app", "".join(f"{number}-{line}\n" for line in range(50)))
        sandbox.append_log("shop", "web-1", "app", "password=hunter2hunter2 end\n")
        until(lambda: texts(logs)[-1:] == ["end"])
        assert len(logs.lines()) == 100
        assert logs.dropped == 903
        assert "hunter2" not in logs.lines()[-1].text


def test_the_previous_run_is_read_once() -> None:
    with following(LogWant("shop", "web-1", "app", True)) as (logs, _):
        until(lambda: "previous terminated container" in logs.states()[0])
        assert logs.lines() == ()
