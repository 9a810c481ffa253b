"""The files in a folder, which may be any folder: also one of a system, whose files have no end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from kubedoctor.collect.bundles.parts import SMALLEST
from kubedoctor.collect.waiting import WAITING

MOST_MEMBERS = 50_000
"""Files and folders. The dump of a cluster with more pods than that has more."""
MOST_DEPTH = 32
"""Folders within folders. The path of a log in a support bundle has less than ten."""


def files_in(folder: Path, problems: list[str]) -> Iterator[tuple[str, Path, bool]]:
    """The names within the folder, the paths, and whether a file is empty, in the order of their names; the large files last:
    what is small need not wait for them to be shown. Gets a sentence for what is not read. Raises OSError for the folder
    itself.

    A file without size is empty: those of /proc are not, but some of them have no end.
    """
    with WAITING.for_long(f"looking for files in {folder}"):
        paths = list(islice(_paths_in(folder, problems), MOST_MEMBERS + 1))
    if len(paths) > MOST_MEMBERS:
        problems.append(f"{folder} holds more than {MOST_MEMBERS:,} files and folders; the others were not read")
    for path in sorted(paths[:MOST_MEMBERS], key=lambda path: (_is_large(path), path)):
        name = path.relative_to(folder).as_posix()
        try:
            if why := _why_not_read(path, folder):
                problems.append(f"{name}: {why}; not read")
                continue
            is_folder, size = path.is_dir(), path.stat().st_size
        except OSError as error:
            problems.append(f"{name}: cannot be read: {error.strerror or error}")
            continue
        if not is_folder:
            yield name, path, not size


def _paths_in(folder: Path, problems: list[str]) -> Iterator[Path]:
    """Everything in it that is not hidden."""

    def unreadable(error: OSError) -> None:
        name = Path(error.filename).relative_to(folder).as_posix()
        if name == ".":
            raise error
        problems.append(f"{name}: cannot be read: {error.strerror or error}")

    for place, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if folders and len(Path(place).relative_to(folder).parts) >= MOST_DEPTH:
            problems.append(
                f"{Path(place, folders[0]).relative_to(folder)}: more than {MOST_DEPTH} folders deep; not read"
            )
            folders.clear()
        yield from (Path(place, name) for name in (*folders, *sorted(files)) if not name.startswith("."))


def _is_large(path: Path) -> bool:
    try:
        return path.stat().st_size >= SMALLEST
    except OSError:
        return False


def _why_not_read(path: Path, folder: Path) -> str:
    """Why what is in a folder is not read; empty where it is. Raises OSError."""
    if path.is_symlink():
        if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
            return "a link to a path outside the folder"
        if not path.exists():
            return "a link to nothing"
    return "" if path.is_file() or path.is_dir() else "a device or pipe"
