"""Workers that do not keep the person waiting when they leave."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable

from kubedoctor.problems import Problem
from kubedoctor.tui.messages import Failed
from kubedoctor.tui.work import Post


async def in_thread(job: Callable[..., None], post: Post) -> None:
    """Run `job(post=...)` in a thread of its own; whatever it raises is posted as Failed.

    The thread is a daemon: Python would wait for one of an executor, so that a slow server could hold up `:q`.
    """
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    context = contextvars.copy_context()

    def run() -> None:
        # After the application has gone there is no loop to tell, and nobody who would listen.
        with contextlib.suppress(RuntimeError):
            context.run(guarded, job, post)
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=run, daemon=True, name="kubedoctor-worker").start()
    await done.wait()


def guarded(job: Callable[..., None], post: Post) -> None:
    """Run a job; a problem is posted, and so is a mistake of our own."""
    try:
        job(post=post)
    except Problem as problem:
        post(Failed(problem))
    except Exception as error:  # noqa: BLE001  # a mistake in one page must not take the whole screen away
        post(Failed(Problem(f"This could not be done: {type(error).__name__}: {error}", "Please report it.")))
