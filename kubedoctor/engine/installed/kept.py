"""Files that are kept beside compiled modules, as Python keeps those: only time depends on them."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
from typing import TypeVar

import msgspec

T = TypeVar("T")


def place_of(module: str | None, name: str) -> str | None:
    """The path of a file for the module in a source file; None where Python would keep no compiled module of it."""
    tag = sys.implementation.cache_tag
    if tag is None or not module or not os.path.isfile(module):
        return None
    return os.path.join(os.path.dirname(importlib.util.cache_from_source(module)), f"{name}.{tag}.json")


def read(path: str | None, shape: type[T]) -> T | None:
    """What was written there; None where there is nothing that can be read."""
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            return msgspec.json.decode(file.read(), type=shape)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def write(path: str | None, content: object) -> None:
    """Write it where that is possible and wanted; a reader sees all of it or nothing."""
    if path is None or sys.dont_write_bytecode:
        return
    beside = f"{path}.{os.getpid()}"
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        try:
            with open(beside, "wb") as file:
                file.write(msgspec.json.encode(content))
            os.replace(beside, path)
        except OSError:  # no room: half of it must not stay
            os.unlink(beside)
