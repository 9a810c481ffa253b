"""A sheet for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from kubedoctor.answers.sheet import Cell, Mark, Sheet, Table
from kubedoctor.cli.formats.blocks import block, command_text, fix_lines
from kubedoctor.cli.formats.wrapping import columns, in_cell, padded, wrapped
from kubedoctor.cluster.grammar.text import visible

MOST_ROWS = 25
_GAP = 2
_COLOURS = {Mark.YES: "32", Mark.NO: "31", Mark.UNKNOWN: "33"}


def to_text(sheet: Sheet, *, width: int, colour: bool = False) -> str:
    """The verdict, facts and chain, the tables, then what helps and what was not seen."""
    lines = wrapped(visible(f"{sheet.conclusion.mark.value} {sheet.headline}".strip()), width, "", "  ")
    lines[0] = _painted(lines[0], sheet.conclusion.mark, colour)
    for label, facts in groupby(sheet.facts, key=lambda fact: fact.label):
        lines += block(visible(label), [visible(fact.text) for fact in facts], width)
    lines += block("chain", [visible(f"{step.mark.value} {step.text}".strip()) for step in sheet.chain], width)
    for table in sheet.tables:
        lines += ["", *_table(table, width, colour)]
    blocks = [
        *block("fix", [line for fix in sheet.fixes for line in fix_lines(fix)], width),
        *block("next", [command_text(command) for command in sheet.next], width),
        *block("not checked", [visible(gap) for gap in sheet.gaps], width),
    ]
    lines += ["", *blocks] if blocks else []
    return "\n".join(lines) + "\n"


def _painted(line: str, mark: Mark, colour: bool) -> str:
    """The line with the mark at its start in colour."""
    if not colour or mark not in _COLOURS:
        return line
    return f"\x1b[{_COLOURS[mark]}m{mark.value}\x1b[0m{line.removeprefix(mark.value)}"


def _table(table: Table, width: int, colour: bool) -> Iterator[str]:
    if table.title:
        yield f"  {visible(table.title)}"
        yield ""
    rows = [[Cell(title) for title in table.columns], *(list(row.cells) for row in table.rows[:MOST_ROWS])]
    widths = _widths([[visible(cell.shown) for cell in row] for row in rows], width)
    yield from _aligned(rows, widths, colour) if widths else _listed(table, width)
    if len(table.rows) > MOST_ROWS:
        yield f"  and {len(table.rows) - MOST_ROWS} more rows; -o json has them all"


def _widths(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Of each column, as wide as its cells, or narrower where the line would be too long; empty where a word would have
    to be broken."""
    places = range(len(rows[0]))
    widths = [max(columns(row[place]) for row in rows) for place in places]
    least = [max(columns(word) for row in rows for word in row[place].split() or [""]) for place in places]
    room = width - 2 - _GAP * (len(widths) - 1)
    while sum(widths) > room:
        spare = [have - need for have, need in zip(widths, least, strict=True)]
        if max(spare) <= 0:
            return []
        widest = max((place for place in places if spare[place] > 0), key=lambda place: widths[place])
        widths[widest] -= 1
    return widths


def _aligned(rows: Sequence[Sequence[Cell]], widths: Sequence[int], colour: bool) -> Iterator[str]:
    for row in rows:
        cells = [in_cell(visible(cell.shown), width) for cell, width in zip(row, widths, strict=True)]
        for line in range(max(len(lines) for lines in cells)):
            parts = []
            for cell, lines, width in zip(row, cells, widths, strict=True):
                text = padded(lines[line] if line < len(lines) else "", width)
                parts.append(_painted(text, cell.mark, colour) if line == 0 else text)
            yield ("  " + (" " * _GAP).join(parts)).rstrip()


def _listed(table: Table, width: int) -> Iterator[str]:
    """A table that is too wide: each row as a list of its cells, without passing cells where others do not pass."""
    for row in table.rows[:MOST_ROWS]:
        first, *others = row.cells
        yield from wrapped(visible(first.shown), width, "  ")
        telling = [
            pair for pair in zip(table.columns[1:], others, strict=True) if pair[1].text or pair[1].mark is Mark.NO
        ]
        for title, cell in telling or [("", Cell("passes", Mark.YES))]:
            yield from wrapped(visible(f"{title}  {cell.shown}".strip()), width, "    ", "      ")
