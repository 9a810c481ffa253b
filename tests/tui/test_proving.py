"""A fix that was run elsewhere: the screen says by itself when it has healed."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.engine.health import Health
from kubedoctor.sandbox import Sandbox, SandboxServer, load_recording, recording_path, serve
from kubedoctor.tui.screens.list_screen import ListScreen
from kubedoctor.tui.widgets.incident_pane import IncidentPane
from tests.tui.recordings import press
from tests.tui.running import running
from tests.tui.screenshots import application
from tests.tui.test_live import running as live
from tests.tui.test_live import until

RECORDING = "service-selector-typo"


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(load_recording(recording_path(RECORDING)))


@pytest.fixture
def served(sandbox: Sandbox) -> Iterator[SandboxServer]:
    with serve(sandbox) as one:
        yield one


def service(app: str) -> dict[str, Any]:
    found = next(
        obj
        for obj in load_recording(recording_path(RECORDING)).objects
        if obj["kind"] == "Service" and obj["metadata"]["name"] == "checkout"
    )
    changed = copy.deepcopy(found)
    changed["spec"]["selector"] = {"app": app}
    return changed


def reasons(screen: ListScreen) -> list[str]:
    return [getattr(row, "reason", "") for row in screen.rows]


async def test_it_is_verified_and_healed_by_itself(
    sandbox: Sandbox, served: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with live(served, "") as (pilot, screen):
        screen.action_findings()
        await until(lambda: screen.report is not None and screen.view.kind == "Finding" and screen.rows)
        await until(lambda: screen.session.freshness().watching)
        await until(lambda: screen.query_one(IncidentPane).verdict)
        await pilot.press("x")
        await until(lambda: "fix copied, nothing changed yet" in reasons(screen))
        sandbox.put(service("checkout"))
        await until(lambda: any(reason.startswith("verifying") for reason in reasons(screen)))
        await until(lambda: any(reason.startswith("healed at once") for reason in reasons(screen)))
        (healed,) = (row for row in screen.rows if getattr(row, "reason", "").startswith("healed"))
        assert healed.health is Health.HEALTHY
        await until(lambda: "healed at once" in screen.query_one(IncidentPane).page.plain)
        assert "was" in screen.query_one(IncidentPane).page.plain
        monkeypatch.chdir(tmp_path)
        await pilot.press("R")
        await until(lambda: len(list(tmp_path.iterdir())) == 2)
        for path in tmp_path.iterdir():
            written = re.sub(r"<[^>]*>|\\", "", path.read_text())
            assert "✓Service shop/checkout: healed at once" in written.replace("✓ ", "✓")
            assert "matches no pod" in written
            assert "spec.selector" in written


async def test_a_recording_never_heals() -> None:
    app = application(RECORDING, "")
    async with running(app, home=True) as (pilot, screen):
        await press(pilot, app, "x")
        assert not screen.session.proofs.every(screen.session.now())
        assert "verifying" not in "".join(reasons(screen))
