"""The installed packages that declare something for kubedoctor."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points


def packages(group: str) -> list[EntryPoint]:
    """The entry points of a group: the built-in package first, then by name."""
    return sorted(entry_points(group=group), key=lambda point: (point.name != "kubedoctor", point.name))
