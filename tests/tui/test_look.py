"""Colours by role: each text can be read on each ground that it stands on, in all themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.color import Color

import kubedoctor.tui
from kubedoctor.handbook.colours import COLOURS
from kubedoctor.tui.look import STYLES, THEME_NAMES

TEXT = ("ink", "muted", "faint", "bad", "warn", "good", "act", "change")
READABLE, DIM = 4.5, 3.6


def contrast(first: str, second: str) -> float:
    """As WCAG defines it."""

    def luminance(colour: str) -> float:
        parts = [part / 255 for part in Color.parse(colour).rgb]
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("column", range(len(THEME_NAMES)), ids=THEME_NAMES)
def test_every_text_can_be_read(column: int) -> None:
    of = {role: shades[column] for role, shades in COLOURS.items()}
    for role in TEXT:
        for ground in ("page", "bar", "raised"):
            assert contrast(of[role], of[ground]) >= (DIM if role == "faint" else READABLE), (role, ground)
        assert contrast(of[role], of["cursor"]) >= DIM, role
    for role in ("bad", "warn", "good", "act", "change"):
        assert contrast(of[role], of[f"{role}-tint"]) >= READABLE, role


def test_every_style_has_a_role_for_each_colour() -> None:
    named = {role for style in STYLES.values() for role in re.findall(r"\$([\w-]+)", style)}
    assert named <= set(COLOURS)


def test_nothing_else_names_a_colour() -> None:
    folder = Path(kubedoctor.tui.__file__).parent
    others = [file for kind in ("*.py", "*.tcss") for file in folder.rglob(kind) if file.name != "look.py"]
    found = {file.name: re.findall(r"#[0-9a-fA-F]{6}\b", file.read_text(encoding="utf-8")) for file in others}
    assert {name: colours for name, colours in found.items() if colours} == {}
