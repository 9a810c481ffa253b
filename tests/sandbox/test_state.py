"""Recordings: how they are read, and how they are moved in time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.sandbox import Sandbox, SandboxState, load_recording, recording_names, recording_path
from tests.sandbox.conftest import NOON, Client, client

LARGEST = 300_000


def test_the_installed_recordings() -> None:
    assert recording_names() == (
        "shop-at-night",
        "insufficient-cpu",
        "lost-connections",
        "oom-killed",
        "quota-exceeded",
        "service-selector-typo",
    )


@pytest.mark.parametrize("name", recording_names())
def test_every_installed_recording_is_complete_and_small(name: str) -> None:
    path = recording_path(name)
    assert path.stat().st_size < LARGEST
    state = load_recording(path)
    assert (state.name, state.namespace, state.kubernetes) == (name, "shop", "v1.37.2")
    assert state.taken_at is not None
    assert state.story
    assert {"Pod", "Node", "Event", "Service"} <= {each["kind"] for each in state.objects}


def test_the_default_recording_shows_many_faults_and_healthy_neighbours() -> None:
    asking = Client(Sandbox(load_recording(recording_path())))
    waiting = {
        status["state"]["waiting"]["reason"]
        for each in asking.get("/api/v1/pods")["items"]
        for status in each["status"].get("containerStatuses", [])
        if "waiting" in status["state"]
    }
    assert waiting == {"CrashLoopBackOff", "ImagePullBackOff", "CreateContainerConfigError"}
    expected = json.loads(recording_path().read_bytes())["expect"]["incidents"]
    assert len(expected) == 8
    for each in expected:
        culprit = each["culprit"]
        row = kind_named(culprit["kind"])
        assert row is not None
        asking.get(row.path(culprit["namespace"], culprit["name"]))


def test_secrets_of_recordings_are_blank() -> None:
    objects = [obj for name in recording_names() for obj in load_recording(recording_path(name)).objects]
    data = [obj["data"] for obj in objects if obj["kind"] == "Secret" and obj.get("data")]
    assert data
    assert {value for values in data for value in values.values()} == {""}


def test_an_unknown_recording_names_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"There is no recording 'x'. Recordings: shop-at-night, "):
        recording_path("x")


@pytest.mark.parametrize("text", ["", "[]", "{}", '"x"', '{"objects": 5}', '{"objects": [], "captured_at": "noon"}'])
def test_what_is_not_a_recording_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"broken\.json is not a recording of a cluster"):
        load_recording(path)


def test_what_is_not_text_is_said(tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(b"\xff\xfe{")
    with pytest.raises(ValueError, match="is not a recording"):
        load_recording(path)


def test_timestamps_move_together() -> None:
    status = {
        "a": "2026-11-23T10:00:00Z",
        "b": ["2026-11-23T10:00:00.123456Z"],
        "c": "at 2026-11-23T10:00:00Z",
        "d": "9999-12-31T23:59:59Z",
    }
    logs = {"n/p/c": {"current": "2026-11-23T09:59:59.5Z x\n2026/11/23 09:59:59 y\n2026/13/45 09:00:00 z\n"}}
    moved = SandboxState([status], logs, taken_at=NOON).rebased(NOON + timedelta(days=1, seconds=1))
    assert moved.objects == [
        {
            "a": "2026-11-24T10:00:01Z",
            "b": ["2026-11-24T10:00:01.123456Z"],
            "c": "at 2026-11-23T10:00:00Z",
            "d": "9999-12-31T23:59:59Z",
        }
    ]
    text = "2026-11-24T10:00:00.5Z x\n2026/11/24 10:00:00 y\n2026/13/45 09:00:00 z\n"
    assert moved.logs == {"n/p/c": {"current": text}}
    assert moved.taken_at == NOON + timedelta(days=1, seconds=1)


def test_a_state_without_a_moment_is_not_moved() -> None:
    state = SandboxState([{"a": "2026-11-23T10:00:00Z"}])
    assert state.rebased(NOON) is state


def test_a_recording_is_rebased_when_it_is_loaded(tmp_path: Path) -> None:
    document = {
        "objects": [{"kind": "Namespace", "metadata": {"name": "a", "creationTimestamp": "2026-01-01T00:00:00Z"}}],
        "captured_at": "2026-01-01T00:05:00Z",
    }
    path = tmp_path / "one.json"
    path.write_text(json.dumps(document))
    state = load_recording(path, rebase_to=datetime(2026, 6, 1, 12, 0, tzinfo=UTC))
    assert state.objects[0]["metadata"]["creationTimestamp"] == "2026-06-01T11:55:00Z"
    assert (state.name, state.namespace) == ("one", "a")


def test_recorded_versions_are_kept_and_new_ones_are_higher() -> None:
    asking = client()
    asking.sandbox.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}})
    one, two = (asking.get(f"/api/v1/{each}")["metadata"]["resourceVersion"] for each in ("configmaps", "pods"))
    assert one == two
    found = asking.get("/api/v1/namespaces/default/configmaps/x")
    assert found["metadata"]["resourceVersion"] == one
    assert found["metadata"]["creationTimestamp"] == "2026-11-23T12:00:00Z"
