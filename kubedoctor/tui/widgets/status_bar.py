"""The line at the top: the state of the cluster in one cell, where we are, counts, and how current they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual.reactive import reactive

from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.cluster.seen.snapshot import UNKNOWN_TIME
from kubedoctor.engine.health import Health
from kubedoctor.tui.look import BRAND, LIVE, LOST, PAST, RECORDED, UNKNOWN, WELL, WORKING
from kubedoctor.tui.pages.ink import crop, ends, ink, size
from kubedoctor.tui.pages.page import Line, Piece
from kubedoctor.tui.state.sources import Freshness
from kubedoctor.tui.widgets.one_line import OneLine

GOOD = (Health.HEALTHY, Health.NOTED, Health.IDLE)


class StatusBar(OneLine):
    """Draws what it is given: context and namespace; incidents by health (None: not examined yet); workloads by health
    (None: not read yet); how many gaps and suppressed findings there are; what is being done, or how current it is."""

    DEFAULT_CSS = "StatusBar { background: $bar; }"
    place: reactive[tuple[str, str]] = reactive(("", ""))
    incidents: reactive[dict[Health, int] | None] = reactive(None)
    counts: reactive[dict[Health, int] | None] = reactive(None)
    gaps: reactive[int] = reactive(0)
    suppressed: reactive[int] = reactive(0)
    doing: reactive[str] = reactive("")
    currency: reactive[tuple[str, ...]] = reactive(())
    state: reactive[str] = reactive("")
    """`live`, `read`, `recorded`, `past` or `lost`."""

    def line(self, width: int) -> Line:
        context, namespace = (visible(word, 40) for word in self.place)
        brand = (Piece(f" {BRAND} ", self._worst()),)
        forms: Sequence[tuple[Line, Line]] = (
            (
                (ink("kubedoctor  ", "strong"), ink(f"{context}  " if context else ""), ink(namespace, "dim")),
                self._tally(3),
            ),
            (
                (ink("kubedoctor  ", "strong"), ink(f"{context}  " if context else ""), ink(namespace, "dim")),
                self._tally(2),
            ),
            ((ink(f"{context}  " if context else ""), ink(namespace, "dim")), self._tally(2)),
            ((ink(namespace, "dim"),), self._tally(1)),
        )
        rights = self._right()
        for right in rights:
            for where, tally in forms[: 1 if right is not rights[-1] else None]:
                left = (*brand, *where, Piece("   "), *tally)
                if size(left) + 1 + size(right) <= width:
                    return ends(left, right, width)
        return crop((*brand, *forms[-1][0], Piece("  "), *forms[-1][1]), width)

    def _worst(self) -> str:
        """The colour of the mark: red, amber, green, or grey where it is not known."""
        if self.state == "lost":
            return "degraded"
        if self.incidents is None:
            return "idle"
        if self.incidents.get(Health.BROKEN):
            return "broken"
        if self.incidents.get(Health.DEGRADED):
            return "degraded"
        return "idle" if self.gaps else "healthy"

    def _tally(self, words: int) -> Line:
        """words: how many of the numbers are explained."""
        known = self.state != "lost"
        parts: list[Piece] = []
        if self.incidents is None:
            parts.append(Piece(f"{WORKING} examining  ", "act"))
        else:
            for health in (Health.BROKEN, Health.DEGRADED, Health.NOTED):
                if number := self.incidents.get(health, 0):
                    word = f" {health.value}" if words > 2 and health is not Health.NOTED else ""
                    parts.append(ink(f"{health.symbol} {number:,}{word}  ", health.value if known else "dim"))
        if self.counts is not None:
            well = sum(self.counts.get(health, 0) for health in GOOD)
            if self.incidents is not None and well:
                good = known and not self.gaps  # what could not be seen may be broken
                parts.append(ink(f"{WELL} {well:,}{' well' if words > 1 else ''}  ", "good" if good else "dim"))
            elif self.incidents is None:
                parts.append(ink(f"{sum(self.counts.values()):,}{' workloads' if words > 1 else ''}  ", "dim"))
        if self.gaps and self.incidents is not None:
            parts.append(ink(f"{UNKNOWN} {self.gaps:,}{' not checked' if words > 2 else ''}  ", "dim"))
        if self.suppressed and self.incidents is not None and words > 1:
            parts.append(ink(f"{self.suppressed:,} suppressed  ", "dim"))
        return tuple(parts)

    def _right(self) -> list[Line]:
        """What is done, or how current all is, in words that become fewer."""
        if self.doing:
            return [(ink(f"{WORKING} {visible(self.doing, 60)} ", "act"),), (ink(f"{WORKING} ", "act"),)]
        mark, role = {
            "live": (LIVE, "healthy"),
            "lost": (LOST, "degraded"),
            "recorded": (RECORDED, "dim"),
            "past": (PAST, "act"),
        }.get(self.state, (LOST, "dim"))
        return [(Piece(f"{mark} ", role), ink(f"{text} ", "dim")) for text in self.currency] or [(Piece(" "),)]


def currency(freshness: Freshness, now: datetime, bundle: str) -> tuple[str, tuple[str, ...]]:
    """The state, and how current it is in forms that become shorter: `live · last change 2s ago · read-only`."""
    if freshness.at is None:
        return ("lost" if freshness.lost else "read"), (
            "nothing read yet · read-only",
            "nothing read yet",
        )
    if freshness.past:
        return "past", (f"the past: {freshness.at:%m-%d %H:%M:%S} UTC", f"past {freshness.at:%H:%M:%S}")
    if not freshness.live:
        unknown = freshness.at == UNKNOWN_TIME
        name = visible(bundle, 40)
        if unknown:
            return "recorded", (f"recording {name} · time unknown", name)
        return "recorded", (
            f"recording {name} · {freshness.at:%Y-%m-%d %H:%M} UTC",
            f"recording · {freshness.at:%Y-%m-%d %H:%M} UTC",
            f"{freshness.at:%m-%d %H:%M}",
        )
    age = human_duration(now - freshness.at)
    if freshness.lost:
        return "lost", (f"not connected · {age} old", f"lost {age}")
    if not freshness.watching:
        return "read", (f"read {age} ago · read-only", f"read {age} ago", age)
    return "live", (f"live · last change {age} ago · read-only", f"live · {age} ago · read-only", f"live · {age}", age)
