"""Text for a pane or a screen: lines of pieces, each with a role that a theme gives a colour. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import msgspec
from rich.cells import cell_len, chop_cells

from kubedoctor.cluster import Ref
from kubedoctor.cluster.grammar.text import LIST_ITEM, visible

MOST_CELLS = 4000  # Nobody reads more on a screen, and a pane must stay fast.
PLAIN_WIDTH = 100
"""Cells of a line of a picture where a page is copied as text."""


class Piece(msgspec.Struct, frozen=True, gc=False):
    """Text that is safe to print. Roles: see `look.py`; the empty one is ordinary text. `about`: the object that it
    leads to."""

    text: str
    role: str = ""
    about: Ref | None = None


Line = tuple[Piece, ...]


class Paragraph(msgspec.Struct, frozen=True):
    """Pieces that flow: the first line starts at `indent`, the others at `hang`. `right` is put at the right edge
    of the last line if there is room, else on a line of its own."""

    pieces: tuple[Piece, ...]
    indent: int = 0
    hang: int = 0
    right: Piece | None = None


class Picture(msgspec.Struct, frozen=True):
    """Lines that depend on the width otherwise than a paragraph does. Their pieces must be safe to print."""

    draw: Callable[[int], list[Line]]


class Page:
    """Builds a text. All text is made safe to print here, so that no caller can forget it."""

    def __init__(self) -> None:
        self.paragraphs: list[Paragraph | Picture] = []
        self._wrapped: tuple[int, int, list[Line]] | None = None

    def add(self, *pieces: tuple[str, str] | str, indent: int = 0, hang: int | None = None, right: str = "") -> None:
        """A paragraph of (text, role) or plain texts; line feeds in them start new lines."""
        line: list[Piece] = []
        for piece in pieces:
            text, role = (piece, "") if isinstance(piece, str) else piece
            for number, part in enumerate(visible(text, MOST_CELLS, lines=True).expandtabs(4).split("\n")):
                if number:
                    self._close(line, indent, hang, "")
                    line = []
                if part:
                    line.append(Piece(part, role))
        self._close(line, indent, hang, right)

    def _close(self, pieces: list[Piece], indent: int, hang: int | None, right: str) -> None:
        corner = Piece(visible(right), "dim") if right else None
        if hang is None:
            hang = indent + len(LIST_ITEM) if pieces and pieces[0].text.startswith(LIST_ITEM) else indent
        self.paragraphs.append(Paragraph(tuple(pieces), indent, hang, corner))

    def picture(self, draw: Callable[[int], list[Line]]) -> None:
        """Lines that are drawn for a width in cells."""
        self.paragraphs.append(Picture(draw))

    def heading(self, text: str) -> None:
        """An empty line, unless it is the first, and a heading."""
        self.blank()
        self.add((text, "heading"))

    def blank(self) -> None:
        """An empty line; never two, and none at the top."""
        last = self.paragraphs[-1] if self.paragraphs else None
        if isinstance(last, Picture) or (last is not None and last.pieces):
            self.paragraphs.append(Paragraph(()))

    def lines(self, width: int) -> list[Line]:
        """The lines of the page at a width in cells. Kept, so that the thread that writes a page can wrap it too."""
        width, count = max(width, 20), len(self.paragraphs)
        if self._wrapped is None or self._wrapped[:2] != (width, count):
            lines: list[Line] = []
            for paragraph in self.paragraphs:
                lines.extend(paragraph.draw(width) if isinstance(paragraph, Picture) else flow(paragraph, width))
            while lines and not lines[-1]:
                lines.pop()
            self._wrapped = width, count, lines
        return self._wrapped[2]

    @property
    def plain(self) -> str:
        """The text alone, unwrapped but for pictures."""
        return "\n".join(
            "\n".join("".join(piece.text for piece in line).rstrip() for line in part.draw(PLAIN_WIDTH))
            if isinstance(part, Picture)
            else " " * part.indent
            + "".join(piece.text for piece in part.pieces)
            + (f"  {part.right.text}" if part.right else "")
            for part in self.paragraphs
        )


def flow(paragraph: Paragraph, width: int) -> list[Line]:
    """The lines of a paragraph at a width in cells."""
    lines: list[Line] = []
    current: list[Piece] = []
    indent = min(paragraph.indent, width // 3)
    hang = min(paragraph.hang, width // 3)
    used = indent
    start = indent
    for word in _words(paragraph.pieces, width - max(indent, hang)):
        size = cell_len(word.text)
        if used + size > width and used > start:
            lines.append(_line(current, start))
            current, start, used = [], hang, hang
            word = Piece(word.text.lstrip(" "), word.role, word.about)
            size = cell_len(word.text)
        if word.text:
            current.append(word)
            used += size
    lines.append(_line(current, start) if current else ())
    if paragraph.right is not None:
        size = cell_len(paragraph.right.text)
        last = sum(cell_len(piece.text) for piece in lines[-1])
        if last + size + 2 <= width:
            lines[-1] = (*lines[-1], Piece(" " * (width - last - size)), paragraph.right)
        else:
            lines.append((Piece(" " * hang), paragraph.right))
    return lines


def _line(pieces: list[Piece], indent: int) -> Line:
    """A line in which adjacent pieces of one role are merged."""
    merged: list[Piece] = [Piece(" " * indent)] if indent else []
    for piece in pieces:
        if merged and (merged[-1].role, merged[-1].about) == (piece.role, piece.about):
            merged[-1] = Piece(merged[-1].text + piece.text, piece.role, piece.about)
        else:
            merged.append(piece)
    return tuple(merged)


def _words(pieces: Iterable[Piece], widest: int) -> Iterable[Piece]:
    """Words with the spaces before them; words wider than a line are split."""
    for piece in pieces:
        start = 0
        text = piece.text
        while start < len(text):
            end = start
            while end < len(text) and text[end] == " ":
                end += 1
            while end < len(text) and text[end] != " ":
                end += 1
            word = text[start:end]
            start = end
            if cell_len(word) > widest:
                yield from (Piece(part, piece.role, piece.about) for part in _parts(word, max(widest, 1)))
            else:
                yield Piece(word, piece.role, piece.about)


def _parts(word: str, widest: int) -> Iterable[str]:
    """The parts of a long word, split where paths and images are best split: before a full stop, a slash or a
    bracket."""
    joint = ""
    for step in re.split(r"(?=[./\[])", word):
        if cell_len(joint + step) <= widest:
            joint += step
            continue
        if joint:
            yield joint
        *whole, joint = chop_cells(step, widest) or [""]
        yield from whole
    if joint:
        yield joint
