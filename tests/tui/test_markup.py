"""Text is data: whatever a cluster, a person or a plug-in writes is shown as it is written, never read as markup.

Textual reads markup in border titles, notifications, options and static texts; the tables go every way to the
screen."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

import kubedoctor.tui
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.engine import load_catalogue
from kubedoctor.problems import Problem, UsageProblem
from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.messages import Failed, ThemeWanted
from kubedoctor.tui.screens.text_screen import TextScreen
from kubedoctor.tui.session import Session
from kubedoctor.tui.state.sources import Opener
from kubedoctor.tui.widgets.virtual_table import VirtualTable
from kubedoctor.tui.work import Post
from tests.tui.recordings import command, list_screen, press
from tests.tui.screenshots import settle

HOSTILE = "a[/bold]b[/]c[@click=app.help_quit]d[red]"
"""A closing tag of nothing raises in Textual, a link acts, a colour disappears."""


def _pod() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": HOSTILE, "namespace": HOSTILE, "labels": {"app": HOSTILE}, "uid": "1"},
        "spec": {"nodeName": HOSTILE, "containers": [{"name": HOSTILE, "image": HOSTILE}]},
        "status": {
            "phase": "Pending",
            "conditions": [{"type": "Ready", "status": "False", "reason": HOSTILE, "message": HOSTILE}],
            "containerStatuses": [
                {
                    "name": HOSTILE,
                    "image": HOSTILE,
                    "state": {"waiting": {"reason": "ErrImagePull", "message": HOSTILE}},
                    "lastState": {},
                }
            ],
        },
    }


def _event() -> dict[str, Any]:
    about = {"kind": "Pod", "namespace": HOSTILE, "name": HOSTILE, "uid": "1"}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e", "namespace": HOSTILE},
        "involvedObject": about,
        "type": "Warning",
        "reason": HOSTILE,
        "message": HOSTILE,
    }


@pytest.fixture
def hostile(tmp_path: Path) -> KubedoctorApp:
    named = [{"apiVersion": "v1", "kind": kind, "metadata": {"name": HOSTILE}} for kind in ("Namespace", "Node")]
    file = tmp_path / f"{HOSTILE.replace('/', '∕')}.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [*named, _pod(), _event()]}))

    def refuse(name: str) -> ReadableCluster:
        raise UsageProblem(f"No context {name}.", HOSTILE)

    source = open_source(Options(from_=(str(file),)))
    opener = Opener(lambda: (HOSTILE,), refuse)
    return KubedoctorApp(lambda: Session(source, load_catalogue(), opener, HOSTILE), "", HOSTILE)


def screen_text(app: KubedoctorApp) -> str:
    """What a person sees, line feeds and frames left out."""
    lines = ("".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips())
    return "".join("".join(lines).split())


_KEYS = ("w", "d", "y", "l", "p", "u", "x", "a", "c", "o", "J", "e", "ctrl+d", "ctrl+k", "s", "r", "f", "question_mark")


@pytest.mark.parametrize("key", _KEYS)
async def test_a_key_on_a_hostile_row(hostile: KubedoctorApp, key: str) -> None:
    async with hostile.run_test(size=(200, 40)) as pilot:
        await settle(hostile)
        await press(pilot, hostile, key)
        assert HOSTILE in screen_text(hostile) or key == "e"  # a lesson has no name in it
        await press(pilot, hostile, "enter")
        assert hostile.is_running


@pytest.mark.parametrize("keys", [("l", "c"), ("l", "w", "t"), ("w", "X"), ("W",), ("d", "slash", "[", "enter")])
async def test_keys_behind_a_hostile_row(hostile: KubedoctorApp, keys: tuple[str, ...]) -> None:
    async with hostile.run_test(size=(200, 40)) as pilot:
        await settle(hostile)
        for key in keys:
            await press(pilot, hostile, key)
        assert HOSTILE in screen_text(hostile)
        assert hostile.is_running


@pytest.mark.parametrize("kind", ["po", "ns", "no", "ctx", "findings", "events", f"po {HOSTILE}", f"po /{HOSTILE}"])
async def test_a_list_of_hostile_rows(hostile: KubedoctorApp, kind: str) -> None:
    async with hostile.run_test(size=(200, 40)) as pilot:
        await settle(hostile)
        await command(pilot, hostile, kind)
        assert HOSTILE in screen_text(hostile)
        await press(pilot, hostile, "enter")
        assert hostile.is_running


@pytest.mark.parametrize("typed", ["[/]", HOSTILE, "-l [/]", "-l app in ([/x]", "!", "[", "\\", "(?P<[/]>"])
async def test_a_filter(hostile: KubedoctorApp, typed: str) -> None:
    async with hostile.run_test(size=(200, 40)) as pilot:
        await settle(hostile)
        await press(pilot, hostile, "slash", *typed, "enter")
        assert list_screen(hostile).filter == typed
        assert "".join(typed.split()) in screen_text(hostile)


@pytest.mark.parametrize(
    "typed", ["[/x]", "theme [/x]", "po -l [/x]", "ctx [/x]", "ns [/x]", "why-pending [/x]", "why-pending a [/x] b"]
)
async def test_a_command(hostile: KubedoctorApp, typed: str) -> None:
    async with hostile.run_test(size=(200, 40)) as pilot:
        await settle(hostile)
        await press(pilot, hostile, "colon", *typed, "enter")
        assert hostile.is_running


@pytest.mark.parametrize("severity", ["information", "warning", "error"])
async def test_a_notification_of_any_screen(hostile: KubedoctorApp, severity: Any) -> None:
    async with hostile.run_test(size=(200, 40)) as pilot:
        await settle(hostile)
        for notifying in (hostile, hostile.screen, list_screen(hostile).query_one(VirtualTable)):
            hostile.clear_notifications()
            notifying.notify(HOSTILE, title=HOSTILE, severity=severity)
            await pilot.pause()
            assert screen_text(hostile).count(HOSTILE) >= 2


async def test_a_problem_and_a_theme(hostile: KubedoctorApp) -> None:
    async with hostile.run_test(size=(200, 40)) as pilot:
        await settle(hostile)
        hostile.screen.post_message(Failed(Problem(HOSTILE, HOSTILE)))
        await press(pilot, hostile)
        assert HOSTILE in screen_text(hostile)
        hostile.post_message(ThemeWanted(HOSTILE))
        await press(pilot, hostile)

        def fails(post: Post) -> None:
            post(Failed(Problem(HOSTILE, HOSTILE)))

        TextScreen.show(hostile, HOSTILE, work=fails)
        await press(pilot, hostile)
        assert screen_text(hostile).count(HOSTILE) >= 2


def test_every_title_of_a_border_is_data() -> None:
    """A title goes through `as_title`; no text is given to a widget of Textual that reads markup in it."""
    wrong = []
    for file in sorted(Path(kubedoctor.tui.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Assign) and any(
                isinstance(target, ast.Attribute) and target.attr in ("border_title", "border_subtitle", "tooltip")
                for target in node.targets
            ):
                if not (isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "as_title"):
                    wrong.append(f"{file.name}:{node.lineno}")
            elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("Static", "Label", "super().__init__"):
                given = {keyword.arg: keyword.value for keyword in node.keywords}
                reads = ast.unparse(node.func) in ("Static", "Label")
                markup = given.get("markup")
                if reads and not (isinstance(markup, ast.Constant) and not markup.value):
                    wrong.append(f"{file.name}:{node.lineno}")
            elif isinstance(node, ast.Attribute) and node.attr == "from_markup":
                wrong.append(f"{file.name}:{node.lineno}")
    assert not wrong
