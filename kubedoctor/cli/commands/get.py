"""`kubedoctor get KIND [NAME]`: what `kubedoctor KIND [NAME]` is, as it is typed with kubectl."""

from __future__ import annotations

from dataclasses import replace

from kubedoctor.cli.diagnosing import OBJECTS

COMMAND = replace(
    OBJECTS,
    name="get",
    summary="diagnose objects, the same as kubedoctor KIND NAME",
    section="As with kubectl",
    examples=tuple((f"get {line}", what) for line, what in OBJECTS.examples[:-1]),
)
