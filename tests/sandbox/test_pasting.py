"""Pasted into a shell, the command for a change does what the change does: the real kubectl makes the same object of it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.cluster import KubernetesObject
from kubedoctor.cluster.changes import Change, Step, apply_to_object, as_data
from kubedoctor.cluster.seen.decoding import convert_object, kind_of_data
from kubedoctor.findings.commands import command_line
from kubedoctor.sandbox import SandboxServer, load_recording, recording_path, serve
from kubedoctor.sandbox.exchange import Request, Response, Stream
from tests.findings.commands.changes import IN_PLACE, OBJECTS, OTHERS, typed

pytestmark = [
    pytest.mark.kubectl,
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on the PATH: runs where it is installed"),
]

SENT = ("uncordon", "resume", "scale", "scale a stateful set")
"""Of these kubectl shows no changed object: what it sends to the API server is compared."""
DRY_RUN = ("--dry-run=client", "-o", "json")


@pytest.fixture(scope="module")
def served() -> Iterator[SandboxServer]:
    with serve(load_recording(recording_path("oom-killed"), rebase_to=datetime.now(UTC))) as running:
        for data in OBJECTS:
            if data["kind"] != "Namespace":
                running.sandbox.put(data)
            else:
                running.sandbox.put({**data, "status": {"phase": "Active"}})
        yield running


@pytest.fixture(scope="module")
def environment(served: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "LANG", "TMPDIR")}
    return {**kept, **served.environment, "HOME": str(tmp_path_factory.mktemp("kubectl"))}


def run(words: list[str], environment: dict[str, str]) -> Any:
    done = subprocess.run(
        words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def decoded(data: dict[str, Any]) -> KubernetesObject:
    (item,) = convert_object(kind_of_data(data), data).objects
    return item


def plain(item: KubernetesObject) -> Any:
    """Without what is empty, which kubectl writes and leaves out as it likes."""
    return _full(as_data(item))


def _full(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: full for key, value in data.items() if (full := _full(value)) not in (None, {}, [], "", 0)}
    return [_full(value) for value in data] if isinstance(data, list) else data


def now(change: Change, environment: dict[str, str]) -> KubernetesObject:
    (about,) = change.objects
    place = ["-n", about.namespace] if about.namespace else []
    return decoded(run(["kubectl", "get", about.argument, *place, "-o", "json"], environment))


@pytest.mark.parametrize("name", [name for name in IN_PLACE if name not in SENT])
def test_what_is_changed_in_place(name: str, environment: dict[str, str]) -> None:
    change, line = IN_PLACE[name]
    before = now(change, environment)
    assert command_line(change, before) == line
    after = decoded(run([*shlex.split(line), *DRY_RUN], environment))
    assert plain(after) != plain(before)
    (operation,) = change.operations
    assert plain(after) == plain(apply_to_object(before, operation.steps))


@pytest.mark.parametrize("name", SENT)
def test_what_is_sent(
    name: str, environment: dict[str, str], served: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sandbox refuses it, for it is read-only; its path is the object's, or that of its scale."""
    change, line = IN_PLACE[name]
    (operation,) = change.operations
    before = now(change, environment)
    bodies: list[Any] = []
    answer = served.sandbox.handle

    def recording(request: Request) -> Response | Stream:
        if request.method == "PATCH":
            assert f"/{operation.about.name}" in request.path
            bodies.append(json.loads(request.body))
        return answer(request)

    monkeypatch.setattr(served.sandbox, "handle", recording)
    subprocess.run(shlex.split(line), env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    (body,) = bodies
    steps = [Step(("spec", field), value, remove=value is None) for field, value in body["spec"].items()]
    assert set(body) <= {"spec", "metadata"}
    assert plain(apply_to_object(before, steps)) == plain(apply_to_object(before, operation.steps))


@pytest.mark.parametrize("name", ["a bare pod", "the class of a claim", "a claim template"])
def test_what_is_recreated(name: str, environment: dict[str, str]) -> None:
    """The object that the first half of the pipe hands to `kubectl replace`."""
    change, line = OTHERS[name]
    first, _ = line.split(" | ")
    operation = change.operations[0]
    before = now(Change((operation,)), environment)
    assert plain(decoded(run(shlex.split(first), environment))) == plain(apply_to_object(before, operation.steps))


@pytest.mark.parametrize(
    "name",
    ["a service account", "a config map", "a role", "a cluster role", "a role binding", "a cluster role binding"],
)
def test_what_is_created(name: str, environment: dict[str, str]) -> None:
    change, line = OTHERS[name]
    (operation,) = change.operations
    assert operation.create is not None
    done = subprocess.run(
        ["sh", "-c", f"{line} --dry-run=client -o json"], env=environment, capture_output=True, text=True, check=True
    )
    assert plain(decoded(json.loads(done.stdout))) == plain(decoded(dict(operation.create)))


@pytest.mark.parametrize("line", [line for _, line in (*IN_PLACE.values(), *OTHERS.values()) if line])
def test_no_shell_reads_more_into_it(line: str, tmp_path: Path) -> None:
    """Between the shell and a program that prints its words nothing is lost, started or expanded."""
    for name in ("kubectl", "printf"):
        (tmp_path / name).write_text(f'#!/bin/sh\nprintf "%s\\n" {name} "$@" >> "$LOG"\n')
        (tmp_path / name).chmod(0o755)
    log = tmp_path / "log"
    one = line.split(" | ")[0].split(" && ")[0]
    subprocess.run(
        ["bash", "-c", f"enable -n printf; {one}"],
        env={"PATH": f"{tmp_path}:/bin:/usr/bin", "LOG": str(log)},
        check=True,
    )
    assert log.read_text().splitlines() == shlex.split(one)


def test_every_change_is_about_an_object_that_is_there() -> None:
    objects = typed()
    assert all(name in objects for change, _ in IN_PLACE.values() for name in change.objects)
