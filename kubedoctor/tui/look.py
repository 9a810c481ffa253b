"""Every colour, mark and effect of the screens, by what it means. Nothing else names a colour or a mark.

Six roles speak (broken, degraded, well, what a key does, changed, whose line), three greys weigh. No colour stands without
a mark or a word.
"""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

from kubedoctor.engine.words import DELETES_DATA, EFFECTS
from kubedoctor.findings import Effect

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
THEME_NAMES: Final = ("dark", "light", "contrast")


def _theme(name: str) -> Theme:
    of = {role: shades[THEME_NAMES.index(name)] for role, shades in COLOURS.items()}
    return Theme(
        name=name,
        primary=of["act"],
        secondary=of["change"],
        accent=of["act"],
        warning=of["warn"],
        error=of["bad"],
        success=of["good"],
        foreground=of["ink"],
        background=of["page"],
        surface=of["page"],
        panel=of["bar"],
        dark=name != "light",
        text_alpha=1.0,
        variables=of,
    )


THEMES: Final = tuple(_theme(name) for name in THEME_NAMES)
DARK: Final = THEMES[0]

STYLES: Final[dict[str, str]] = {
    "": "$ink",
    "strong": "bold $ink",
    "heading": "bold $ink",
    "dim": "$muted",
    "faint": "$faint",
    "rule": "$rule",
    "path": "$faint",
    "value": "$ink",
    "command": "$ink on $raised",
    "command-key": "bold $act on $raised",
    "command-dim": "$muted on $raised",
    "key": "bold $act",
    "act": "$act",
    "past": "bold $act on $act-tint",
    "name": "bold $act",
    "link-chosen": "bold underline $act on $cursor",
    "match": "reverse",
    "change": "$change",
    "change-mark": "bold $change",
    "broken": "bold $bad",
    "degraded": "bold $warn",
    "noted": "bold $act",
    "healthy": "bold $good",
    "idle": "$muted",
    "bad": "$bad",
    "warn": "$warn",
    "good": "$good",
    "broken-chip": "bold $bad on $bad-tint",
    "degraded-chip": "bold $warn on $warn-tint",
    "noted-chip": "bold $act on $act-tint",
    "healthy-chip": "bold $good on $good-tint",
    "idle-chip": "$muted",
    "who-1": "$who-1",
    "who-2": "$who-2",
    "who-3": "bold $who-1",
    "who-4": "bold $who-2",
    "who-5": "italic $who-1",
    "who-6": "italic $who-2",
    "unknown-chip": "bold $muted",
    "working-chip": "bold $act on $act-tint",
}
"""How a piece of text is drawn, by its role."""
TONES: Final = {"broken": "bad", "degraded": "warn", "noted": "act", "healthy": "good", "idle": "dim"}
"""The role of a thin line or a bar, by health."""

BRAND: Final = "✚"
BROKEN: Final = "✗"
WELL: Final = "✓"
WORKING: Final = "…"
UNKNOWN: Final = "?"
CHANGED: Final = "◆"
RESTARTS: Final = "↻"
CURSOR: Final = "▌"
LIVE: Final = "●"
LOST: Final = "○"
RECORDED: Final = "■"
PAST: Final = "◀"
DECIDES: Final = "▶"
LEADS_TO: Final = "→"
COMES_FROM: Final = "←"
WAY: Final = "›"
BRANCH: Final = "├"
LAST: Final = "└"
LINE: Final = "─"
HEAVY: Final = "━"
WALL: Final = "│"
TEE: Final = "┬"
DOT: Final = "·"
GAP: Final = "…"
FULL: Final = "▰"
EMPTY: Final = "▱"

BADGES: Final[dict[str, tuple[str, str]]] = {
    EFFECTS[Effect.READS]: ("○", "dim"),
    EFFECTS[Effect.CHANGES]: ("◐", "act"),
    EFFECTS[Effect.DISRUPTS]: (RESTARTS, "warn"),
    DELETES_DATA: ("■", "broken"),
}
"""The mark and the role of the two words that say what a command does."""
