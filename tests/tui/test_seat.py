"""What an engineer sees in a real terminal of 80 by 24 while others change the cluster: a fault that is repaired heals, and a
finding that is accepted is no incident any more."""

from __future__ import annotations

import copy
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.engine.suppressions.writing import ANNOTATION
from kubedoctor.sandbox import Sandbox, SandboxServer, load_recording, recording_path, serve
from tests.tui.terminal import Terminal

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="no tmux on the PATH: runs where it is installed")
RECORDING = "service-selector-typo"


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    one = Terminal(tmp_path / "tmux")
    yield one
    one.end()


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(load_recording(recording_path(RECORDING)))


@pytest.fixture
def served(sandbox: Sandbox) -> Iterator[SandboxServer]:
    with serve(sandbox) as one:
        yield one


def service() -> dict[str, Any]:
    """The Service whose selector is misspelled."""
    objects = load_recording(recording_path(RECORDING)).objects
    return copy.deepcopy(
        next(obj for obj in objects if obj["kind"] == "Service" and obj["metadata"]["name"] == "checkout")
    )


def start(terminal: Terminal, served: SandboxServer, folder: Path) -> None:
    command = (sys.executable, "-m", "kubedoctor", "-A")
    environment = ("-u", "COLUMNS", "-u", "LINES", f"XDG_CONFIG_HOME={folder}", f"KUBECONFIG={served.kubeconfig}")
    terminal.start("env", *environment, *command, size=(80, 24))


def test_a_fault_that_is_repaired_heals(
    terminal: Terminal, sandbox: Sandbox, served: SandboxServer, tmp_path: Path
) -> None:
    start(terminal, served, tmp_path)
    text = terminal.until("✗  Service shop/checkout", "kubectl patch service/checkout", "1 broken")
    assert "did you mean" in text, "the cause and its fix, without a key"
    terminal.until("●")  # it is watching
    terminal.keys("x")
    terminal.until("fix copied")
    repaired = service()
    repaired["spec"]["selector"] = {"app": "checkout"}
    sandbox.put(repaired)
    text = terminal.until("verifying", "Incidents 1")
    assert "1 broken" not in text
    text = terminal.until("healed at once", "Incidents 0", "✓  Service shop/checkout", "R write the report")
    assert "was " in text


def test_a_finding_that_is_accepted_is_counted_and_explained(
    terminal: Terminal, sandbox: Sandbox, served: SandboxServer, tmp_path: Path
) -> None:
    start(terminal, served, tmp_path)
    terminal.until("✗  Service shop/checkout", "kubectl patch service/checkout", "1 broken")
    terminal.keys("i")
    text = terminal.until("kubectl annotate service/checkout", "suppressions:")
    assert "KD2001 until" in text
    terminal.keys("Escape")
    terminal.until("kubectl patch service/checkout")
    accepted = service()
    until = datetime.now(UTC).date() + timedelta(days=30)
    accepted["metadata"]["annotations"] = {ANNOTATION: f"KD2001 until {until}: moved on Friday"}
    sandbox.put(accepted)
    text = terminal.until("Nothing is broken", "1 suppressed")
    assert "healed" not in text, "it is accepted, not gone"
    terminal.keys("z")
    terminal.until("1 suppressed finding", "moved on Friday", f"{until}")
