"""Colours: dark, light and high contrast; the marks differ by their symbols as well."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="dark",
    primary="#5fafff",
    secondary="#87d7af",
    accent="#afafd7",
    warning="#ffd75f",
    error="#ff6f6f",
    success="#87d787",
    foreground="#e4e4e4",
    background="#16181d",
    surface="#1b1e24",
    panel="#262a33",
    dark=True,
)
LIGHT = Theme(
    name="light",
    primary="#005faf",
    secondary="#00603c",
    accent="#5f3f9f",
    warning="#8a5a00",
    error="#b00020",
    success="#1a6b1a",
    foreground="#1c1c1c",
    background="#fbfbf8",
    surface="#f2f2ee",
    panel="#e2e2dc",
    dark=False,
    variables={"quiet": "#5f5f5f"},
)
CONTRAST = Theme(
    name="contrast",
    primary="#00ffff",
    secondary="#ffffff",
    accent="#ffffff",
    warning="#ffff00",
    error="#ff5f5f",
    success="#5fff5f",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    dark=True,
    variables={"quiet": "#ffffff", "border": "#ffffff", "border-blurred": "#ffffff"},
)
THEMES = (DARK, LIGHT, CONTRAST)
