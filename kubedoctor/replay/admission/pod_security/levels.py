"""Levels of Pod Security, and the labels of a namespace that set one (`pod-security-admission/api`, v1.37)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

PRIVILEGED: Final = "privileged"
BASELINE: Final = "baseline"
RESTRICTED: Final = "restricted"
LEVELS: Final = (PRIVILEGED, BASELINE, RESTRICTED)
"""From the most to the least that a pod may do."""
LABEL: Final = "pod-security.kubernetes.io/"
ENFORCE: Final = f"{LABEL}enforce"
LATEST: Final = "latest"
NEWEST_MINOR: Final = 37
"""The newest release with a check of its own; later versions are judged like it."""
_VERSION: Final = re.compile(r"v1\.(0|[1-9][0-9]*)")


class PodSecurityLevel(msgspec.Struct, frozen=True):
    """A level with its version. minor: 30 of `v1.30`; None is `latest`."""

    name: str
    minor: int | None = None

    def __str__(self) -> str:
        return f"{self.name}:{LATEST if self.minor is None else f'v1.{self.minor}'}"

    def judged_by(self, server_minor: int | None) -> int:
        """The release whose checks decide: an API server knows none that are newer than itself."""
        newest = NEWEST_MINOR if server_minor is None else min(server_minor, NEWEST_MINOR)
        return newest if self.minor is None else min(self.minor, newest)


def parse_level(text: str) -> PodSecurityLevel | None:
    """`restricted:latest`, `baseline:v1.30`; None where it is no level."""
    name, _, version = text.partition(":")
    if name not in LEVELS:
        return None
    match = _VERSION.fullmatch(version)
    if match is None and version not in ("", LATEST):
        return None
    return PodSecurityLevel(name, int(match[1]) if match else None)


def enforced_level(labels: Mapping[str, str]) -> PodSecurityLevel | None:
    """What the labels of a namespace enforce; None without a label: then the default of the API server applies. A level
    that does not exist counts as restricted, a version that does not exist as latest."""
    if ENFORCE not in labels:
        return None
    version = _VERSION.fullmatch(labels.get(f"{ENFORCE}-version", ""))
    name = labels[ENFORCE]
    return PodSecurityLevel(name if name in LEVELS else RESTRICTED, int(version[1]) if version else None)
