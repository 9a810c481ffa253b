"""Every style, mark and effect of the screens, by what it means. Nothing else names a mark; for the colours see
`handbook/colours.py`.

Six roles speak (broken, degraded, well, what a key does, changed, whose line), three greys weigh. No colour stands without
a mark or a word.
"""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

from kubedoctor.engine.words import DELETES_DATA, EFFECTS
from kubedoctor.findings import Effect
from kubedoctor.handbook.colours import COLOURS

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
    "found": "bold underline $act",
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
UPWARDS: Final = "↑"
DOWNWARDS: Final = "↓"
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
