"""Several requests at once."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
MOST_THREADS = 8


def in_parallel(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """The results in the order of the tasks. What a task raises is raised here, the first task's first.

    The threads are daemons: Ctrl-C does not wait for a slow server.
    """
    if len(tasks) == 1:
        return [tasks[0]()]
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(len(tasks)):
        waiting.put(number)
    results: dict[int, T] = {}
    failures: dict[int, BaseException] = {}

    def work() -> None:
        while not failures:
            try:
                number = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                results[number] = tasks[number]()
            except BaseException as error:  # noqa: BLE001  # raised again in the calling thread
                failures[number] = error

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(MOST_THREADS, len(tasks)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[min(failures)]
    return [results[number] for number in range(len(tasks))]
