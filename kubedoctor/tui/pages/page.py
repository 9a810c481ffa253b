"""Text for a pane or a screen: lines of pieces, each with a role that a theme gives a colour. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec
from rich.cells import cell_len, chop_cells

from kubedoctor.cluster.grammar.text import LIST_ITEM, visible

MOST_CELLS = 4000  # Nobody reads more on a screen, and a pane must stay fast.


class Piece(msgspec.Struct, frozen=True, gc=False):
    """Text that is safe to print. Roles: see `widgets/text_view.py`; the empty one is ordinary text."""

    text: str
    role: str = ""


Line = tuple[Piece, ...]


class Paragraph(msgspec.Struct, frozen=True):
    """Pieces that flow: the first line starts at `indent`, the others at `hang`. `right` is put at the right edge
    of the last line if there is room, else on a line of its own."""

    pieces: tuple[Piece, ...]
    indent: int = 0
    hang: int = 0
    right: Piece | None = None


class Page:
    """Builds a text. All text is made safe to print here, so that no caller can forget it."""

    def __init__(self) -> None:
        self.paragraphs: list[Paragraph] = []
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

    def heading(self, text: str) -> None:
        """An empty line, unless it is the first, and a heading."""
        self.blank()
        self.add((text, "heading"))

    def blank(self) -> None:
        """An empty line; never two, and none at the top."""
        if self.paragraphs and self.paragraphs[-1].pieces:
            self.paragraphs.append(Paragraph(()))

    def lines(self, width: int) -> list[Line]:
        """The lines of the page at a width in cells. Kept, so that the thread that writes a page can wrap it too."""
        width, count = max(width, 20), len(self.paragraphs)
        if self._wrapped is None or self._wrapped[:2] != (width, count):
            lines: list[Line] = []
            for paragraph in self.paragraphs:
                lines.extend(_flow(paragraph, width))
            while lines and not lines[-1]:
                lines.pop()
            self._wrapped = width, count, lines
        return self._wrapped[2]

    @property
    def plain(self) -> str:
        """The text alone, unwrapped."""
        return "\n".join(
            " " * paragraph.indent
            + "".join(piece.text for piece in paragraph.pieces)
            + (f"  {paragraph.right.text}" if paragraph.right else "")
            for paragraph in self.paragraphs
        )


def _flow(paragraph: Paragraph, width: int) -> Iterable[Line]:
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
            word = Piece(word.text.lstrip(" "), word.role)
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
        if merged and merged[-1].role == piece.role:
            merged[-1] = Piece(merged[-1].text + piece.text, piece.role)
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
                yield from (Piece(part, piece.role) for part in _parts(word, max(widest, 1)))
            else:
                yield Piece(word, piece.role)


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
