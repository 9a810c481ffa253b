"""The pages of text: only the lines that are seen are made, and the mouse selects what is there."""

from __future__ import annotations

from rich.style import Style
from textual.app import ComposeResult
from textual.geometry import Offset
from textual.selection import Selection

from kubedoctor.tui.pages.page import Page
from kubedoctor.tui.widgets.text_view import TextView
from kubedoctor.tui.widgets.themed_app import ThemedApp

SELECTED = Selection(Offset(2, 1), Offset(3, 2))


class PageApp(ThemedApp):
    """A page and nothing else."""

    def compose(self) -> ComposeResult:
        yield TextView()

    @property
    def view(self) -> TextView:
        return self.query_one(TextView)


def page_of(count: int) -> Page:
    page = Page()
    for number in range(count):
        page.add((f"{number} ", "key"), "words")
    return page


def drawn(app: PageApp) -> list[str]:
    return [app.view.render_line(y).text.rstrip() for y in range(app.view.size.height)]


def scroll_bar(app: PageApp) -> list[Style | None]:
    """How each cell of it is drawn."""
    bar = app.view.vertical_scrollbar
    return [cell.style for line in bar.render_lines(bar.size.region) for cell in line]


async def test_only_the_visible_lines_are_made() -> None:
    app = PageApp()
    async with app.run_test(size=(40, 10)) as pilot:
        app.view.show(page_of(1000))
        await pilot.pause()
        assert drawn(app) == [f"{number} words" for number in range(10)]
        app.view.scroll_to(y=500, animate=False)
        await pilot.pause()
        assert drawn(app) == [f"{number} words" for number in range(500, 510)]
        assert len(app.view._strips) < 50


async def test_a_shorter_page_is_shown_whole_and_its_scroll_bar_is_gone() -> None:
    app = PageApp()
    async with app.run_test(size=(40, 10)) as pilot:
        blank = scroll_bar(app)
        assert {style.bgcolor for style in blank if style} == {app.view.rich_style.bgcolor}
        app.view.show(page_of(1000), at_end=True)
        for _ in range(3):  # to the end once it is drawn
            await pilot.pause()
        assert drawn(app)[-1] == "999 words"
        assert scroll_bar(app) != blank
        app.view.show(page_of(3), stay=True)
        await pilot.pause()
        assert drawn(app) == ["0 words", "1 words", "2 words", *[""] * 7]
        assert scroll_bar(app) == blank


async def test_another_page_moves_no_widget() -> None:
    app = PageApp()
    async with app.run_test(size=(40, 10)) as pilot:
        app.view.show(page_of(100))
        await pilot.pause()
        laid_out = list[object]()
        app.screen.screen_layout_refresh_signal.subscribe(app.view, laid_out.append)
        app.view.show(page_of(200))
        await pilot.pause()
        assert drawn(app)[0] == "0 words"
        assert app.view.max_scroll_y == 190
        assert laid_out == []


async def test_the_mouse_selects_text() -> None:
    app = PageApp()
    async with app.run_test(size=(40, 10)) as pilot:
        app.view.show(page_of(100))
        app.view.scroll_to(y=20, animate=False)
        await pilot.pause()
        await pilot.mouse_down(TextView, offset=(3, 0))
        await pilot.hover(TextView, offset=(2, 1))
        await pilot.mouse_up(TextView, offset=(2, 1))
        assert app.screen.get_selected_text() == "words\n21 "


async def test_selected_text_is_marked_across_pieces_of_several_colours() -> None:
    app = PageApp()
    async with app.run_test(size=(40, 10)) as pilot:
        app.view.show(page_of(4))
        app.screen.selections = {app.view: SELECTED}
        await pilot.pause()
        marked = app.screen.get_component_rich_style("screen--selection").bgcolor
        for y, words in enumerate(("", "words", "2 w", "")):
            line = app.view.render_line(y)
            assert "".join(each.text for each in line if each.style and each.style.bgcolor == marked) == words
