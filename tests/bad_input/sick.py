"""The cluster that every bad input is tried on: in the namespace shop the Deployment checkout meets its memory limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from functools import cache
from typing import Any

import pytest

from kubedoctor.collect.connecting.transport import Transport
from kubedoctor.collect.live import cluster as live
from kubedoctor.collect.live import listing
from kubedoctor.sandbox import Fault, Sandbox, SandboxState, load_recording, recording_path
from tests.bad_input.said import Said

RECORDING = recording_path("oom-killed")
POD = "checkout-797c86bfff-q29bm"
Objects = list[dict[str, Any]]


@cache
def _recorded() -> SandboxState:
    return load_recording(RECORDING)


def sick(change: Callable[[Objects], object] | None = None) -> SandboxState:
    """The cluster, with its objects changed."""
    state = _recorded()
    if change:
        objects = deepcopy(state.objects)
        change(objects)
        return SandboxState(objects, state.logs, state.kubernetes, state.taken_at, state.namespace, state.name)
    return state


def sandbox(faults: Iterable[Fault] = (), change: Callable[[Objects], object] | None = None) -> Sandbox:
    """A server of it."""
    return Sandbox(sick(change), faults=faults)


def one(objects: Objects, kind: str, name: str) -> dict[str, Any]:
    """The object of that name."""
    return next(each for each in objects if each["kind"] == kind and each["metadata"]["name"] == name)


def finds_the_cause(said: Said) -> bool:
    """Whether the true finding comes first."""
    if said.code != 1:
        return False
    return said.first_incident.startswith("✗ Deployment shop/checkout ") and "128Mi memory limit" in said.text


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries do not wait, and lists come in chunks of three."""

    def transport(connection: Any) -> Transport:
        return Transport(connection, pause=lambda _: None)

    monkeypatch.setattr(live, "Transport", transport)
    monkeypatch.setattr(listing, "CHUNK", 3)
