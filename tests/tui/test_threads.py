"""Work in threads: what it raises is posted, and what never starts leaves nothing behind."""

from __future__ import annotations

import gc
import threading
import warnings
import weakref
from collections.abc import Callable
from functools import partial

import pytest
from textual.message import Message

from kubedoctor.collect.waiting import WAITING
from kubedoctor.problems import Problem
from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.messages import Failed
from kubedoctor.tui.session import Session
from kubedoctor.tui.threads import InThread


def failing(error: Exception) -> Callable[..., None]:
    def job(post: object) -> None:
        raise error

    return job


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (Problem("The file is empty."), "The file is empty."),
        (ValueError("no"), "Internal error in kubedoctor: ValueError: no"),
    ],
)
async def test_what_a_job_raises_is_posted(error: Exception, text: str) -> None:
    posted: list[Message] = []
    await InThread(failing(error), posted.append)
    (failed,) = posted
    assert isinstance(failed, Failed)
    assert failed.problem.what == text


def test_work_that_never_starts_leaves_no_coroutine() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        InThread(failing(ValueError("never runs")), lambda message: None)
        gc.collect()


async def test_what_a_job_was_given_is_let_go_when_it_has_run() -> None:
    """Also where its worker stays: it is part of a cycle, which the collector of garbage may be told to skip."""

    class Report:
        pass

    def job(report: Report, post: object) -> None:
        pass

    report = Report()
    given = weakref.ref(report)
    work = InThread(partial(job, report), lambda message: None)
    del report
    assert given() is not None
    await work
    for thread in threading.enumerate():
        if thread.name == "kubedoctor-worker":
            thread.join(10)
    assert given() is None


async def test_a_slow_login_is_announced_on_the_screen() -> None:
    ends = threading.Event()

    def open_slowly() -> Session:
        WAITING.announce("waiting for exec plugin [b]login[/b] of user jane; it may need you to log in")
        ends.wait(10)
        raise Problem("exec plugin login failed")

    app = KubedoctorApp(open_slowly, None)
    async with app.run_test() as pilot:
        for _ in range(100):
            await pilot.pause(0.01)
            if app._notifications:
                break
        (notification,) = app._notifications
        assert notification.message == "Waiting for exec plugin [b]login[/b] of user jane; it may need you to log in."
        ends.set()
