"""Every colour of the screens and of the report, by what it means. Nothing else names a colour."""

from __future__ import annotations

from typing import Final

COLOURS: Final[dict[str, tuple[str, str, str]]] = {
    # role: dark, light, contrast
    "page": ("#14171c", "#fcfcfa", "#000000"),
    "bar": ("#1d2128", "#eceeea", "#000000"),
    "raised": ("#20252d", "#eff1f3", "#1a1a1a"),
    "cursor": ("#233447", "#dbe9f8", "#00306b"),
    "ink": ("#e6e9ee", "#1b1f24", "#ffffff"),
    "muted": ("#98a1ae", "#545d68", "#e0e0e0"),
    "faint": ("#828c9b", "#666e78", "#c4c4c4"),
    "rule": ("#333a45", "#d0d5da", "#ffffff"),
    "bad": ("#ff6b63", "#a8102f", "#ff7a70"),
    "warn": ("#f2c14e", "#855900", "#ffff00"),
    "good": ("#6fe0c0", "#00766a", "#40ffc0"),
    "act": ("#58a6ff", "#1257c0", "#4db8ff"),
    "change": ("#e8a5ea", "#8a3294", "#ffb3f5"),
    "bad-tint": ("#472228", "#fcd0da", "#5c0000"),
    "warn-tint": ("#3d3420", "#ffe59a", "#4d4d00"),
    "good-tint": ("#1b3a33", "#d3f1e7", "#004d33"),
    "act-tint": ("#1f3550", "#d8e8fb", "#003355"),
    "change-tint": ("#40284a", "#f8e0f3", "#4d004d"),
    "who-1": ("#9db8c7", "#3d6276", "#b3e5fc"),
    "who-2": ("#c7b8a0", "#6f5b34", "#ffe0b2"),
}
"""`page` is behind everything, `bar` behind header and keys, `raised` behind a command, `cursor` behind the selected row."""
