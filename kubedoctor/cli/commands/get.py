"""`kubedoctor get KIND [NAME]`: the same as `kubedoctor KIND [NAME]`, in kubectl's form."""

from __future__ import annotations

from msgspec.structs import replace

from kubedoctor.cli.diagnosing import OBJECTS

COMMAND = replace(
    OBJECTS,
    name="get",
    summary="diagnose objects, the same as kubedoctor KIND NAME",
    section="As with kubectl",
    examples=tuple((f"get {line}", note) for line, note in OBJECTS.examples[:-1]),
)
