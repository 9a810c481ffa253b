"""What is chosen from has as many lines as it needs; the cursor goes from one to the next."""

from __future__ import annotations

from textual.app import ComposeResult

from kubedoctor.tui.pages.page import Page
from kubedoctor.tui.widgets.choice_view import ChoiceView
from kubedoctor.tui.widgets.themed_app import ThemedApp


class ChoiceApp(ThemedApp):
    """A list to choose from and nothing else."""

    chosen = -1

    def compose(self) -> ComposeResult:
        yield ChoiceView()

    def on_choice_view_chosen(self, message: ChoiceView.Chosen) -> None:
        self.chosen = message.index


def page(*lines: str) -> Page:
    made = Page()
    for line in lines:
        made.add(line)
    return made


async def test_the_cursor_moves_and_enter_chooses() -> None:
    app = ChoiceApp()
    async with app.run_test(size=(30, 6)) as pilot:
        view = app.query_one(ChoiceView)
        view.offer([page(f"{number} word", "which is why") for number in range(6)])
        view.focus()
        await pilot.press("j", "j", "k", "enter")
        await pilot.pause()
        assert app.chosen == 1
        await pilot.press("G", "enter")
        await pilot.pause()
        assert app.chosen == 5
        assert "5 word" in [view.render_line(y).text.strip() for y in range(view.size.height)]
        await pilot.press("g", "k", "enter")
        await pilot.pause()
        assert app.chosen == 0


async def test_nothing_to_choose_from() -> None:
    app = ChoiceApp()
    async with app.run_test(size=(30, 6)) as pilot:
        view = app.query_one(ChoiceView)
        view.offer([])
        view.focus()
        await pilot.press("j", "G", "enter")
        await pilot.pause()
        assert app.chosen == -1
