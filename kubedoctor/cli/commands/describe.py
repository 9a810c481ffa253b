"""`kubedoctor describe KIND NAME`: the diagnosis, and the command of kubectl for its own description."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from msgspec.structs import replace

from kubedoctor.cli.diagnosing import OBJECTS, add_examination, diagnose
from kubedoctor.cluster.kinds.references import Ref


def describe(options: argparse.Namespace) -> int:
    """The diagnosis, with a command for each object below it."""
    return diagnose(options, _commands)


def _commands(subjects: Sequence[Ref]) -> str:
    return "\n".join(subject.describe_command for subject in subjects)


COMMAND = replace(
    OBJECTS,
    name="describe",
    summary="diagnose objects, and give the kubectl describe command",
    usage=OBJECTS.usage[:3],
    section="As with kubectl",
    examples=(("describe pod checkout-1 -n shop", "the diagnosis, then the command"),),
    run=describe,
    add_options=add_examination,
)
