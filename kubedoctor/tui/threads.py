"""Workers that do not delay quitting."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Awaitable, Callable, Generator
from typing import Any

from kubedoctor.problems import Problem
from kubedoctor.tui.messages import Failed
from kubedoctor.tui.work import Post


class InThread(Awaitable[None]):
    """Awaiting it, once, runs `job(post=...)` in a thread of its own; whatever the job raises is posted as Failed.

    Not a coroutine: a worker that is cancelled before it starts would leave it unawaited, and Python warns of that.
    The job is let go when it has run: a worker of Textual is part of a cycle, and where the collector of garbage skips
    it (`set_apart`), the report that the job was given would stay for ever.
    """

    def __init__(self, job: Callable[..., None], post: Post) -> None:
        self._work: tuple[Callable[..., None], Post] | None = (job, post)

    def __await__(self) -> Generator[Any, None, None]:
        return self._run().__await__()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        finished = asyncio.Event()
        context = contextvars.copy_context()

        def run() -> None:
            work, self._work = self._work, None
            # After the application has ended there is no loop to receive it.
            with contextlib.suppress(RuntimeError):
                if work is not None:
                    context.run(guarded, *work)
                loop.call_soon_threadsafe(finished.set)

        # A daemon: Python would wait for a thread of an executor, and a slow server would delay `:q`.
        threading.Thread(target=run, daemon=True, name="kubedoctor-worker").start()
        await finished.wait()


def guarded(job: Callable[..., None], post: Post) -> None:
    """Run a job; problems are posted, and so are internal errors."""
    try:
        job(post=post)
    except Problem as problem:
        post(Failed(problem))
    except Exception as error:  # noqa: BLE001  # an error in one page must not end the application
        post(Failed(Problem(f"Internal error in kubedoctor: {type(error).__name__}: {error}", "Please report it.")))
