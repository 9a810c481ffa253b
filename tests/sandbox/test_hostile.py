"""Whatever is asked and whatever is recorded, an answer comes back."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubedoctor.sandbox import Sandbox, SandboxState, load_recording, recording_path
from kubedoctor.sandbox.exchange import Object, Request
from tests.sandbox.conftest import TABLE, Client, client, pod

WORDS = st.sampled_from(
    [
        "api",
        "apis",
        "v1",
        "apps",
        "namespaces",
        "shop",
        "pods",
        "web-1",
        "log",
        "status",
        "scale",
        "exec",
        "deployments",
        "widgets",
        "acme.example",
        "nodes",
        "openapi",
        "v3",
        "version",
        "watch",
        "authorization.k8s.io",
        "selfsubjectaccessreviews",
        "..",
        "%",
        "\x00",
        "é",
    ]
)
VALUES = st.sampled_from(["", "0", "1", "true", "-1", "x", "999999999999999999999", "a=b", "a in (", "é", "\x00"])
PARAMETERS = st.sampled_from(
    [
        "watch",
        "limit",
        "continue",
        "labelSelector",
        "fieldSelector",
        "resourceVersion",
        "resourceVersionMatch",
        "sendInitialEvents",
        "allowWatchBookmarks",
        "timeoutSeconds",
        "tailLines",
        "limitBytes",
        "container",
        "previous",
        "follow",
        "timestamps",
        "includeObject",
    ]
)
ACCEPTS = st.sampled_from(["", "application/json", TABLE, "as=PartialObjectMetadataList", "*/*"])
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])


@given(
    METHODS,
    st.lists(WORDS, max_size=8),
    st.dictionaries(PARAMETERS, VALUES, max_size=4),
    ACCEPTS,
    st.binary(max_size=40),
)
def test_every_request_is_answered(
    method: str, words: list[str], query: dict[str, str], accept: str, body: bytes
) -> None:
    sandbox = client(logs={"shop/web-1/app": {"current": "one\n"}}).sandbox
    path = "/" + "/".join(words)
    response = sandbox.handle(Request(method, path, query, {"accept": accept}, body))
    assert 200 <= response.code < 500
    if method not in ("GET", "HEAD", "POST"):
        assert response.code >= 400


def _nulled(value: Any, at: list[str | int]) -> Any:
    copy = deepcopy(value)
    holder = copy
    for step in at[:-1]:
        holder = holder[step]
    holder[at[-1]] = None
    return copy


def _paths(value: Any, at: list[str | int] | None = None) -> list[list[str | int]]:
    at = at or []
    steps: list[str | int] = list(value) if isinstance(value, dict) else list(range(len(value)))
    found = []
    for step in steps:
        found.append([*at, step])
        if isinstance(value[step], dict | list):
            found += _paths(value[step], [*at, step])
    return found


def _one_of_each_kind() -> list[Object]:
    recorded = load_recording(recording_path("oom-killed")).objects
    return list({each["kind"]: each for each in recorded}.values())


@pytest.mark.parametrize("obj", _one_of_each_kind(), ids=lambda obj: obj["kind"])
def test_a_null_anywhere_leaves_the_other_rows(obj: Object) -> None:
    whole = {**obj, "metadata": {**obj["metadata"], "name": "whole"}}
    broken = [
        _nulled(obj, path)
        for path in _paths(obj)
        if path not in (["metadata"], ["metadata", "name"], ["kind"], ["apiVersion"]) and path[:2] != ["spec", "group"]
    ]
    for each in broken:
        asking = Client(Sandbox(SandboxState([each, whole])))
        resource = asking.sandbox._resources.of(each)
        root = f"/apis/{resource.group}" if resource.group else "/api"
        path = f"{root}/{resource.version}/{resource.plural}"
        rows = asking.get(path, accept=TABLE)["rows"]
        assert len(rows) == 2
        assert len(asking.get(f"{path}?labelSelector=!none&fieldSelector=metadata.name=whole")["items"]) == 1


def test_names_are_given_as_they_are() -> None:
    name = 'x\x1b[31m"<&\u202e'
    asking = Client(Sandbox(SandboxState([pod(name)])))
    assert asking.get("/api/v1/pods")["items"][0]["metadata"]["name"] == name
    assert b"\x1b" not in asking.ask("/api/v1/pods").body


def test_a_large_annotation_and_many_events() -> None:
    large = pod("web-1")
    large["metadata"]["annotations"] = {"note": "x" * 1_000_000}
    event: Object = {"apiVersion": "v1", "kind": "Event", "metadata": {"namespace": "shop"}, "reason": "R"}
    many = [{**event, "metadata": {**event["metadata"], "name": f"e{number}"}} for number in range(10_000)]
    asking = Client(Sandbox(SandboxState([large, *many])))
    first = asking.get("/api/v1/events?limit=500")
    assert (len(first["items"]), first["metadata"]["remainingItemCount"]) == (500, 9_500)
    assert len(json.dumps(asking.get("/api/v1/pods"))) > 1_000_000
