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
        ("?tailLines=1&limitBytes=3", "thr"),
        ("?tailLines=1&timestamps=true", "2026-11-23T11:00:07.000000000Z thrée\n"),
        ("?timestamps=true&limitBytes=34", "2026-11-23T11:00:05.000000000Z one"),
        ("?sinceTime=2026-11-23T11:00:06Z", "two\nthrée\n"),
        ("?sinceTime=2026-11-23T11:00:07Z&tailLines=2", "thrée\n"),
        ("?sinceSeconds=60", ""),
        ("?sinceSeconds=99999999", "one\ntwo\nthrée\n"),
    ],
)
def test_what_is_cut(query: str, text: str) -> None:
    response = _client().ask(PATH + query)
    assert (response.code, response.body.decode(), response.content_type) == (200, text, "text/plain")


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("tailLines=-1", "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ("limitBytes=0", "limitBytes: Invalid value: 0: must be greater than 0"),
        ("sinceSeconds=0", "sinceSeconds: Invalid value: 0: must be greater than 0"),
        (
            "sinceSeconds=1&sinceTime=2026-11-23T11:00:06Z",
            ": Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified",
        ),
    ],
)
def test_what_the_api_server_refuses(query: str, why: str) -> None:
    status = _client().get(f"{PATH}?{query}", code=422)
    assert (status["reason"], status["message"]) == ("Invalid", f'PodLogOptions "web-1" is invalid: {why}')


def test_lines_have_the_times_that_they_state() -> None:
    log = {"current": "2026-11-23T11:30:00.25Z up\n\tat x\n2026-11-23T10:00:00Z before its start\n"}
    asking = client(logs={"shop/web-1/app": log})
    assert asking.ask(f"{PATH}?timestamps=true").body.decode().splitlines() == [
        "2026-11-23T11:30:00.250000000Z 2026-11-23T11:30:00.25Z up",
        "2026-11-23T11:30:01.250000000Z \tat x",
        "2026-11-23T11:30:02.250000000Z 2026-11-23T10:00:00Z before its start",
    ]


def test_what_is_appended_has_the_time_at_which_it_came() -> None:
    asking = _client()
    followed = asking.ask(f"{PATH}?follow=true&tailLines=0&timestamps=true&limitBytes=45")
    asking.sandbox.append_log("shop", "web-1", "app", "four\n")
    (recent,) = asking.ask(f"{PATH}?sinceSeconds=60&timestamps=true").body.decode().splitlines()
    assert recent.endswith("Z four")
    assert followed.stream is not None
    assert followed.stream.take() == [f"{recent}\n".encode()]
    asking.sandbox.append_log("shop", "web-1", "app", "five\n")
    assert b"".join(followed.stream.take()) == f"{recent[:9]}".encode()
    assert followed.stream.ended, "the limit of bytes is reached"


def test_a_followed_log_ends_with_its_container_and_outlives_a_rotation() -> None:
    asking = _client()
    response = asking.ask(f"{PATH}?follow=true&tailLines=0")
    assert response.stream is not None
    asking.sandbox.rotate_log("shop", "web-1", "app")
    asking.sandbox.append_log("shop", "web-1", "app", "four\n")
    assert response.stream.take() == [b"four\n"]
    assert asking.ask(PATH).body == b"four\n"
    _with_status(asking, state={"terminated": {"exitCode": 1, "containerID": "c://1"}})
    assert response.stream.ended
    _with_status(asking, state={"running": {"startedAt": "2026-11-23T12:00:00Z"}})
    response = asking.ask(f"{PATH}?follow=true&tailLines=0")
    assert response.stream is not None
    asking.sandbox.delete(pod("web-1"))
    assert response.stream.ended


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
