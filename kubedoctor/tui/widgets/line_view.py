"""What scrolls by itself and draws line by line."""

from __future__ import annotations

from math import ceil
from typing import Any

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual._styles_cache import StylesCache
from textual.color import Color
from textual.filter import ANSIToTruecolor, LineFilter
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip
from textual.style import Style as TextStyle
from textual.widget import Widget

from kubedoctor.tui.look import STYLES


class Painting(Widget):
    """Finds the style of a role once for all lines."""

    _paints: dict[str, Style] | None = None

    def paint(self, role: str) -> Style:
        """The style of a role of `look.py`, on the background of the widget."""
        if self._paints is None:
            self._paints = {}
        style = self._paints.get(role)
        if style is None:
            style = self._paints[role] = (self.visual_style + TextStyle.parse(STYLES[role])).rich_style
        return style

    def notify_style_update(self) -> None:
        self._paints = None
        super().notify_style_update()

    def get_line_filters(self) -> list[LineFilter]:
        """Without Textual's for the sixteen colours of a terminal: no role has one of them."""
        return [each for each in super().get_line_filters() if not isinstance(each, ANSIToTruecolor)]


def filled(segments: list[Segment], width: int, ground: Style) -> Strip:
    """A line of exactly these cells. Textual makes one strip of the segments and another of the right width."""
    cells = sum(cell_len(segment.text) for segment in segments)
    if cells < width:
        segments.append(Segment(" " * (width - cells), ground))
    strip = Strip(segments, max(cells, width))
    return strip if cells <= width else strip.adjust_cell_length(width, ground)


class LineView(Painting, ScrollView):
    """Lines that move no other widget, however many they are: a layout of the screen costs more than drawing them. So
    the scroll bar has its place also where all is shown, and is not drawn then. The focus alone changes nothing of how
    it looks; a screen with several marks the one that keys go to."""

    DEFAULT_CSS = """
    LineView {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        background: $page;
        scrollbar-color: $rule;
        scrollbar-color-hover: $faint;
        scrollbar-color-active: $faint;
        scrollbar-background: $page;
        scrollbar-background-hover: $page;
        scrollbar-background-active: $page;
    }
    """
    virtual_size = Reactive(Size(0, 0))

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._styles_cache = _Frame()
        self.is_active = False
        """Whether keys go to it; it stays so while the prompt is open."""
        self.content_width = 0
        """The cells of a line, while lines are drawn."""

    def activate(self, *, active: bool) -> None:
        """Mark that keys go to it, or not."""
        if self.is_active != active:
            self.is_active = active
            self.mark_active()

    def mark_active(self) -> None:
        """Draw what shows that keys go to it."""

    def watch_virtual_size(self, size: Size) -> None:
        self._scroll_update(size)

    def watch_has_focus(self, _has_focus: bool) -> None:
        """In place of Textual's own, which applies the style sheets."""

    def on_focus(self, event: events.Focus) -> None:
        """In place of Textual's own, which draws all lines again."""
        event.prevent_default()
        self.has_focus = True
        if self.parent is not None:
            self.parent.post_message(events.DescendantFocus(self))

    def on_blur(self, event: events.Blur) -> None:
        event.prevent_default()
        self.has_focus = False
        if self.parent is not None:
            self.parent.post_message(events.DescendantBlur(self))

    def render_lines(self, crop: Region) -> list[Strip]:
        self.content_width = self.scrollable_content_region.width  # once for all lines: Textual computes it anew
        return super().render_lines(crop)

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        """As Textual's, but drawn with less work."""
        if self._vertical_scrollbar is None:
            self._vertical_scrollbar = _Bar(thickness=self.scrollbar_size_vertical)
            self._vertical_scrollbar.display = False
            self.app._start_widget(self, self._vertical_scrollbar)
        return self._vertical_scrollbar


class _Frame(StylesCache):
    """Draws border and padding beside the lines of content, all of one width. They are made once; Textual makes them for
    each line. What was not changed since is drawn as it was, without a look at each line."""

    _sides: tuple[list[Segment], list[Segment]] | None = None
    _drawn: tuple[Region, list[Strip]] | None = None

    def clear(self) -> None:
        self._sides = self._drawn = None
        super().clear()

    def set_dirty(self, *regions: Region) -> None:
        self._drawn = None
        super().set_dirty(*regions)

    def render_widget(self, widget: Widget, crop: Region) -> list[Strip]:
        if self._drawn is None or self._drawn[0] != crop:
            self._drawn = crop, super().render_widget(widget, crop)
        return self._drawn[1]

    def render_line(self, styles: Any, y: int, size: Size, content_size: Size, *others: Any) -> Strip:
        top, left = styles.gutter.top, styles.gutter.left
        if not top <= y < top + content_size.height:
            return super().render_line(styles, y, size, content_size, *others)
        content: Strip = others[3](y - top)
        if self._sides is None:
            line = super().render_line(styles, y, size, content_size, *others)
            self._sides = list(line.crop(0, left)), list(line.crop(left + content.cell_length))
            return line
        before, after = self._sides
        if not before and not after:
            return content
        return Strip([*before, *content, *after], size.width)


class _Bar(ScrollBar):
    """A scroll bar has cells of few kinds; each kind is made once, where Textual makes every cell."""

    virtual_size = Reactive(Size(0, 0))
    """Only a layout changes it, and none follows from that."""

    def render_lines(self, crop: Region) -> list[Strip]:
        back, front = self._colors()
        cells = self._blank(crop) if self.window_size >= self.window_virtual_size else self._cells(back, front)
        kinds = {id(cell): Strip([cell], self.thickness) for cell in cells}
        for line_filter in self.get_line_filters():
            kinds = {kind: strip.apply_filter(line_filter, back) for kind, strip in kinds.items()}
        return [kinds[id(cells[y])] for y in crop.line_range]

    def _blank(self, crop: Region) -> list[Segment]:
        """All is shown: nothing moves."""
        assert isinstance(self.parent, Widget)
        style = Style(bgcolor=self.parent.background_colors[1].rich_color)
        return [Segment(" " * self.thickness, style)] * crop.bottom

    def _cells(self, back: Color, front: Color) -> list[Segment]:
        return self.renderer.render_bar(
            self.size.height,
            ceil(self.window_virtual_size),
            ceil(self.window_size),
            self.position,
            self.thickness,
            back_color=back.rich_color,
            bar_color=front.rich_color,
        ).segments

    def _colors(self) -> tuple[Color, Color]:
        """Of the bar and of what moves on it."""
        parent = self.parent
        assert isinstance(parent, Widget)
        styles = parent.styles
        if self.grabbed:
            back, front = styles.scrollbar_background_active, styles.scrollbar_color_active
        elif self.mouse_over:
            back, front = styles.scrollbar_background_hover, styles.scrollbar_color_hover
        else:
            back, front = styles.scrollbar_background, styles.scrollbar_color
        back = parent.background_colors[0] + back
        return back, back + front
