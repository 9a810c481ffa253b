"""Memory where many objects are created: the garbage collector pauses, and what was freed goes back to the system."""

from __future__ import annotations

import contextlib
import functools
import gc
import threading
from collections.abc import Iterator
from typing import Any, Final

_MANY: Final = 20_000
"""Objects that the collector would look at."""
_lock = threading.Lock()
_depth = 0
_was_enabled = False


@contextlib.contextmanager
def loading(*, keep: bool = False) -> Iterator[None]:
    """Pause the collector: decoding is twice as fast without it. It is always resumed afterwards. `keep`: the objects
    live long, so later collections skip them, where they are many: what is garbage by then is skipped too, for ever.
    """
    global _depth, _was_enabled
    with _lock:
        if _depth == 0:
            _was_enabled = gc.isenabled()
            gc.disable()
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if keep and gc.get_count()[0] > _MANY:
                gc.freeze()
            if _depth == 0 and _was_enabled:
                gc.enable()


def set_apart() -> None:
    """What there is now stays long: each search for garbage among it would stop the keys for a while. What is
    garbage already goes first, because it would stay too.
    """
    gc.collect()
    gc.freeze()


_MMAP_THRESHOLD: Final = -3
_LARGE: Final = 1 << 17


_MOST_ARENAS: Final = -8


def keep_large_apart() -> None:
    """Let glibc map each large array by itself, so that it goes back to the system at once: the tables of a scan would
    leave gaps among what stays. Its own limit rises with each such array. And let all threads share what is free: each
    watch and each worker would have an arena of its own."""
    with contextlib.suppress(OSError, AttributeError, TypeError):  # another C library
        library = _c_library()
        library.mallopt(_MMAP_THRESHOLD, _LARGE)
        library.mallopt(_MOST_ARENAS, 1)


def give_back() -> None:
    """Return to the system the memory that glibc keeps after many objects were freed: after a scan, a twentieth of all."""
    with contextlib.suppress(OSError, AttributeError, TypeError):  # another C library
        _c_library().malloc_trim(0)


@functools.cache
def _c_library() -> Any:
    """Opened once: each leaves a cycle for the collector of garbage."""
    import ctypes

    return ctypes.CDLL(None)
