"""Single lines across the screen: tabs, headings, rules, keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive
from textual.strip import Strip
from textual.timer import Timer

from kubedoctor.tui.look import HEAVY, LINE, PAST, TEE, WALL, WAY
from kubedoctor.tui.pages.ink import crop, ends, ink, size
from kubedoctor.tui.pages.page import Line, Piece
from kubedoctor.tui.rows import TABS
from kubedoctor.tui.widgets.line_view import Painting, filled
from kubedoctor.tui.widgets.themed_app import ThemedApp

Key = tuple[str, str]
TAIL: tuple[Key, ...] = (("/", "filter"), (":", "command"), ("?", "help"))


class OneLine(Painting):
    """Draws the line that a function of the width gives."""

    DEFAULT_CSS = "OneLine { height: 1; background: $page; }"
    virtual_size = Reactive(Size(0, 0))
    """Only a layout changes it, and none follows from that."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._draw: Callable[[int], Line] = lambda _: ()
        self._drawn: object = None

    def show(self, draw: Callable[[int], Line], content: object = None) -> None:
        """content: what the line depends on; equal to the one before, nothing is drawn."""
        if content is None or content != self._drawn:
            self._draw, self._drawn = draw, content
            self.refresh()

    def line(self, width: int) -> Line:
        """The line at a width in cells."""
        return crop(self._draw(width), width)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        segments = [Segment(piece.text, self.paint(piece.role)) for piece in (self.line(width) if not y else ())]
        return filled(segments, width, self.visual_style.rich_style)


class Keys(OneLine):
    """The keys that apply, what belongs to the view first; words drop out at the right where there is no room."""

    DEFAULT_CSS = "Keys { background: $bar; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.notice = ""
        self._ends: Timer | None = None

    def say(self, notice: str, seconds: float) -> None:
        """Show a notice in the place of the keys, for so long. It moves nothing, so that it costs one line."""
        if self._ends is not None:
            self._ends.stop()
        self.notice = notice
        self._ends = self.set_timer(seconds, self.end_notice) if notice else None
        self.refresh()

    def end_notice(self) -> None:
        """Show the keys again."""
        self.say("", 0)

    def line(self, width: int) -> Line:
        if self.notice:
            return crop((Piece(" "), ink(self.notice, "name")), width)
        return super().line(width)

    def offer(self, keys: Sequence[Key], tail: Sequence[Key] = TAIL) -> None:
        """Show these keys."""
        keys, tail = tuple(keys), tuple(tail)
        self.show(lambda width: keys_line(keys, tail, width), (keys, tail))


def keys_line(keys: Sequence[Key], tail: Sequence[Key], width: int) -> Line:
    """As many of the keys as there is room for; the tail stands at the right."""
    right = tuple(piece for key in tail for piece in _key(key))
    left: list[Piece] = [Piece(" ")]
    for key in keys:
        pieces = _key(key)
        if size(left) + size(pieces) + size(right) >= width:
            break
        left += pieces
    return ends(left, right, width)


def _key(key: Key) -> Line:
    return (ink(key[0], "key"), ink(f" {key[1]}  ", "dim"))


class Heading(OneLine):
    """The way to a screen, and what it is about: `Home › Why  Deployment shop/web`."""

    DEFAULT_CSS = "Heading { background: $bar; }"

    def entitle(self, title: str, subject: str = "", way: Sequence[str] = ("Home",)) -> None:
        """Show the title after the names of the screens below it."""
        moment = self.app.moment_shown if isinstance(self.app, ThemedApp) else ""
        parts: list[Piece] = [Piece("  "), *([ink(f" {PAST} {moment} ", "past"), Piece("  ")] if moment else [])]
        for place in way:
            parts += [ink(place, "dim"), ink(f" {WAY} ", "faint")]
        parts += [ink(title, "name"), *([ink(f"  {subject}")] if subject else [])]
        self.show(lambda _: tuple(parts), tuple(parts))

    @property
    def text(self) -> str:
        """The text of the heading."""
        return "".join(piece.text for piece in self.line(1000)).strip()


def across(width: int) -> Line:
    """A plain rule."""
    return (Piece(LINE * width, "rule"),)


class Rule(OneLine):
    """A line across the screen."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._draw = across


class Tab(Message):
    """A tab was chosen with the mouse: `kind` as View spells it."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind


class Tabs(OneLine):
    """The lists that are one key away, with how many rows each has where that is known; beside it the title of the pane.

    Another list than those has the way to it instead."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.active: tuple[int, int] = (0, 0)
        """The first cell of the active tab, and how many it has."""
        self._cells: list[tuple[int, int, str]] = []

    def tell(
        self, kind: str | None, numbers: dict[str, int], title: str, notes: str, wall: int, pane: Sequence[Piece]
    ) -> None:
        """kind: of the active tab; None where the list has none, and then `title` names it. notes: filter and order.
        wall: the cell at which the pane begins; 0: it is below."""
        content = (kind, tuple(numbers.items()), title, notes, wall, tuple(pane))
        left: list[Piece] = [Piece("  ")]
        self._cells = []
        for each, name in TABS if kind is not None else ():
            active, start = each == kind, size(left)
            if notes and not active:  # what limits the list matters more than the other lists
                continue
            number = f" {numbers[each]:,}" if each in numbers else ""
            left += [ink(name, "name" if active else "dim"), ink(number, "faint"), Piece("   ")]
            self._cells.append((start, len(name) + len(number), each))
        if kind is None:
            left += [ink("Home", "dim"), ink(f" {WAY} ", "faint"), ink(title, "name"), Piece("   ")]
        self.active = next(((start, cells) for start, cells, each in self._cells if each == kind), (2, len("Home")))
        left = [*left[:-1], Piece("  "), ink(notes, "change")] if notes else left[:-1]

        def draw(width: int) -> Line:
            if not wall or wall >= width or (notes and size(left) > wall):
                return crop(left, width)
            return (*ends(left, (), wall), Piece(WALL, "rule"), *pane)

        self.show(draw, content)

    def on_click(self, event: events.Click) -> None:
        for start, cells, kind in self._cells:
            if start <= event.x < start + cells:
                self.post_message(Tab(kind))


class TabRule(OneLine):
    """The rule below the tabs, heavy under the active one."""

    def mark(self, active: tuple[int, int], wall: int) -> None:
        """wall: as for the tabs."""
        start, cells = active

        def draw(width: int) -> Line:
            end = width - start - cells
            rest = LINE * end
            if wall and start + cells < wall < width:
                rest = LINE * (wall - start - cells) + TEE + LINE * (width - wall - 1)
            return (Piece(LINE * start, "rule"), Piece(HEAVY * cells, "act"), Piece(rest, "rule"))

        self.show(draw, (active, wall))
