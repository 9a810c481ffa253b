"""Memory where many objects are created: the garbage collector pauses, and what was freed goes back to the system."""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Iterator
from typing import Final

_lock = threading.Lock()
_depth = 0
_was_enabled = False


@contextlib.contextmanager
def loading(*, keep: bool = False) -> Iterator[None]:
    """Pause the collector: decoding is twice as fast without it. It is always resumed afterwards. `keep`: the objects
    live long, so later collections skip them.
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
            if keep:
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


def keep_large_apart() -> None:
    """Let glibc map each large array by itself, so that it goes back to the system at once: the tables of a scan would
    leave gaps among what stays. Its own limit rises with each such array."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError, TypeError):  # another C library
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE)


def give_back() -> None:
    """Return to the system the memory that glibc keeps after many objects were freed: after a scan, a twentieth of all."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError, TypeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
