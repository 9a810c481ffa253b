"""The wordings of each kind of fault, one module for each part of a program's surroundings."""

from __future__ import annotations

from typing import Final

from kubedoctor.replay.logs.families import (
    connections,
    databases,
    files,
    images,
    kubernetes,
    machine,
    memory,
    names,
    panics,
    rights,
    settings,
    trust,
)
from kubedoctor.replay.logs.faults import PatternFamily

FAMILIES: Final[tuple[PatternFamily, ...]] = (
    *kubernetes.FAMILIES,
    *images.FAMILIES,
    *machine.FAMILIES,
    *memory.FAMILIES,
    *names.FAMILIES,
    *databases.FAMILIES,
    *trust.FAMILIES,
    *rights.FAMILIES,
    *connections.FAMILIES,
    *files.FAMILIES,
    *settings.FAMILIES,
    *panics.FAMILIES,
)
"""In this order: of two families that know a line, the first is right."""
