"""What a person has chosen and finds again: colours, sorts, wide lists. Kept in the user's configuration folder."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from kubedoctor.tui.rows import BACKWARDS, is_order

MOST_BYTES = 1 << 16


class Preferences(msgspec.Struct):
    """theme: empty for the usual one. sorts: the order of `rows.arrange` by kind as `View` spells it."""

    theme: str = ""
    wide: bool = False
    sorts: dict[str, str] = {}


class KeptChoices:
    """The choices, and the file that keeps them; without a path nothing is written."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self.chosen = _read(path) if path is not None else Preferences()

    def keep(self) -> None:
        """Write them; where that is not possible, they last as long as the application."""
        if self._path is None:
            return
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(msgspec.json.encode(self.chosen))
            beside.replace(self._path)


def choices_path(environment: Mapping[str, str]) -> Path | None:
    """`~/.config/kubedoctor/tui.json`, or below `XDG_CONFIG_HOME`; None for a user without a home."""
    given = environment.get("XDG_CONFIG_HOME", "")
    home = environment.get("HOME") or environment.get("USERPROFILE") or ""
    folder = Path(given) if given and Path(given).is_absolute() else Path(home) / ".config" if home else None
    return folder / "kubedoctor" / "tui.json" if folder is not None else None


def _read(path: Path) -> Preferences:
    """What can be used of it; the file may be of another version."""
    try:
        with path.open("rb") as file:
            chosen = msgspec.json.decode(file.read(MOST_BYTES), type=Preferences)
    except (OSError, msgspec.DecodeError):
        return Preferences()
    chosen.sorts = {kind: order for kind, order in chosen.sorts.items() if is_order(order) or _is_served(order)}
    return chosen


def _is_served(order: str) -> bool:
    """By a column that a server computes; whether there is such a column shows once it is read."""
    return order.removeprefix(BACKWARDS).startswith(("column ", "cpu", "memory"))
