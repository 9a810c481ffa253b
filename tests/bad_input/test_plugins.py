"""Exec plug-ins that hang, flood, lie or give dates without zone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.collect.connecting import plugin_process
from tests.bad_input.said import Said, say
from tests.bad_input.sick import hasty
from tests.bad_input.test_answers import of_pods
from tests.collect.certificates import make, server_side
from tests.collect.fake_api import FakeApi, kubeconfig, response

__all__ = ["hasty"]
Capture = pytest.CaptureFixture[str]
pytestmark = pytest.mark.usefixtures("hasty")
VERSION = "client.authentication.k8s.io/v1"
LONGEST = 5.0


def answer(status: Any = None, **rest: Any) -> str:
    """A script that prints a credential."""
    credential = {"apiVersion": VERSION, "kind": "ExecCredential", "status": {"token": "t"} | (status or {}), **rest}
    return f"cat <<'END'\n{json.dumps(credential)}\nEND"


FAILURES = {
    "hangs": ("sleep 60", "did not answer within 0.5s"),
    "hangs in a child that holds the output": ("sleep 60 & sleep 60", "did not answer within 0.5s"),
    "leaves a child that holds the output": ("sleep 60 &", "did not answer within 0.5s"),
    "closes its output and hangs": ("exec >&-; sleep 60", "did not answer within 0.5s"),
    "prints for ever": ("yes", "its answer is too large"),
    "prints nothing": ("true", "its answer is not JSON"),
    "prints text": ("echo please log in", "its answer is not JSON"),
    "prints bytes": (r"printf '\377\376'", "its answer is not JSON"),
    "prints a list": ("echo '[]'", "its answer is not valid"),
    "nests without end": ("head -c 200000 /dev/zero | tr '\\0' '['", "its answer is not JSON"),
    "gives no status": (f'echo \'{{"apiVersion": "{VERSION}", "kind": "ExecCredential"}}\'', "is not valid"),
    "gives a status of null": ("echo '{\"status\": null}'", "is not valid"),
    "gives no credentials": (answer({"token": ""}), "it returned neither a token nor a client certificate"),
    "gives another version": (answer(apiVersion="v0"), "another API version than the kubeconfig"),
    "gives another kind": (answer(kind="Status"), "is not an ExecCredential"),
    "fails": ("echo secret-token >&2; exit 7", "it exited with code 7"),
    "is killed": ("kill -9 $$", "it exited with code -9"),
}
DATES = {
    "without zone": "2046-01-15T10:00:00",
    "with a zone": "2046-01-15T10:00:00+02:00",
    "of year 9999": "9999-12-31T23:59:59Z",
    "of year 1": "0001-01-01T00:00:00Z",
    "that is only a day": "2046-01-15",
    "in words": "tomorrow",
    "as a number": 7,
    "that is null": None,
}


class Login:
    """A cluster whose user has a plug-in."""

    def __init__(self, folder: Path, capsys: Capture) -> None:
        self.folder, self.capsys = folder, capsys

    def scan(self, script: str, change: Callable[[dict[str, Any]], object] | None = None) -> Said:
        plugin = self.folder / "login"
        plugin.write_text(f"#!/bin/sh\n{script}\n")
        plugin.chmod(0o755)
        spec: dict[str, Any] = {"command": str(plugin), "apiVersion": VERSION}
        if change:
            change(spec)
        certificate, key = make(self.folder, "server")
        empty = of_pods(response({"kind": "PodList", "items": []}))
        with FakeApi(empty, server_side(certificate, key)) as api:
            cluster = {"certificate-authority": str(certificate)}
            config = kubeconfig(self.folder / "config", api.url, user={"exec": spec}, cluster=cluster)
            began = time.monotonic()
            said = say(self.capsys, "scan", "--request-timeout=500ms", "--kubeconfig", config)
            assert time.monotonic() - began < LONGEST
        return said


@pytest.fixture
def login(tmp_path: Path, capsys: Capture) -> Login:
    return Login(tmp_path, capsys)


@pytest.mark.parametrize("name", FAILURES)
def test_plugins_that_fail(name: str, login: Login) -> None:
    script, sentence = FAILURES[name]
    said = login.scan(script)
    assert said.code == 2
    assert sentence in said.text
    assert "secret-token" not in said.text


@pytest.mark.parametrize("name", DATES)
def test_dates_of_plugins(name: str, login: Login) -> None:
    assert login.scan(answer({"expirationTimestamp": DATES[name]})).code == 0


SPECS: dict[str, dict[str, Any]] = {
    "arguments that are numbers": {"args": [1, None, True]},
    "arguments that are text": {"args": "x"},
    "an environment of text": {"env": ["A=b", {"name": "N", "value": 7}, {"name": None}]},
    "cluster information": {"provideClusterInfo": True},
    "an unknown mode": {"interactiveMode": 7},
}


@pytest.mark.parametrize("name", SPECS)
def test_odd_settings_of_plugins(name: str, login: Login) -> None:
    assert login.scan(answer(), lambda spec: spec.update(SPECS[name])).code == 0


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no API version": ({"apiVersion": None}, "names no command or no API version"),
    "a null byte": ({"args": ["a\0b"]}, "cannot be used"),
    "a command that cannot run": ({"command": "/etc/passwd"}, "exec plugin /etc/passwd of user jane is not installed"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_settings_that_cannot_be_used(name: str, login: Login) -> None:
    change, sentence = BROKEN[name]
    said = login.scan(answer(), lambda spec: spec.update(change))
    assert said.code == 2
    assert sentence in said.text


def test_who_waits_is_told(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin_process, "SLOW", 0.1)
    said = login.scan(f"sleep 0.3\n{answer()}")
    assert said.code == 0
    assert f"waiting for exec plugin {login.folder}/login of user jane; it may need you to log in …" in said.err
