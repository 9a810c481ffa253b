"""The installed packages that declare something for kubedoctor, by their entry points.

Reading the metadata of everything that is installed takes longer than a small answer: what was found is kept until a
package is installed, changed or removed.
"""

import contextlib
import importlib
import os
import sys
from functools import cache
from typing import Any

import msgspec

from kubedoctor.engine.installed import kept

GROUPS = ("kubedoctor.diagnostics", "kubedoctor.questions")
_METADATA = (".dist-info", ".egg-info", ".egg")


class Package(msgspec.Struct, frozen=True):
    """An entry point: its name, the module or object that it names, and the distribution that brings it."""

    name: str
    value: str
    distribution: str = ""

    def load(self) -> Any:
        """What it names; whatever its module raises is raised."""
        module, _, attributes = self.value.partition("[")[0].replace(" ", "").partition(":")
        loaded: Any = importlib.import_module(module)
        for attribute in filter(None, attributes.split(".")):
            loaded = getattr(loaded, attribute)
        return loaded


class _Kept(msgspec.Struct, frozen=True):
    installed: tuple[tuple[str, int], ...]
    packages: dict[str, tuple[Package, ...]]


def packages(group: str) -> list[Package]:
    """The packages of a group: the built-in one first, then by name."""
    return sorted(entry_points(group), key=lambda package: (package.name != "kubedoctor", package.name))


def entry_points(group: str) -> tuple[Package, ...]:
    """The entry points of one of the GROUPS."""
    return _entry_points(tuple(sys.path)).get(group, ())


@cache
def _entry_points(path: tuple[str, ...]) -> dict[str, tuple[Package, ...]]:
    installed = tuple(_installed(path))
    file = kept.place_of(__file__, "packages")
    known = kept.read(file, _Kept)
    if known is not None and known.installed == installed:
        return known.packages
    found = {group: _found(group) for group in GROUPS}
    kept.write(file, _Kept(installed, found))
    return found


def _found(group: str) -> tuple[Package, ...]:
    from importlib.metadata import entry_points as read  # slow, and seldom needed

    points = read(group=group)
    return tuple(Package(point.name, point.value, point.dist.name if point.dist else point.name) for point in points)


def _installed(path: tuple[str, ...]) -> list[tuple[str, int]]:
    """The folders and files of metadata, with the time of the last change, in the order in which Python finds them."""
    found = []
    for folder in path:
        with contextlib.suppress(OSError), os.scandir(folder or ".") as entries:
            found += sorted(
                (entry.path, entry.stat().st_mtime_ns) for entry in entries if entry.name.endswith(_METADATA)
            )
    return found
