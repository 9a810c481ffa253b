"""Pod logs, and why there are none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Client, client, pod

LOG = {"current": "one\ntwo\nthrée\n", "previous": "before\n"}
PATH = "/api/v1/namespaces/shop/pods/web-1/log"


def _client() -> Client:
    return client(logs={"shop/web-1/app": LOG})


def _with_status(asking: Client, **status: Any) -> None:
    asking.sandbox.put(pod("web-1", containerStatuses=[{"name": "app", "restartCount": 1, **status}]))


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", "one\ntwo\nthrée\n"),
        ("?container=app", "one\ntwo\nthrée\n"),
        ("?tailLines=1", "thrée\n"),
        ("?tailLines=0", ""),
        ("?tailLines=99", "one\ntwo\nthrée\n"),
        ("?limitBytes=5", "one\nt"),
        ("?tailLines=1&limitBytes=4", "thr"),  # A cut character is left out.
        ("?tailLines=1&timestamps=true", "2026-11-23T11:00:05.000000000Z thrée\n"),
    ],
)
def test_what_is_cut(query: str, text: str) -> None:
    response = _client().ask(PATH + query)
    assert (response.code, response.body.decode(), response.content_type) == (200, text, "text/plain")


def test_the_previous_log() -> None:
    asking = _client()
    message = 'previous terminated container "app" in pod "web-1" not found'
    assert asking.get(f"{PATH}?previous=true", code=400)["message"] == message
    _with_status(asking, state={"running": {}}, lastState={"terminated": {"exitCode": 1}})
    assert asking.ask(f"{PATH}?previous=true").body == b"before\n"


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"waiting": {"reason": "ContainerCreating"}}, "is waiting to start: ContainerCreating"),
        ({"waiting": {"reason": "ErrImagePull"}}, "is waiting to start: image can't be pulled"),
        ({"waiting": {"reason": "ImagePullBackOff"}}, "is waiting to start: trying and failing to pull image"),
        ({"terminated": {"exitCode": 1}}, "is terminated"),
        ({}, "is waiting to start - no logs yet"),
    ],
)
def test_a_container_without_a_log_says_why(state: dict[str, Any], message: str) -> None:
    asking = _client()
    _with_status(asking, state=state)
    assert asking.get(PATH, code=400)["message"] == f'container "app" in pod "web-1" {message}'


def test_a_crash_loop_gives_the_log_of_the_last_run() -> None:
    asking = _client()
    _with_status(
        asking, state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState={"terminated": {"containerID": "c://1"}}
    )
    assert asking.ask(f"{PATH}?tailLines=1").body.decode() == "thrée\n"


def test_the_container_must_be_named_when_there_are_several() -> None:
    asking = _client()
    several = pod("web-1")
    several["spec"]["initContainers"] = [{"name": "init"}]
    several["spec"]["containers"].append({"name": "proxy"})
    asking.sandbox.put(several)
    message = "a container name must be specified for pod web-1, choose one of: [init app proxy]"
    assert asking.get(PATH, code=400)["message"] == message
    assert asking.ask(f"{PATH}?container=app").code == 200
    assert asking.get(f"{PATH}?container=x", code=400)["message"] == "container x is not valid for pod web-1"


def test_a_pod_without_a_node_has_an_empty_log() -> None:
    asking = _client()
    asking.sandbox.put(pod("web-1", node=""))
    assert asking.ask(PATH).body == b""


def test_what_was_not_recorded_is_said(client: Client) -> None:
    assert "has no log of container app" in client.get(PATH, code=404)["message"]


def test_a_recorded_error_is_given_again() -> None:
    error = 'Error from server: Get "https://172.30.0.2:10250/containerLogs/x": dial tcp: connection refused'
    status = client(logs={"shop/web-1/app": {"error": error}}).get(PATH, code=500)
    assert status["message"] == error.removeprefix("Error from server: ")


def test_a_followed_log_goes_on() -> None:
    asking = _client()
    response = asking.ask(f"{PATH}?follow=true&tailLines=1")
    assert response.body.decode() == "thrée\n"
    assert response.stream is not None
    asking.sandbox.append_log("shop", "web-1", "app", "four\n")
    assert response.stream.take() == [b"four\n"]
    response.stream.close()
    asking.sandbox.append_log("shop", "web-1", "app", "five\n")
    assert response.stream.take() == []
    assert asking.ask(f"{PATH}?tailLines=2").body == b"four\nfive\n"


def test_a_log_of_what_has_ended_is_not_followed() -> None:
    asking = _client()
    _with_status(asking, state={"terminated": {"exitCode": 0, "containerID": "c://1"}})
    assert asking.ask(f"{PATH}?follow=true").stream is None
