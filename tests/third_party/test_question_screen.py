"""A third party's question opens in the terminal UI by its name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubedoctor.engine import questions
from kubedoctor.engine.installed import packages
from kubedoctor.tui.screens.arguments_screen import ArgumentsScreen
from kubedoctor.tui.screens.sheet_screen import SheetScreen
from kubedoctor.tui.widgets.text_view import TextView
from kubedoctor.tui.widgets.virtual_table import VirtualTable
from tests.tui.recordings import command, press
from tests.tui.running import on_top, running
from tests.tui.screenshots import application


@pytest.fixture
def acme(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package's questions beside the built-in ones."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "acme"))
    points = [
        packages.Package("acme", "acme_questions"),
        packages.Package("kubedoctor", "kubedoctor.answers.questions"),
    ]
    real = packages.entry_points
    monkeypatch.setattr(packages, "entry_points", lambda group: points if group == questions.GROUP else real(group))
    questions.question_modules.cache_clear()
    questions.load_questions.cache_clear()
    yield
    questions.question_modules.cache_clear()
    questions.load_questions.cache_clear()
    for name in [name for name in sys.modules if name.startswith("acme_questions")]:
        del sys.modules[name]


async def test_a_missing_argument_is_asked_for(acme: None) -> None:
    app = application("oom-killed")
    async with running(app) as (pilot, screen):
        await command(pilot, app, "po")
        await command(pilot, app, "uses-license gold")
        assert "does not use License gold" in app.screen.query_one("#page", TextView).page.plain
        await press(pilot, app, "escape")
        await command(pilot, app, "uses-license")
        assert isinstance(on_top(app), ArgumentsScreen)
        await press(pilot, app, "enter")
        assert isinstance(on_top(app), ArgumentsScreen)
        await press(pilot, app, *"tin", "enter")
        assert "does not use License tin" in app.screen.query_one("#page", TextView).page.plain
        await press(pilot, app, "escape")
        await command(pilot, app, "uses-license gold tin")
        assert on_top(app) is screen


async def test_one_without_a_subject_is_about_the_namespace(acme: None) -> None:
    app = application("oom-killed")
    async with running(app) as (pilot, _):
        await command(pilot, app, "licenses")
        assert app.screen.query_one("#page", TextView).page.plain.startswith("✓ Namespace shop: has 0 Licenses")


async def test_it_opens_by_its_name(acme: None) -> None:
    app = application("oom-killed")
    async with running(app) as (pilot, screen):
        await command(pilot, app, "po")
        assert screen.query_one(VirtualTable).rows
        await command(pilot, app, "license-of")
        assert isinstance(on_top(app), SheetScreen)
        assert "needs no License" in app.screen.query_one("#page", TextView).page.plain
        await press(pilot, app, "escape")
        assert on_top(app) is screen
