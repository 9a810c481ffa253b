"""A grid as one SVG file that needs nothing else: colours by the reader's light or dark scheme, and a title on each cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Final

from kubedoctor.answers.grid import Grid, GridCell, GridLine, Shade
from kubedoctor.cli.formats.wrapping import columns as cells_of
from kubedoctor.cluster.grammar.text import visible

_WIDE, _HIGH, _GAP = 44, 24, 2
"""Of a cell, in pixels."""
_LETTER: Final = 7.3
"""Pixels of a letter; of the font below, a little more than its own."""
_HEAD_LETTER: Final = 9.8
"""The same of the title, whose font is larger."""
_CORNER: Final = "from ↓ to →"
_SLOPE: Final = 45
_MOST_LETTERS: Final = 44
_MOST_MEMBERS: Final = 30
_LONGEST: Final = 4000
"""Characters of a text."""
_MARGIN: Final = 20
_HEAD: Final = 84
"""Pixels for the title, the sentence and the legend."""
_ENTRY: Final = 32
"""Pixels beside the text of an entry of the legend: its square and what separates it."""

_Colours = Mapping[str, str | tuple[str, str]]

_LIGHT: Final[_Colours] = {
    "ground": "#ffffff",
    "ink": "#1f2328",
    "quiet": "#59636e",
    "line": "#afb8c1",
    "full": ("#1f6feb", "#ffffff"),
    "part": ("#a5cdfb", "#0a3069"),
    "mixed": ("#d8b9f5", "#512a97"),
    "empty": ("#eff2f5", "#59636e"),
}
_DARK: Final[_Colours] = {
    "ground": "#0d1117",
    "ink": "#e6edf3",
    "quiet": "#9198a1",
    "line": "#57606a",
    "full": ("#4493f8", "#05080c"),
    "part": ("#1c4b8c", "#cfe6ff"),
    "mixed": ("#54348a", "#eddeff"),
    "empty": ("#1b2027", "#9198a1"),
}
"""Colours of the ground, of text and lines, and of each shade with the text in it. No CSS variables: several programs that
draw SVG do not know them."""
_FONT: Final = (
    'text { font-family: ui-sans-serif, system-ui, "Segoe UI", "DejaVu Sans", Arial, sans-serif; font-size: 12px; }'
)
_SIZES: Final = ".head { font-size: 16px; font-weight: 600; } .in { font-size: 11px; text-anchor: middle; }"
_SIGNS: Final = {Shade.FULL: "all", Shade.EMPTY: "–"}


def _colours(colours: _Colours) -> str:
    rules = []
    for name, value in colours.items():
        if isinstance(value, tuple):
            rules.append(f"rect.{name} {{ fill: {value[0]}; }} text.{name} {{ fill: {value[1]}; }}")
    return "\n".join(
        (
            f".ground {{ fill: {colours['ground']}; }} text {{ fill: {colours['ink']}; }}",
            f"text.quiet {{ fill: {colours['quiet']}; }} .band {{ stroke: {colours['line']}; }}",
            *rules,
        )
    )


def _style() -> str:
    dark = f"@media (prefers-color-scheme: dark) {{\n{_colours(_DARK)}\n}}"
    return "\n".join(("", _FONT, _SIZES, _colours(_LIGHT), dark, ""))


def to_svg(grid: Grid, sentence: str) -> str:
    """sentence: below the title."""
    left = _MARGIN + max(_width(_CORNER), *(_width(_shortened(row.title)) for row in grid.rows)) + 10
    rise = max([_width(_shortened(column.title)) for column in grid.columns] or [0]) * 0.7072
    top = _HEAD + int(rise) + 26
    right = left + len(grid.columns) * (_WIDE + _GAP)
    texts = (_width(grid.title, _HEAD_LETTER), _width(sentence), _width(grid.note), _legend_width(grid))
    width = int(max(right + rise + _MARGIN, 520, max(texts) + _MARGIN * 2))
    height = top + len(grid.rows) * (_HIGH + _GAP) + _MARGIN + (22 if grid.note else 0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" aria-labelledby="title desc">',
        f'<title id="title">{_safe(grid.title)}</title>',
        f'<desc id="desc">{_safe(sentence)}</desc>',
        f"<style>{_style()}</style>",
        f'<rect class="ground" width="{width}" height="{height}"/>',
        f'<text class="head" x="{_MARGIN}" y="30">{_safe(grid.title)}</text>',
        f'<text class="quiet" x="{_MARGIN}" y="50">{_safe(sentence)}</text>',
        *_legend(grid),
        f'<text class="quiet" x="{left - 10}" y="{top - 8}" text-anchor="end">{_CORNER}</text>',
        *_titles(grid, left, top),
        *_bands(grid, left, top),
        *_cells(grid, left, top),
    ]
    if grid.note:
        parts.append(f'<text class="quiet" x="{_MARGIN}" y="{height - _MARGIN + 4}">{_safe(grid.note)}</text>')
    return "\n".join((*parts, "</svg>")) + "\n"


def _safe(text: str) -> str:
    return escape(visible(text, _LONGEST))


def _shortened(title: str) -> str:
    return title if cells_of(title) <= _MOST_LETTERS else f"{title[: _MOST_LETTERS - 1]}…"


def _width(text: str, letter: float = _LETTER) -> float:
    """Of all of it, as it is written."""
    return cells_of(visible(text, _LONGEST)) * letter


def _legend_width(grid: Grid) -> float:
    return sum(len(meaning) * _LETTER + _ENTRY for _, meaning in grid.shades)


def _legend(grid: Grid) -> Iterator[str]:
    x = float(_MARGIN)
    for shade, meaning in grid.shades:
        name = shade.name.lower()
        yield f'<rect class="{name}" x="{x:.0f}" y="62" width="14" height="14" rx="3"/>'
        yield f'<text x="{x + 20:.0f}" y="73">{_safe(meaning)}</text>'
        x += len(meaning) * _LETTER + _ENTRY


def _titles(grid: Grid, left: float, top: int) -> Iterator[str]:
    for index, row in enumerate(grid.rows):
        y = top + index * (_HIGH + _GAP) + _HIGH * 0.68
        yield f'<text x="{left - 10:.0f}" y="{y:.0f}" text-anchor="end">{_titled(row)}</text>'
    for index, column in enumerate(grid.columns):
        x = left + index * (_WIDE + _GAP) + _WIDE / 2
        place = f'transform="translate({x:.0f} {top - 8}) rotate(-{_SLOPE})"'
        yield f"<text {place}>{_titled(column)}</text>"


def _titled(line: GridLine) -> str:
    """A title; that of a group lists its members to whoever points at it."""
    if not line.members:
        return _safe(_shortened(line.title))
    named = [*line.members[:_MOST_MEMBERS]]
    if len(line.members) > _MOST_MEMBERS:
        named.append(f"and {len(line.members) - _MOST_MEMBERS} more")
    return f"<title>{_safe(', '.join(named))}</title>{_safe(_shortened(line.title))}"


def _bands(grid: Grid, left: float, top: int) -> Iterator[str]:
    """A line where another namespace begins."""
    right, bottom = left + len(grid.columns) * (_WIDE + _GAP), top + len(grid.rows) * (_HIGH + _GAP)
    for index in _changes(grid.rows):
        y = top + index * (_HIGH + _GAP) - _GAP / 2
        yield f'<line class="band" x1="{_MARGIN}" x2="{right:.0f}" y1="{y:.0f}" y2="{y:.0f}"/>'
    for index in _changes(grid.columns):
        x = left + index * (_WIDE + _GAP) - _GAP / 2
        yield f'<line class="band" x1="{x:.0f}" x2="{x:.0f}" y1="{top}" y2="{bottom}"/>'


def _changes(lines: Sequence[GridLine]) -> Iterator[int]:
    return (index for index in range(1, len(lines)) if lines[index].group != lines[index - 1].group)


def _cells(grid: Grid, left: float, top: int) -> Iterator[str]:
    for row, cells in enumerate(grid.cells):
        for column, cell in enumerate(cells):
            if cell.shade is not Shade.BLANK:
                yield from _cell(cell, left + column * (_WIDE + _GAP), top + row * (_HIGH + _GAP))


def _cell(cell: GridCell, x: float, y: float) -> Iterator[str]:
    name = cell.shade.name.lower()
    yield (
        f'<rect class="cell {name}" x="{x:.0f}" y="{y:.0f}" width="{_WIDE}" height="{_HIGH}" rx="3">'
        f"<title>{_safe(cell.says)}</title></rect>"
    )
    sign = cell.text or _SIGNS.get(cell.shade, "some")
    yield f'<text class="in {name}" x="{x + _WIDE / 2:.0f}" y="{y + _HIGH * 0.67:.0f}">{_safe(sign)}</text>'
