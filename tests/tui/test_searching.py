"""Texts are searched as `less` does it, and saved without secrets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.message import Message

from kubedoctor.cluster import LogWant
from kubedoctor.sandbox import Sandbox, SandboxServer, load_recording, recording_path, serve
from kubedoctor.tui.logs.log_screen import LogScreen
from kubedoctor.tui.logs.shown_logs import LogLook, MergedLine, saved_lines
from kubedoctor.tui.messages import ReportWritten
from kubedoctor.tui.screens.text_screen import TextScreen
from kubedoctor.tui.texts.saving import save
from kubedoctor.tui.widgets.text_view import TextView
from tests.tui.recordings import command, press
from tests.tui.running import heard, on_top, running
from tests.tui.screenshots import application
from tests.tui.test_live import running as live
from tests.tui.test_live import until


def marked(view: TextView, part: str) -> list[str]:
    """What is drawn in the style of a match: `reverse` for the one that was gone to, `underline` for the others."""
    top = int(view.scroll_offset.y)
    strips = (view.render_line(y - top) for y in range(len(view._lines)))
    return [text for strip in strips for text, style, _ in strip if style is not None and getattr(style, part)]


async def test_yaml_is_searched() -> None:
    app = application("oom-killed", "")
    async with running(app, (100, 20)) as (pilot, _):
        await press(pilot, app, "y")
        page = on_top(app)
        assert isinstance(page, TextScreen)
        said = heard(page)
        view = page.query_one(TextView)
        await press(pilot, app, "n")
        assert "/ searches" in said[-1]
        await press(pilot, app, "slash", *"limits")
        assert set(marked(view, "underline")) == {"limits"}
        await press(pilot, app, "enter")
        assert "match 1 of " in said[-1]
        number = int(said[-1].partition(" of ")[2].partition(":")[0])
        assert marked(view, "reverse") == ["limits"]
        assert view.scroll_offset.y > 0
        first = view.scroll_offset.y
        await press(pilot, app, "N")
        assert f"match {number} of {number}" in said[-1]
        await press(pilot, app, "n")
        assert view.scroll_offset.y == first
        await press(pilot, app, "slash", *"[(", "enter")
        assert any("no regular expression" in text for text in said)
        await press(pilot, app, "slash", *["backspace"] * 20, *"Nowhere", "enter")
        assert said[-1] == "No match: Nowhere"
        await press(pilot, app, "escape")
        assert on_top(app) is page
        await press(pilot, app, "escape")
        assert on_top(app) is not page


async def test_a_page_a_list_and_the_incidents_are_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = application("oom-killed", "")
    async with running(app, home=True) as (pilot, _):
        await press(pilot, app, "ctrl+s")
        await press(pilot, app, "y", "ctrl+s", "ctrl+s", "escape")
        await command(pilot, app, "po")
        await press(pilot, app, "ctrl+s")
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == [
        "kubedoctor-incidents.csv",
        "kubedoctor-pods.csv",
        "kubedoctor-yaml-deployment-shop-checkout-2.txt",
        "kubedoctor-yaml-deployment-shop-checkout.txt",
    ]
    incidents = (tmp_path / "kubedoctor-incidents.csv").read_text().splitlines()
    assert incidents[0] == "HEALTH,KIND,NAMESPACE,NAME,CODE,AGE,SUMMARY"
    assert incidents[1].startswith("broken,Deployment,shop,checkout,")
    pods = (tmp_path / "kubedoctor-pods.csv").read_text()
    assert pods.startswith("HEALTH,NAMESPACE,NAME,READY,STATUS,RESTARTS,AGE,IP,NODE,IMAGES,CAUSE\n")
    assert "kind: Deployment" in (tmp_path / files[-1]).read_text()


def test_secrets_and_control_characters_are_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said: list[Message] = []
    save("logs ../../x", "log", lambda: ["postgres://app:hunter2-hunter2@db/shop", "\x1b[31mred"], said.append)
    (file,) = tmp_path.iterdir()
    assert file.name == "kubedoctor-logs-x.log"
    text = file.read_text()
    assert "hunter2" not in text
    assert "\x1b" not in text
    assert "red" in text
    assert isinstance(said[0], ReportWritten)
    assert str(file) in said[0].text


def test_an_empty_page_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a filter of a log chooses no line."""
    monkeypatch.chdir(tmp_path)
    said: list[Message] = []
    save("logs web", "log", list, said.append)
    assert not list(tmp_path.iterdir())
    assert isinstance(said[0], ReportWritten)
    assert said[0].text == "Not written: the page is empty."


def test_saved_logs_are_what_the_filters_choose() -> None:
    wants = (LogWant("shop", "web-1", "app"), LogWant("shop", "web-2", "app"))
    lines = (MergedLine(0, "INFO up", "2026-11-23T11:00:05Z"), MergedLine(1, "ERROR down"))
    assert saved_lines(lines, wants, LogLook()) == ["2026-11-23T11:00:05Z web-1/app INFO up", "web-2/app ERROR down"]
    assert saved_lines(lines, wants, LogLook(errors=True)) == ["web-2/app ERROR down"]
    assert saved_lines(lines[:1], wants[:1], LogLook()) == ["2026-11-23T11:00:05Z INFO up"]


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(load_recording(recording_path("oom-killed")))


@pytest.fixture
def served(sandbox: Sandbox) -> Iterator[SandboxServer]:
    with serve(sandbox) as one:
        yield one


async def test_logs_are_searched_while_they_follow(
    sandbox: Sandbox, served: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with live(served) as (pilot, screen):
        await until(lambda: screen.report)
        screen._table.highlight([row.ref.name for row in screen.rows].index("web"))
        await pilot.press("l")
        await until(lambda: isinstance(pilot.app.screen, LogScreen))
        logs = pilot.app.screen
        assert isinstance(logs, LogScreen)
        await until(lambda: logs.feed and set(logs.feed.now()[1]) == {"following"})
        assert logs.feed is not None
        want = logs.feed.wants[0]
        sandbox.append_log(want.namespace, want.pod, want.container, "cannot reach payments\n")
        view = logs.query_one(TextView)
        await until(lambda: "payments" in view.page.plain)
        await pilot.press("slash", *"payments", "enter")
        await until(lambda: marked(view, "reverse") == ["payments"])
        sandbox.append_log(want.namespace, want.pod, want.container, "payments again\n")
        await until(lambda: marked(view, "underline") == ["payments"])
        await pilot.press("n")
        await until(lambda: "payments" in "".join(marked(view, "reverse")))
        await pilot.press("ctrl+s")
        await until(lambda: list(tmp_path.iterdir()))
        (file,) = tmp_path.iterdir()
        assert file.name == "kubedoctor-logs-deployment-shop-web.log"
        await until(lambda: "payments again" in file.read_text())
        await pilot.press("escape")
        await until(lambda: not logs.searched)
        assert isinstance(pilot.app.screen, LogScreen)
