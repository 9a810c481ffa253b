"""`b` on a row opens its tree, whose objects are opened from there."""

from __future__ import annotations

from kubedoctor.engine import load_catalogue
from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.screens.why_screen import WhyScreen
from kubedoctor.tui.session import Session
from tests.tui.recordings import command, opened, press
from tests.tui.running import on_top, running, text_of
from tests.tui.test_live import until


async def test_the_tree_of_a_row_leads_to_its_objects() -> None:
    app = KubedoctorApp(lambda: Session(opened("oom-killed"), load_catalogue()), "shop")
    async with running(app, (80, 24)) as (pilot, screen):
        await command(pilot, app, "deploy/checkout")
        await until(lambda: screen.report)
        await press(pilot, app, "b")
        await until(lambda: "Deployment shop/checkout" in text_of(app))
        assert "OOMKilled" in text_of(app) or "CrashLoopBackOff" in text_of(app)
        await press(pilot, app, "j", "j", "enter")
        await until(lambda: isinstance(on_top(app), WhyScreen))
        top = on_top(app)
        assert isinstance(top, WhyScreen)
        assert top.row is not None
        assert top.row.ref.kind == "ReplicaSet"
