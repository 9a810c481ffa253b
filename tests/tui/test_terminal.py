"""The installed command in a real terminal: tmux draws it, and its pane is read."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubedoctor.sandbox import Sandbox, load_recording, recording_path, serve
from kubedoctor.sandbox.faults import slow
from tests.tui.terminal import HAS_TMUX, Terminal

pytestmark = pytest.mark.skipif(not HAS_TMUX, reason="no tmux on the PATH: runs where it is installed")


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
