"""Several requests at once."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
MOST_THREADS = 8
PAUSE = 0.02  # seconds


def in_parallel(tasks: Sequence[Callable[[], T]], meanwhile: Callable[[], None] | None = None) -> list[T]:
    """The results in the order of the tasks. What a task raises is raised here, the first task's first.

    meanwhile: called in this thread repeatedly while the tasks run. The threads are daemons: Ctrl-C does not wait
    for a slow server.
    """
    if len(tasks) == 1 and meanwhile is None:
        return [tasks[0]()]
    results = _run(tasks, None, meanwhile)
    return [results[number] for number in range(len(tasks))]


def in_time(tasks: Sequence[Callable[[], T]], seconds: float) -> list[T | None]:
    """As `in_parallel`, but None for each task without a result after so many seconds; it is not waited for."""
    results = _run(tasks, seconds, None)
    return [results.get(number) for number in range(len(tasks))]


def _run(tasks: Sequence[Callable[[], T]], seconds: float | None, meanwhile: Callable[[], None] | None) -> dict[int, T]:
    waiting = deque(range(len(tasks)))  # safe for threads
    results: dict[int, T] = {}
    failures: dict[int, BaseException] = {}
    ends = None if seconds is None else time.monotonic() + seconds

    def left() -> float | None:
        return None if ends is None else max(0.0, ends - time.monotonic())

    def work() -> None:
        while not failures and left() != 0:
            try:
                number = waiting.popleft()
            except IndexError:
                return
            try:
                results[number] = tasks[number]()
            except BaseException as error:  # noqa: BLE001  # raised again in the calling thread
                failures[number] = error

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(MOST_THREADS, len(tasks)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive() and left() != 0:
            thread.join(left() if meanwhile is None else PAUSE)
            if meanwhile is not None:
                meanwhile()
    if failures:
        raise failures[min(failures)]
    return dict(results)
