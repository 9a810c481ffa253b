"""The installed command in a real terminal: tmux draws it, and its pane is read."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubedoctor.sandbox import Sandbox, load_recording, recording_path, serve
from kubedoctor.sandbox.faults import slow

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="no tmux on the PATH: runs where it is installed")
PATIENCE = 60.0  # seconds; a busy machine is slow to start Python


class Terminal:
    """A tmux server of its own, so that nobody's sessions are touched."""

    def __init__(self, socket: Path) -> None:
        self._tmux = ["tmux", "-S", str(socket), "-f", "/dev/null"]

    def run(self, *arguments: str) -> str:
        done = subprocess.run([*self._tmux, *arguments], capture_output=True, text=True, check=True, timeout=PATIENCE)
        return done.stdout

    def start(self, *command: str, size: tuple[int, int] = (100, 30)) -> None:
        self.run("new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), *command)

    def end(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False)

    def keys(self, *keys: str) -> None:
        self.run("send-keys", *keys)

    def screen(self) -> str:
        return self.run("capture-pane", "-p")

    def until(self, *words: str) -> str:
        """The screen, once all words are on it."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            text = self.screen()
            if all(word in text for word in words):
                return text
            time.sleep(0.1)
        raise AssertionError(f"{words} did not come; the screen:\n{text}")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    one = Terminal(tmp_path / "tmux")
    yield one
    one.end()


def test_keys_in_a_real_terminal(terminal: Terminal) -> None:
    command = (sys.executable, "-m", "kubedoctor", "--from", str(recording_path("oom-killed")), "-n", "shop")
    terminal.start(
        "env", "-u", "COLUMNS", "-u", "LINES", "sh", "-c", '"$@"; echo "left with $?"; sleep 60', "sh", *command
    )
    text = terminal.until("shop/checkout", "memory limit", "kubectl set resources")
    assert "✗  Deployment shop/checkout" in text
    terminal.keys("Tab")
    text = terminal.until("checkout", "0/1", "memory limit")
    assert "✗  deploy  checkout" in text
    terminal.keys("j")
    terminal.until("api: no problems found")
    terminal.keys("/", "w", "o", "r", "k", "Enter")
    terminal.until("worker: no problems found", "/work")
    terminal.keys("Escape")
    terminal.until("nightly-report")
    terminal.keys("?")
    terminal.until("used by")
    terminal.keys("Escape")
    terminal.until("nightly-report")
    terminal.keys(":", "q", "Enter")
    terminal.until("left with 0")


def test_leaving_does_not_wait_for_a_slow_server(terminal: Terminal) -> None:
    sandbox = Sandbox(load_recording(recording_path("oom-killed")), faults=[slow("pods", seconds=600)])
    with serve(sandbox) as served:
        command = (sys.executable, "-m", "kubedoctor", "--kubeconfig", str(served.kubeconfig), "-n", "shop")
        terminal.start(
            "env", "-u", "COLUMNS", "-u", "LINES", "sh", "-c", '"$@"; echo "left with $?"; sleep 60', "sh", *command
        )
        terminal.until("reading: ")
        terminal.keys(":", "q", "Enter")
        terminal.until("left with 0")
