"""Screens that stay mounted: what was shown before never shows again."""

from __future__ import annotations

import threading

from kubedoctor.tui.messages import PageMade
from kubedoctor.tui.pages.keys import list_keys, why_keys
from kubedoctor.tui.pages.page import Page
from kubedoctor.tui.rows import View
from kubedoctor.tui.screens.text_screen import TextScreen
from kubedoctor.tui.widgets.one_line import Heading
from kubedoctor.tui.widgets.text_view import TextView
from kubedoctor.tui.widgets.themed_app import ThemedApp
from kubedoctor.tui.work import Post


def page_of(text: str) -> Page:
    page = Page()
    page.add(text)
    return page


def text_of(app: ThemedApp) -> str:
    return app.screen.query_one(TextView).page.plain


async def test_a_screen_is_mounted_once_and_opened_again() -> None:
    app = ThemedApp()
    async with app.run_test() as pilot:
        first = TextScreen.show(app, "One", page_of("one"))
        await pilot.press("escape")
        assert first not in app.screen_stack
        assert first.query_one(TextView).page.plain == ""
        second = TextScreen.show(app, "Two", page_of("two"))
        await pilot.pause()
        assert second is first
        assert (text_of(app), second.query_one(Heading).text) == ("two", "Home › Two")


async def test_a_screen_on_top_of_another_of_its_kind_is_another() -> None:
    app = ThemedApp()
    async with app.run_test() as pilot:
        TextScreen.show(app, "Below", page_of("below"))
        TextScreen.show(app, "Above", page_of("above"))
        await pilot.pause()
        assert text_of(app) == "above"
        await pilot.press("escape")
        assert text_of(app) == "below"


async def test_an_answer_that_comes_after_the_screen_was_left_is_not_shown() -> None:
    app = ThemedApp()
    left, answered = threading.Event(), threading.Event()

    def late(post: Post) -> None:
        left.wait(10)
        post(PageMade("Late", page_of("late")))
        answered.set()

    async with app.run_test() as pilot:
        TextScreen.show(app, "Waiting", work=late)
        await pilot.pause(0.2)  # longer than a screen waits for its page
        assert app.screen.query_one(Heading).text == "Home › Waiting"
        await pilot.press("escape")
        TextScreen.show(app, "Other", page_of("other"))
        left.set()
        answered.wait(10)
        await pilot.pause()
        assert (text_of(app), app.screen.query_one(Heading).text) == ("other", "Home › Other")


async def test_a_screen_that_was_left_before_its_page_came_does_not_stop_the_drawing() -> None:
    app = ThemedApp()
    forever = threading.Event()

    def wait(post: Post) -> None:
        forever.wait(10)

    async with app.run_test() as pilot:
        TextScreen.show(app, "Waiting", work=wait)
        app.pop_screen()
        await pilot.pause()
        assert app._batch_count == 0
        forever.set()


def test_logs_are_offered_for_what_has_some() -> None:
    def offered(kind: str) -> tuple[tuple[str, str], ...]:
        return list_keys(View(), kind, in_tree=False, in_pane=False, empty=False)

    assert ("l", "logs") in offered("Deployment")
    assert ("p", "previous") in why_keys("Pod")
    assert ("l", "logs") not in (*offered("Service"), *why_keys("Node"))
