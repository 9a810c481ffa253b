"""The demo's kubeconfig goes at every end of the demo."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kubedoctor.sandbox.folder import remove_left_behind

pytestmark = pytest.mark.skipif(
    os.name != "posix", reason="no signals and terminals of POSIX here: runs on Linux and macOS"
)


def started(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """A demo on a terminal of its own, after its kubeconfig was written; and the other end of the terminal."""
    import pty  # not on every system

    outside, inside = pty.openpty()
    environment = {**os.environ, "TMPDIR": str(folder), "TERM": "xterm"}
    command = [sys.executable, "-m", "kubedoctor", "demo"]
    demo = subprocess.Popen(
        command, stdin=inside, stdout=inside, stderr=subprocess.DEVNULL, env=environment, start_new_session=True
    )
    os.close(inside)
    until = time.monotonic() + 30
    while not list(folder.glob("kubedoctor-demo-*/kubeconfig")):
        assert time.monotonic() < until
        assert demo.poll() is None
        time.sleep(0.05)
    return demo, outside


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_removes_it(number: signal.Signals, tmp_path: Path) -> None:
    demo, outside = started(tmp_path)
    demo.send_signal(number)
    demo.wait(30)
    os.close(outside)
    assert not list(tmp_path.glob("kubedoctor-demo-*"))


def test_a_kill_removes_it(tmp_path: Path) -> None:
    demo, outside = started(tmp_path)
    os.killpg(demo.pid, signal.SIGKILL)
    demo.wait(30)
    os.close(outside)
    until = time.monotonic() + 30
    while list(tmp_path.glob("kubedoctor-demo-*")):
        assert time.monotonic() < until
        time.sleep(0.02)


def test_the_next_start_removes_what_a_dead_process_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    left, used, other = (tmp_path / f"kubedoctor-demo-{process}-x" for process in (ended.pid, os.getpid(), "mine"))
    for folder in (left, used, other):
        folder.mkdir()
        (folder / "kubeconfig").touch()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    remove_left_behind()
    assert sorted(tmp_path.iterdir()) == sorted((used, other))
