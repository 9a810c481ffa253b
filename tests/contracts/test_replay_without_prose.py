"""Verdicts of `replay` are names and values; sentences about them are written by answers and diagnostics."""

from __future__ import annotations

import enum
import importlib
import inspect
import pkgutil

import kubedoctor.replay
from kubedoctor.replay.scheduler.preemption import NotEligible

MOST_WORDS = 4
UPSTREAM = {NotEligible: "the scheduler's own texts"}


def test_no_enum_of_replay_has_a_sentence_as_value() -> None:
    prose: set[str] = set()
    for module in pkgutil.walk_packages(kubedoctor.replay.__path__, "kubedoctor.replay."):
        for _, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(found, enum.Enum) and found.__module__ == module.name and found not in UPSTREAM:
                prose |= {
                    f"{found.__name__}.{member.name}"
                    for member in found
                    if isinstance(member.value, str) and len(member.value.split()) >= MOST_WORDS
                }
    assert not prose
