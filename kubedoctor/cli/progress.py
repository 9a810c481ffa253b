"""A progress indicator on stderr for long work."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 0.5  # seconds


@contextmanager
def progress(what: str) -> Iterator[None]:
    """Show `what` with a spinner after half a second, only where stderr is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    done = threading.Event()

    def show() -> None:
        if done.wait(PATIENCE):
            return
        from rich.console import Console  # imported only for long work on a terminal

        with Console(stderr=True).status(f"{what} …"):
            done.wait()

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(1)
