"""The line at the top: context and namespace, counts by health, and how current they are."""

from __future__ import annotations

from datetime import datetime

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.cluster.seen.snapshot import UNKNOWN_TIME
from kubedoctor.engine.health import Health
from kubedoctor.tui.session import Freshness
from kubedoctor.tui.widgets.text_view import ROLES

Part = tuple[str, str]


class StatusBar(Static):
    """Draws what it is given: context, namespace, counts (None: not known yet), freshness."""

    place: reactive[tuple[str, str]] = reactive(("", ""))
    counts: reactive[dict[Health, int] | None] = reactive(None)
    noun: reactive[str] = reactive("workloads")
    doing: reactive[str] = reactive("")
    currency: reactive[str] = reactive("")

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)

    def render(self) -> Content:
        width = self.content_size.width
        context, namespace = (visible(word, 40) for word in self.place)
        where: list[Part] = [
            (" kubedoctor ", "bold reverse"),
            (f"  {context} ▸ " if context else "  ", "$quiet"),
            (namespace, "bold"),
        ]
        tally = self._tally(long=True)
        right: list[Part] = [(f"{self.doing or self.currency} ", "$quiet")]
        for shorter in range(4):
            if _size(where) + _size(tally) + _size(right) + 4 <= width:
                break
            if shorter == 0:
                tally = self._tally(long=False)
            elif shorter == 1:
                where = [(" kubedoctor ", "bold reverse"), (f"  {namespace}", "bold")]
            elif shorter == 2:
                right = [(f"{(self.doing or self.currency).partition(' · ')[0]} ", "$quiet")]
            else:
                where = [(f" {namespace}", "bold")]
        room = max(1, width - _size(where) - _size(tally) - _size(right) - 3)
        return Content.assemble(*where, "   ", *tally, " " * room, *right)

    def _tally(self, *, long: bool) -> list[Part]:
        if self.counts is None:
            return []
        total = sum(self.counts.values())
        parts: list[Part] = [(f"{total} {self.noun}  ", "")] if long else []
        for health, count in self.counts.items():
            if not count or (health is Health.IDLE and not long):
                continue
            word = f" {health.value}" if long and health in (Health.BROKEN, Health.DEGRADED) else ""
            parts.append((f" {health.symbol} {count}{word} ", ROLES[health.value]))
        return parts


def _size(parts: list[Part]) -> int:
    return sum(cell_len(text) for text, _ in parts)


def currency(freshness: Freshness, now: datetime, bundle: str) -> str:
    """`live · last change 2s ago · read-only`, or which recording it is."""
    if freshness.at is None:
        return "nothing read yet · read-only"
    if not freshness.live:
        taken = "time unknown" if freshness.at == UNKNOWN_TIME else f"taken {freshness.at:%Y-%m-%d %H:%M} UTC"
        return f"bundle {visible(bundle, 40)} · {taken}"
    age = human_duration(now - freshness.at)
    return f"live · last change {age} ago · read-only" if freshness.watching else f"read {age} ago · read-only"
