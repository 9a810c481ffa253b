"""Watches: how they begin, what they tell, and how they end."""

from __future__ import annotations

import pytest

from kubedoctor.sandbox import Sandbox, SandboxState
from kubedoctor.sandbox.store import HISTORY
from tests.sandbox.conftest import TABLE, Client, events, named, pod

PODS = "/api/v1/namespaces/shop/pods?watch=true"


def test_without_a_version_it_begins_with_what_is_there(client: Client) -> None:
    stream = client.stream(PODS)
    assert named(stream) == [("ADDED", "web-1"), ("ADDED", "web-2")]
    client.sandbox.put(pod("web-3"))
    client.sandbox.put(pod("web-3", phase="Failed"))
    client.sandbox.delete(pod("web-3"))
    client.sandbox.put(pod("other", "ops"))
    assert named(stream) == [("ADDED", "web-3"), ("MODIFIED", "web-3"), ("DELETED", "web-3")]


def test_from_a_version_it_tells_what_came_after(client: Client) -> None:
    version = client.get("/api/v1/namespaces/shop/pods")["metadata"]["resourceVersion"]
    client.sandbox.put(pod("web-3"))
    client.sandbox.delete(pod("web-1"))
    stream = client.stream(f"{PODS}&resourceVersion={version}")
    told = events(stream)
    assert [(kind, obj["metadata"]["name"]) for kind, obj in told] == [("ADDED", "web-3"), ("DELETED", "web-1")]
    versions = [int(obj["metadata"]["resourceVersion"]) for _, obj in told]
    assert versions == [int(version) + 1, int(version) + 2]


def test_initial_events_end_with_a_bookmark(client: Client) -> None:
    asked = f"{PODS}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    told = events(client.stream(asked))
    assert [kind for kind, _ in told] == ["ADDED", "ADDED", "BOOKMARK"]
    metadata = told[-1][1]["metadata"]
    assert metadata["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert metadata["resourceVersion"] == client.get("/api/v1/pods")["metadata"]["resourceVersion"]


def test_initial_events_need_a_version_match(client: Client) -> None:
    assert client.get(f"{PODS}&sendInitialEvents=true", code=422)["reason"] == "Invalid"


def test_bookmarks_are_only_for_those_who_allow_them(client: Client) -> None:
    with_bookmarks, without = client.stream(f"{PODS}&allowWatchBookmarks=true"), client.stream(PODS)
    for stream in (with_bookmarks, without):
        stream.take()
        stream.bookmark()
    assert [kind for kind, _ in events(with_bookmarks)] == ["BOOKMARK"]
    assert events(without) == []


def test_what_begins_or_ceases_to_be_selected_is_added_or_deleted(client: Client) -> None:
    stream = client.stream("/api/v1/namespaces/shop/pods?watch=true&fieldSelector=status.phase=Failed")
    assert events(stream) == []
    client.sandbox.put(pod("web-1", phase="Failed"))
    client.sandbox.put(pod("web-1", phase="Running"))
    client.sandbox.delete(pod("web-1"))
    assert named(stream) == [("ADDED", "web-1"), ("DELETED", "web-1")]


def test_an_old_version_is_told_410_in_the_stream(client: Client) -> None:
    version = client.get("/api/v1/pods")["metadata"]["resourceVersion"]
    client.sandbox.put(pod("web-3"))
    client.sandbox.forget_history()
    stream = client.stream(f"{PODS}&resourceVersion={version}")
    ((kind, status),) = events(stream)
    assert (kind, status["code"], status["reason"]) == ("ERROR", 410, "Expired")
    assert stream.ended


def test_the_history_is_bounded_and_says_so() -> None:
    client = Client(Sandbox(SandboxState([pod("web-1")])))
    version = client.get("/api/v1/pods")["metadata"]["resourceVersion"]
    for _ in range(HISTORY):
        client.sandbox.put(pod("web-1"))
    complete = client.stream(f"{PODS}&resourceVersion={version}")
    assert len(complete.take()) == HISTORY
    client.sandbox.put(pod("web-1"))
    ((kind, _),) = events(client.stream(f"{PODS}&resourceVersion={version}"))
    assert kind == "ERROR"


def test_a_table_gives_its_columns_once(client: Client) -> None:
    stream = client.stream(PODS, accept=TABLE)
    tables = [obj for _, obj in events(stream)]
    assert [bool(each["columnDefinitions"]) for each in tables] == [True, False]
    assert [each["rows"][0]["cells"][0] for each in tables] == ["web-1", "web-2"]


@pytest.mark.parametrize(("query", "lasts"), [("&timeoutSeconds=7", 7.0), ("", 1800.0)])
def test_how_long_it_lasts(client: Client, query: str, lasts: float) -> None:
    assert client.stream(PODS + query).lasts == lasts


def test_a_closed_watch_is_told_nothing_more(client: Client) -> None:
    stream = client.stream(PODS)
    stream.take()
    stream.close()
    client.sandbox.put(pod("web-3"))
    assert stream.take() == []
