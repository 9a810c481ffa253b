"""A watch starts where the lists that were read have ended, and lists again only where that is impossible."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.news import News
from kubedoctor.cluster.seen.wants import Want
from kubedoctor.collect.live import following
from kubedoctor.collect.live.cluster import LiveSource
from kubedoctor.collect.live.watching import Watcher
from kubedoctor.sandbox import Fault, Sandbox, faults
from tests.collect.live.watched import PATIENCE
from tests.collect.served import live, names, pod


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(following, "LONGEST_PAUSE", 0.05)


def until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.01)


def lists(sandbox: Sandbox, plural: str) -> int:
    return sum(each.path.endswith(f"/{plural}") and "watch" not in each.query for each in sandbox.requests)


def watching(watcher: Watcher) -> bool:
    return all(status.state == "watching" for status in watcher.status())


def followed(source: LiveSource, sandbox: Sandbox, expected: list[str], namespace: str | None = None) -> list[str]:
    """Watch pods, change one more, and wait until what is seen is as expected; what is seen."""
    watcher = source.watch(("Pod",), lambda _: None, namespace)
    try:
        until(lambda: watching(watcher))
        sandbox.put(pod("web-9"))
        until(lambda: names(source, "Pod") == expected)
        until(lambda: watching(watcher))
    finally:
        watcher.stop()
    return names(source, "Pod")


def test_what_changed_between_the_list_and_the_watch_is_seen_without_a_second_list() -> None:
    with live() as (source, sandbox):
        source.list_all(["Pod"])
        sandbox.put(pod("web-3"))
        sandbox.delete(pod("web-1"))
        followed(source, sandbox, ["stranger", "web-2", "web-3", "web-9"])
        assert lists(sandbox, "pods") == 1


@pytest.mark.parametrize(
    "fault",
    [
        faults.watch_expired("pods"),
        Fault(410, "Expired", "old", ("pods",), ("watch",), times=1),
        Fault(504, "Timeout", "Too large resource version: 900, current: 7", ("pods",), ("watch",), times=1),
        Fault(400, "BadRequest", "invalid resource version", ("pods",), ("watch",), times=1),
        Fault(500, "InternalError", "etcd was restored", ("pods",), ("watch",), times=1),
    ],
    ids=lambda fault: f"{fault.code}-{fault.reason}",
)
def test_a_server_that_does_not_know_the_version_is_listed_again(fault: Fault) -> None:
    with live(fault) as (source, sandbox):
        source.list_all(["Pod"])
        sandbox.delete(pod("web-1"))
        followed(source, sandbox, ["stranger", "web-2", "web-9"])
        assert lists(sandbox, "pods") == 2


def test_a_busy_server_is_not_asked_for_a_second_list() -> None:
    busy = Fault(429, "TooManyRequests", "slow down", ("pods",), ("watch",), times=2)
    with live(busy) as (source, sandbox):
        source.list_all(["Pod"])
        followed(source, sandbox, ["stranger", "web-1", "web-2", "web-9"])
        assert lists(sandbox, "pods") == 1


def test_only_what_changed_since_the_list_is_news() -> None:
    with live() as (source, sandbox):
        source.list_all(["Pod", "Node"])
        sandbox.put(pod("web-3"))
        told: list[News] = []
        watcher = source.watch(("Pod", "Node"), told.append)
        try:
            until(lambda: watching(watcher) and bool(told))
        finally:
            watcher.stop()
        assert told == [News(objects=frozenset({Ref("Pod", "shop", "web-3")}))]


def test_a_forgotten_history_is_listed_again() -> None:
    with live() as (source, sandbox):
        source.list_all(["Pod"])
        sandbox.delete(pod("web-1"))
        sandbox.forget_history()
        followed(source, sandbox, ["stranger", "web-2", "web-9"])
        assert lists(sandbox, "pods") == 2


def test_a_list_of_another_scope_or_of_a_part_is_no_start() -> None:
    with live() as (source, sandbox):
        source.list_all(["Pod"], "other")
        source.gather(frozenset({Want("Pod", "shop", labels="app=web")}))
        before = lists(sandbox, "pods")
        followed(source, sandbox, ["stranger", "web-1", "web-2", "web-9"], "shop")
        assert lists(sandbox, "pods") == before + 1


def test_where_only_one_namespace_may_be_listed_it_is_still_said() -> None:
    with live(faults.forbidden("pods", namespaces=("",))) as (source, sandbox):
        source.list_all(["Pod"])
        followed(source, sandbox, ["web-1", "web-2", "web-9"])
        assert "only namespace shop could be read" in source.snapshot.limitation(Want("Pod"))


def test_a_list_is_the_start_of_one_watch_only() -> None:
    """What the first watch has removed must not come back, and a second one starts from what is there then."""
    with live() as (source, sandbox):
        source.list_all(["Pod"])
        followed(source, sandbox, ["stranger", "web-1", "web-2", "web-9"])
        sandbox.delete(pod("web-1"))
        followed(source, sandbox, ["stranger", "web-2", "web-9"])
        assert lists(sandbox, "pods") == 2
