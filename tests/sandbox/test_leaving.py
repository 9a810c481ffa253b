"""The demo's kubeconfig goes at every end of the demo."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kubedoctor.sandbox.server import _remove_left_behind

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


def test_after_a_kill_the_next_start_removes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    demo, outside = started(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    _remove_left_behind()
    assert list(tmp_path.glob("kubedoctor-demo-*")), "it is running"
    demo.kill()
    demo.wait(30)
    os.close(outside)
    assert list(tmp_path.glob("kubedoctor-demo-*"))
    _remove_left_behind()
    assert not list(tmp_path.glob("kubedoctor-demo-*"))
