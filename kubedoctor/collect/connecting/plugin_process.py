"""Runs an exec plug-in (`client.authentication.k8s.io`) within a time, as client-go does
(`plugin/pkg/client/auth/exec/exec.go`, v1.37)."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import IO, Any

from kubedoctor.collect.connecting.kubeconfig import text_of
from kubedoctor.collect.waiting import WAITING

SLOW = 2.0
"""Seconds after which it is announced what is waited for."""
LOGIN = 180.0
"""Seconds for a person who watches, to log in or to give up."""
MOST_BYTES = 1 << 20
_EXTENSION = "client.authentication.k8s.io/exec"


class PluginFailed(Exception):
    """A clause that says why, without the plug-in's output: it may hold tokens in any form."""


def run_plugin(spec: Mapping[str, Any], cluster: Mapping[str, Any], user: str, seconds: float | None) -> dict[str, Any]:
    """The `status` that the plug-in returns. Raises PluginFailed, also where it lasts longer; a person has more time, and
    with None everybody."""
    seconds = max(seconds or LOGIN, LOGIN) if WAITING.watched else seconds or LOGIN
    command, version = text_of(spec.get("command")), text_of(spec.get("apiVersion"))
    if not command or not version:
        raise PluginFailed("the kubeconfig names no command or no API version for it")
    on_terminal = text_of(spec.get("interactiveMode")) != "Never" and _has_terminal()
    process = _start(
        [command, *_texts(spec.get("args"))], _environment(spec, cluster, version, on_terminal), on_terminal
    )
    try:
        body = _output(process, time.monotonic() + seconds, f"exec plugin {command} of user {user}")
    except BaseException:  # ctrl-c among others
        _stop(process, alone=on_terminal)
        raise
    if body is None or len(body) > MOST_BYTES:
        _stop(process, alone=on_terminal)
        raise PluginFailed("its answer is too large" if body else f"it did not answer within {seconds:g}s")
    if process.returncode:
        raise PluginFailed(f"it exited with code {process.returncode}")
    return _status(body, version)


def _start(words: list[str], environment: dict[str, str], on_terminal: bool) -> subprocess.Popen[bytes]:
    quiet = None if on_terminal else subprocess.DEVNULL
    try:
        return subprocess.Popen(
            words,
            stdin=quiet,
            stdout=subprocess.PIPE,
            stderr=quiet,
            env=environment,
            shell=sys.platform in ("win32", "cygwin"),
            start_new_session=not on_terminal,  # so that the children of a shell script end with it
        )
    except OSError as error:
        raise PluginFailed(error.strerror or type(error).__name__) from None
    except ValueError:  # a null byte
        raise PluginFailed("its command, arguments or environment cannot be used") from None


def _output(process: subprocess.Popen[bytes], end: float, name: str) -> bytes | None:
    """What it prints, when it has exited; None where it is late."""
    pieces: list[bytes] = []
    stream: IO[bytes] | None = process.stdout
    assert stream is not None, "it is a pipe"

    def read() -> None:
        with contextlib.suppress(OSError), stream:
            pieces.append(stream.read(MOST_BYTES + 1))

    reader = threading.Thread(target=read, daemon=True, name="kubedoctor-exec-plugin")
    reader.start()
    reader.join(max(0.0, min(SLOW, end - time.monotonic())))
    if reader.is_alive() and time.monotonic() < end:
        WAITING.announce(f"waiting for {name}; it may need you to log in")
        reader.join(max(0.0, end - time.monotonic()))
    if reader.is_alive():
        return None
    body = b"".join(pieces)
    if len(body) <= MOST_BYTES:
        try:
            process.wait(max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            return None
    return body


def _stop(process: subprocess.Popen[bytes], *, alone: bool) -> None:
    """End it, with its children where they are in a session of their own."""
    with contextlib.suppress(OSError):
        if os.name == "posix" and not alone:
            os.killpg(process.pid, 9)
        process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(1.0)


def _status(body: bytes, version: str) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise PluginFailed("its answer is not JSON") from None
    if not isinstance(answer, dict) or not isinstance(answer.get("status"), dict):
        raise PluginFailed("its answer is not valid")
    if answer.get("kind") != "ExecCredential":
        raise PluginFailed("its answer is not an ExecCredential")
    if answer.get("apiVersion") != version:
        raise PluginFailed("its answer has another API version than the kubeconfig")
    return dict(answer["status"])


def _environment(
    spec: Mapping[str, Any], cluster: Mapping[str, Any], version: str, on_terminal: bool
) -> dict[str, str]:
    environment = dict(os.environ)
    rows = spec.get("env")
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and text_of(row.get("name")):
            environment[text_of(row.get("name"))] = text_of(row.get("value"))
    details: dict[str, Any] = {"interactive": on_terminal}
    if spec.get("provideClusterInfo"):
        details["cluster"] = {key: value for key, value in cluster.items() if key != "extensions"}
        extensions = cluster.get("extensions")
        for extension in extensions if isinstance(extensions, list) else ():
            if isinstance(extension, dict) and extension.get("name") == _EXTENSION:
                details["cluster"]["config"] = extension.get("extension")
    info = {"apiVersion": version, "kind": "ExecCredential", "spec": details}
    environment["KUBERNETES_EXEC_INFO"] = json.dumps(info, default=str)
    return environment


def _texts(values: Any) -> list[str]:
    return [text_of(value) for value in values] if isinstance(values, list) else []


def _has_terminal() -> bool:
    """Whether a person can answer: not in the terminal UI, which has the terminal to itself."""
    if sys.stderr is not sys.__stderr__ or sys.stdin is None or sys.stderr is None:
        return False
    try:
        return sys.stdin.isatty() and sys.stderr.isatty()
    except ValueError:  # closed
        return False
