"""The parts that the pages about incidents are made of: labels in a gutter, names, sentences, evidence. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from kubedoctor.cluster import Ref
from kubedoctor.cluster.grammar.text import visible_end, visible_ends
from kubedoctor.cluster.seen.quoting import Evidence
from kubedoctor.engine import ReportedFinding, words
from kubedoctor.engine.health import Health
from kubedoctor.tui import look
from kubedoctor.tui.pages.ink import beside, blanks, crop, ends, flowing, ink, named, pad, short_path, size
from kubedoctor.tui.pages.page import Line, Page, Piece
from kubedoctor.tui.rows import Row

MOST_CONSEQUENCES = 6
MOST_NAMES = 4
LONGEST_OWN_SENTENCE = 160
LONGEST_VALUE = 300
"""Characters in the pane, so that a long message does not push the first fix out of sight; `w` shows all of it."""
GUTTER, NARROW_GUTTER = 12, 9
NARROW = 60
"""Cells; below, the gutter is narrower and the effect of a fix stands below its command."""

Section = Callable[[int], list[Line]]


def gutter(width: int) -> int:
    """The cells of the labels at the left."""
    return GUTTER if width >= NARROW else NARROW_GUTTER


def labelled(label: str, body: Section, width: int) -> list[Line]:
    """A quiet label in the gutter beside what it names; a label that is too long stands above."""
    indent = gutter(width)
    lines = body(width - indent)
    above: list[Line] = [(ink(label, "dim"),)] if len(label) >= indent else []
    first = blanks(indent) if above else (ink(f"{label:<{indent}}", "dim"),)
    return [*above, *((*(blanks(indent) if number else first), *line) for number, line in enumerate(lines))]


class Sections:
    """The parts of a page, with an empty line between two of them where there is room."""

    def __init__(self, page: Page, *, tight: bool) -> None:
        self.page = page
        self._tight = tight

    def add(self, section: Section) -> None:
        """A part over the whole width."""
        if not self._tight:
            self.page.blank()
        self.page.picture(section)

    def label(self, label: str, body: Section) -> None:
        """A part with a label in the gutter."""
        self.add(partial(labelled, label, body))


def chip(health: Health, mark: str = "") -> Line:
    """The mark on its tint, and a space."""
    return (Piece(f" {mark or health.symbol} ", f"{health.value}-chip"), Piece(" "))


def sentence_about(about: Ref, text: str) -> list[Piece]:
    """`Deployment shop/web: …`. A sentence that begins with the kind goes on after the name."""
    kind = about.short_kind
    text = text.removeprefix(f"{kind} {about.name}") if text.startswith(f"{kind} {about.name}") else text
    rest = text.removeprefix(kind) if text.startswith(f"{kind} ") else text
    joint = "" if rest != text or rest.startswith((" ", ":")) else ": "
    name = f"{about.namespace}/{about.name}" if about.namespace else about.name
    return [ink(f"{kind} ", "strong"), ink(name, "name", about), ink(f"{joint}{rest}", "strong")]


def how_it_fares(row: Row) -> str:
    return f"{row.ready} ready" if "/" in row.ready else row.status or "affected"


def columns(cells: Sequence[Line], width: int) -> list[Line]:
    """Cells of one width, as many beside each other as there is room for."""
    widest = max(map(size, cells)) + 3
    each = max(1, (width + 3) // widest)
    rows = [cells[start : start + each] for start in range(0, len(cells), each)]
    return [crop(tuple(piece for cell in row for piece in pad(cell, widest)), width) for row in rows]


def name_lines(names: Sequence[Ref], width: int) -> list[Line]:
    pieces: list[Piece] = []
    for name in names[:MOST_NAMES]:
        pieces += [*([ink(", ", "dim")] if pieces else []), ink(name.title, "dim", name)]
    if len(names) > MOST_NAMES:
        pieces.append(ink(f", {words.and_more(len(names) - MOST_NAMES)}", "dim"))
    return flowing(pieces, width)


def sentence_lines(marked: Sequence[tuple[Health, ReportedFinding]], width: int) -> list[Line]:
    """A line for each sentence, with the objects that it is true of."""
    groups: dict[tuple[str, str, Health], list[Ref]] = {}
    for health, finding in marked:
        groups.setdefault((finding.summary, finding.code, health), []).append(finding.about)
    lines: list[Line] = []
    for (summary, _, health), names in list(groups.items())[:MOST_CONSEQUENCES]:
        pieces: list[Piece] = []
        for name in names[:MOST_NAMES]:
            pieces += [*([ink(", ", "dim")] if pieces else []), ink(name.title, "", name)]
        if len(names) > MOST_NAMES:
            pieces.append(ink(f", {words.and_more(len(names) - MOST_NAMES)}", "dim"))
        pieces.append(ink(f"  {visible_ends(summary, LONGEST_OWN_SENTENCE)}", "dim"))
        lines += beside((Piece(f"{health.symbol} ", health.value),), flowing(pieces, width - 2))
    left = sum(len(names) for names in list(groups.values())[MOST_CONSEQUENCES:])
    return [*lines, (ink(words.and_more(left), "dim"),)] if left else lines


def evidence_lines(about: Ref, facts: Sequence[Evidence], width: int, *, full: bool) -> list[Line]:
    """Paths are quiet, values can be read; the object stands once above its facts, unless it is the one of the verdict."""
    lines: list[Line] = []
    for fact in facts:
        if fact.object != about:
            about = fact.object
            lines.append(named(about, width, own="dim", place="dim"))
        value = fact.text if full else visible_end(fact.text, LONGEST_VALUE)
        shows = (ink(f"  {fact.shows}", "dim"),) if fact.shows else ()
        path = ink(short_path(fact.path, max(12, width - 3 - min(len(value), 20))), "path")
        line = (path, Piece(" = ", "faint"), ink(value, "value"), *shows)
        if size(line) <= width:
            lines.append(line)
            continue
        lines.append((path,))
        lines += beside((Piece("  = ", "faint"),), flowing([ink(value, "value"), *shows], width - 4))
    return lines


def gap_lines(gaps: Sequence[str], most: int | None, width: int) -> list[Line]:
    lines: list[Line] = []
    for gap in gaps[:most]:
        lines += beside((Piece(f"{look.UNKNOWN} ", "unknown-chip"),), flowing([ink(gap, "dim")], width - 2))
    if most is not None and len(gaps) > most:
        lines.append((ink(f"{words.and_more(len(gaps) - most)} (w shows all)", "dim"),))
    return lines


def lesson_lines(title: str, width: int) -> list[Line]:
    read = (Piece("e ", "key"), Piece("read", "dim"))
    first, *more = flowing([ink(title, "dim")], width - size(read) - 1)
    return [ends(first, read, width), *more]


def paragraph_lines(text: str, width: int) -> list[Line]:
    return [line for part in text.splitlines() for line in (flowing([ink(part, "dim")], width) if part else [()])]
