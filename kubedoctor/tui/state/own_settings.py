"""What a person has written for the screens: `tui.yaml` in the folder of the choices. kubedoctor never writes it.

aliases: {pp: po shop}
hotkeys: {f6: events, f7: deploy shop /web}
views:
  pods: {columns: [NAME, READY, CPU, "TEAM:.metadata.labels.team"], sort: CPU}
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import yaml

from kubedoctor.cluster.grammar.text import visible
from kubedoctor.cluster.kinds.resources import kind_from_word
from kubedoctor.tui.rows import View

FILE_NAME = "tui.yaml"
MOST_BYTES = 1 << 18


class OwnView(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """columns: titles, or `TITLE:JSONPATH`; sort: a title, as by its key (CPU: the most
    first), with `-` before it backwards."""

    columns: tuple[str, ...] = ()
    sort: str = ""

    @property
    def titles(self) -> tuple[str, ...]:
        """In the order of the columns, in capitals."""
        return tuple(column.partition(":")[0].strip().upper() for column in self.columns)

    @property
    def paths(self) -> dict[str, str]:
        """The JSON paths by title."""
        parted = (column.partition(":") for column in self.columns)
        return {title.strip().upper(): path.strip() for title, colon, path in parted if colon}


class OwnSettings(msgspec.Struct, frozen=True):
    """problems: what cannot be used, in sentences; all else is."""

    aliases: dict[str, str] = {}
    hotkeys: dict[str, str] = {}
    views: dict[str, OwnView] = {}
    problems: tuple[str, ...] = ()

    def view_of(self, kind: str) -> OwnView | None:
        """The view of a kind, by any word that kubectl knows for it."""
        own = (kind.lower(), View(kind).noun(1), View(kind).noun(2))
        for word, view in self.views.items():
            row = kind_from_word(word.lower())
            if (row is not None and row.kind == kind) or word.lower() in own:
                return view
        return None

    def expanded(self, command: str) -> str:
        """A command whose first word is an alias, written out."""
        first, space, rest = command.strip().removeprefix(":").partition(" ")
        return f"{self.aliases[first]}{space}{rest}" if first in self.aliases else command


def read_own_settings(path: Path | None) -> OwnSettings:
    """The file beside the kept choices; none is no problem."""
    if path is None:
        return OwnSettings()
    file = path.with_name(FILE_NAME)
    try:
        with file.open("rb") as opened:
            data = yaml.safe_load(opened.read(MOST_BYTES))
    except FileNotFoundError:
        return OwnSettings()
    except (OSError, yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        return OwnSettings(problems=(f"{FILE_NAME} cannot be read: {_first_line(error)}.",))
    if not isinstance(data, dict):
        data, problems = {}, [f"{FILE_NAME} must have aliases, hotkeys or views."] if data is not None else []
    else:
        problems = [f"{FILE_NAME}: {visible(str(key), 60)} is unknown." for key in data if key not in _PARTS]
    parts = {key: _entries(key, data.get(key), problems) for key in _PARTS}
    return OwnSettings(**parts, problems=tuple(problems))


_PARTS: dict[str, Any] = {"aliases": str, "hotkeys": str, "views": OwnView}


def _entries(part: str, data: Any, problems: list[str]) -> dict[str, Any]:
    """The entries that can be used; of the others it is said why not."""
    if data is None:
        return {}
    if not isinstance(data, dict):
        problems.append(f"{FILE_NAME}: {part} must be a mapping.")
        return {}
    entries: dict[str, Any] = {}
    for key, value in data.items():
        try:
            entries[str(key)] = msgspec.convert(value, _PARTS[part])
        except msgspec.ValidationError as error:
            problems.append(f"{FILE_NAME}: {part}.{visible(str(key), 60)}: {_first_line(error)}.")
    return entries


def _first_line(error: Exception) -> str:
    return visible((str(error).splitlines() or [type(error).__name__])[0], 200)
