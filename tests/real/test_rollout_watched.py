"""A rollout made bad and repaired while the terminal UI watches it: the screen at each step, in a real terminal."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.cluster.layout import image
from tests.real.namespace import Namespace
from tests.real.workloads import deployment
from tests.tui.terminal import HAS_TMUX, Terminal

pytestmark = [pytest.mark.real, pytest.mark.skipif(not HAS_TMUX, reason="no tmux on the PATH")]
SIZE = (80, 24)
SOON = {"terminationGracePeriodSeconds": 1}


class Steps:
    """The screens in their order, kept in a file."""

    def __init__(self, terminal: Terminal, file: Path) -> None:
        self._terminal, self._file = terminal, file

    def until(self, what: str, *words: str) -> str:
        text = self._terminal.until(*words)
        with self._file.open("a") as file:
            file.write(f"{'=' * 8} {what}\n{text.rstrip()}\n\n")
        return text


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    one = Terminal(tmp_path / "tmux")
    yield one
    one.end()


def test_from_broken_to_healed(namespace: Namespace, terminal: Terminal, tmp_path: Path) -> None:
    name, cluster = namespace.name, namespace.cluster
    namespace.apply(deployment("web", name, replicas=2, pod=SOON))
    namespace.wait_until_available("web")
    steps = Steps(terminal, tmp_path / "screens.txt")
    start = f'cd {tmp_path} && KUBECONFIG={cluster.visitor_kubeconfig} "$@"'
    words = ("sh", "-c", start, "sh", sys.executable, "-m", "kubedoctor", "-n", name)
    terminal.start("env", "-u", "COLUMNS", "-u", "LINES", f"PYTHONPATH={Path.cwd()}", *words, size=SIZE)
    terminal.run("set-option", "-s", "set-clipboard", "on")  # a copied command can be read
    steps.until("before", "1 workload here, 0 incidents", "●")

    cluster.kubectl("set", "image", "deployment/web", f"app={image('checkout', '9.9.9')}", "-n", name)
    text = steps.until("broken, with what changed", "1 broken", "changed", "image 1.4.2 → 9.9.9", "kubectl set image")
    assert f"✗  Deployment {name}/web: image" in text
    terminal.keys("Tab")
    steps.until("the workloads", "web", "2/2")
    terminal.keys("BTab")
    terminal.until("SINCE", "kubectl set image")
    terminal.keys("r")
    steps.until("rehearsed", "Rehearse", "breaks nothing that was healthy", "sent nothing")
    terminal.keys("Escape")
    terminal.until("SINCE", "changed")
    terminal.keys("R")
    steps.until("the report is written", "Written")
    terminal.keys("x")
    steps.until("the fix is copied", "Copied")
    line = terminal.run("show-buffer").strip()
    assert line == f"kubectl set image deployment/web app={image('checkout')} -n {name}"

    cluster.paste(line)
    steps.until("verifying", "verifying")
    steps.until("healed", "✓  healed ", "R write the report")
    (report,) = tmp_path.glob("kubedoctor-report-*.md")
    written = report.read_text()
    assert "9.9.9" in written
    assert line in written
    terminal.keys("R")
    cluster.wait_for("the second report", lambda: len(list(tmp_path.glob("kubedoctor-report-*.md"))) == 2, 30)
    (after,) = (path.read_text() for path in tmp_path.glob("kubedoctor-report-*.md") if path != report)
    assert re.search(rf"✓ Deployment {name}/web: healed (?:at once|after \d+\w+)", after)
    assert "9.9.9 not found in the registry" in after
    assert "image 1.4.2 → 9.9.9" in after
