"""Random keys over all screens of several recordings, with changes of the size: nothing ends the application, and no screen
stops answering."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import pytest

from tests.tui.recordings import list_screen
from tests.tui.screenshots import application, settle

RECORDINGS = ("shop-at-night", "insufficient-cpu", "lost-connections", "oom-killed", "quota-exceeded")
KEYS = int(os.environ.get("KUBEDOCTOR_FUZZ_KEYS", "400"))
"""Of each recording; KUBEDOCTOR_FUZZ_KEYS=4000 makes 20,000."""
SIZES = ((80, 24), (100, 30), (120, 40), (160, 48), (200, 60))
RESIZE_EVERY = 97
ANSWERS_WITHIN = 20.0
"""Seconds: a screen that then has not taken a key is frozen."""
TYPED = tuple("abcdefghijklmnoprstuvwxyzABCDEFGHIJKLMNOPRSTUVWXYZ0123456789!/:?-=.[]{}*")
NAMED = (
    *(
        "enter",
        "escape",
        "tab",
        "shift+tab",
        "up",
        "down",
        "left",
        "right",
        "pageup",
        "pagedown",
        "home",
        "end",
        "space",
    ),
    *(
        "backspace",
        "ctrl+d",
        "ctrl+k",
        "ctrl+z",
        "ctrl+w",
        "ctrl+f",
        "ctrl+b",
        "minus",
        "slash",
        "colon",
        "question_mark",
    ),
)
"""Without those that quit."""
COMMANDS = (
    "po",
    "deploy shop",
    "ns",
    "no",
    "events",
    "incidents",
    "workloads",
    "suppressed",
    "explain KD1001",
    "svc",
    "pods -l a=b",
    "zz",
    "ctx",
)


@pytest.mark.long
@pytest.mark.parametrize("recording", RECORDINGS)
async def test_no_key_ends_or_stops_it(recording: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # R writes files
    chance = random.Random(f"{recording} {os.environ.get('KUBEDOCTOR_FUZZ_SEED', '')}")
    app = application(recording, "")
    pressed: list[str] = []
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app)
        for number in range(KEYS):
            keys = _next(chance, number)
            pressed += keys
            try:
                async with asyncio.timeout(ANSWERS_WITHIN):
                    if not number % RESIZE_EVERY:
                        await pilot.resize_terminal(*chance.choice(SIZES))
                    await pilot.press(*keys)
            except TimeoutError:
                pytest.fail(f"{recording}: no answer after {pressed[-30:]}")
            assert app.is_running, f"{recording}: ended after {pressed[-30:]}"
        await settle(app)
        for _ in range(len(app.screen_stack) + 2):
            await pilot.press("escape")
        await settle(app)
        assert list_screen(app) in app.screen_stack
        assert app.return_code in (None, 0), pressed[-30:]


def _next(chance: random.Random, number: int) -> list[str]:
    """A key mostly; now and then a command, as it is typed."""
    if chance.random() < 0.02:
        return ["escape", "colon", *(_named(letter) for letter in chance.choice(COMMANDS)), "enter"]
    return [_named(chance.choice(TYPED)) if chance.random() < 0.6 else chance.choice(NAMED)]


def _named(letter: str) -> str:
    return {" ": "space", "=": "equals_sign", "-": "minus", "/": "slash", ":": "colon", "?": "question_mark"}.get(
        letter, letter
    )
