"""`:pulses`, live and of a recording."""

from __future__ import annotations

import pytest
from textual.widgets import Sparkline

from kubedoctor.engine import load_catalogue
from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.pulses import pulses_screen
from kubedoctor.tui.pulses.pulses_screen import PulsesScreen, PulseView
from kubedoctor.tui.session import Session
from kubedoctor.tui.widgets.one_line import OneLine
from tests.collect.computed.test_usage import measured_node
from tests.tui.recordings import command, opened
from tests.tui.running import running
from tests.tui.served.test_served_columns import served
from tests.tui.test_live import until


def title(app: KubedoctorApp, name: str) -> str:
    line = app.screen.query_one(f"#{name}", PulseView).query_one(OneLine).line(200)
    return "".join(piece.text for piece in line).strip()


async def test_a_recording_is_drawn_and_a_chart_leads_to_its_list() -> None:
    app = KubedoctorApp(lambda: Session(opened("oom-killed"), load_catalogue()), "shop")
    async with running(app, (80, 24)) as (pilot, screen):
        await command(pilot, app, "pulses")
        await until(
            lambda: isinstance(app.screen, PulsesScreen) and title(app, "pods").startswith("▌ Pods not ready  1 of")
        )
        await until(lambda: "examining" not in title(app, "incidents"))
        assert title(app, "cpu") == "CPU  n/a: no metrics"
        assert all(spark.size.height > 0 for spark in app.screen.query(Sparkline)), "at the smallest size too"
        await pilot.press("tab", "j", "j")
        assert title(app, "restarts").startswith("▌")
        await pilot.press("k", "k", "enter")
        await until(lambda: app.screen is screen and (screen.view.kind, screen.view.namespace) == ("", "shop"))
        await command(pilot, app, "pu")
        await until(lambda: isinstance(app.screen, PulsesScreen))
        await pilot.press("escape")
        await until(lambda: app.screen is screen)


async def test_a_live_cluster_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulses_screen, "TAKEN_EVERY", 0.1)
    monkeypatch.setattr(pulses_screen, "LOOK_EVERY", 0.05)
    async with served() as (pilot, app, screen, sandbox):
        await until(lambda: screen.report)
        await command(pilot, app, "pulses")
        await until(lambda: isinstance(app.screen, PulsesScreen) and title(app, "cpu").startswith("CPU  1250m"))
        sandbox.put(measured_node("n1", "77m", "3Gi"))
        await until(lambda: title(app, "cpu").startswith("CPU  77m"))
        await until(lambda: len(app.screen.query_one("#cpu Sparkline", Sparkline).data or ()) > 3)
