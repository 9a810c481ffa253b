"""Releases of the scheduler, 1.28 to 1.37; the plugin or step that differs documents the difference."""

from __future__ import annotations

from typing import Final, NamedTuple

from kubedoctor.cluster.grammar.versions import Version


class SchedulerRelease(NamedTuple):
    """A release by the last two numbers of its version, compared as `release >= (34, 2)`."""

    minor: int
    patch: int = 0


LATEST: Final = SchedulerRelease(37, 2)
OLDEST: Final = 28


def release_of(version: Version | None) -> SchedulerRelease:
    """The scheduler's release for a version; an unknown version counts as the latest, an older one as 1.28."""
    if version is None or version.minor >= LATEST.minor:
        return LATEST
    return SchedulerRelease(max(version.minor, OLDEST), version.patch)
