"""Incidents as rows: the cause, since when, what it breaks; below an unfolded one its tree."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from textual.geometry import Size

from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.seen.snapshot import UNKNOWN_TIME
from kubedoctor.tui.incidents.incident_rows import IncidentRow
from kubedoctor.tui.look import LEADS_TO, RESTARTS, TONES
from kubedoctor.tui.pages.ink import STRIP, STRIP_TITLE, blanks, crop, ends, ink, named, size, strip
from kubedoctor.tui.pages.page import Line, Piece
from kubedoctor.tui.rows import Row

SINCE = 6
BREAKS = 13
"""One more than the widest words, so that they never touch the strip."""
CHIP = 4
LEAST_REASON = 6
STACKED = 80
"""Cells; a list that is so wide has one line for each incident."""


class IncidentForm:
    """Two lines and air for each incident where there is room for all, else one."""

    def __init__(self) -> None:
        self.roomy = False

    def arrange(self, rows: Sequence[Row], size: Size) -> list[int]:
        tree = [bool(row.lead) for row in rows if isinstance(row, IncidentRow)]
        incidents = tree.count(False)
        self.roomy = size.width < STACKED and 2 + 2 * incidents + tree.count(True) <= size.height
        if not self.roomy:
            return [1] * len(rows)
        heights = []
        for in_tree, next_in_tree in zip(tree, [*tree[1:], False], strict=False):
            heights.append((1 if in_tree else 2) + (0 if next_in_tree else 1))
        return heights

    def titles(self, width: int) -> list[Line]:
        scale = (Piece(f"{STRIP_TITLE:<{len(STRIP)}}{'SINCE':>{SINCE}} ", "faint"),)
        if self.roomy:
            return [ends((Piece("    CAUSE", "faint"),), scale, width), ()]
        return [ends((Piece("    CAUSE", "faint"),), (Piece(f"{'BREAKS':<{BREAKS}}", "faint"), *scale), width)]

    def ages(self, row: Row, now: datetime) -> tuple[str, ...]:
        return (since(row, now),)

    def lines(self, row: Row, now: datetime, width: int) -> list[Line]:
        assert isinstance(row, IncidentRow)  # the view has no other rows
        if row.lead:
            return [_tree_line(row, width)]
        tone = TONES[row.health.value]
        onset = now - row.created if row.created is not None and now != UNKNOWN_TIME else None
        change = now - row.changed if row.changed is not None and now != UNKNOWN_TIME else None
        picture = strip(_at_least_now(onset), _at_least_now(change), tone)
        right: Line = (*picture, Piece(f"{since(row, now):>{SINCE}} "))
        if not self.roomy:
            right = (Piece(f"{row.breaks:<{BREAKS}}", "dim"), *right)
        room = width - CHIP - size(right) - 1
        chip = (Piece(f" {row.health.symbol} ", f"{row.health.value}-chip"), Piece(" "))
        name = named(row.ref, room)
        if not self.roomy and (left := room - size(name) - 2) >= LEAST_REASON:
            name = (*name, Piece("  "), *crop((ink(row.reason, "dim"),), left))
        first = ends((*chip, *name), right, width)
        if not self.roomy:
            return [first]
        restarts = (Piece(f"  {RESTARTS} {row.restarts}", "warn"),) if row.restarts else ()
        breaks = (Piece(f" {LEADS_TO} ", "faint"), ink(row.breaks)) if row.breaks else ()
        reason = crop((ink(row.reason, "dim"),), max(8, width - CHIP - size(breaks) - size(restarts) - 1))
        return [first, crop((*blanks(CHIP), *reason, *breaks, *restarts), width)]


def since(row: Row, now: datetime) -> str:
    """How long ago it began; empty where that is not known."""
    return human_duration(now - row.created) if row.created is not None and now != UNKNOWN_TIME else ""


def _at_least_now(age: timedelta | None) -> timedelta | None:
    """Clocks differ: nothing began in the future."""
    return max(age, timedelta()) if age is not None else None


def _tree_line(row: IncidentRow, width: int) -> Line:
    mark = Piece(f" {row.health.symbol} ", row.health.value)
    lead = (*blanks(CHIP), Piece(row.lead, "faint"), mark)
    room = width - size(lead) - 1
    says = crop((ink(row.reason, "dim"),), max(0, min(len(row.reason), room - 16)))
    name = named(row.ref, room - size(says) - 1, own="")
    return ends((*lead, *name), (*says, Piece(" ")), width)
