"""What a command of the command line declares: its module in `cli/commands/` has all of it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence

import msgspec

Run = Callable[[argparse.Namespace], int]
Complete = Callable[[Sequence[str], str, argparse.Namespace], Iterable[str]]
"""Completes a word from the words before, the typed letters, and the options so far."""

SECTIONS = ("Diagnose", "Learn", "Record", "As with kubectl", "Other")


def no_options(_: argparse.ArgumentParser) -> None:
    """For commands without options of their own."""


def no_words(_words: Sequence[str], _prefix: str, _options: argparse.Namespace) -> Iterable[str]:
    """For commands whose words cannot be completed."""
    return ()


class Subcommand(msgspec.Struct, frozen=True):
    """A command and its help.

    usage: what follows the name, a line for each form. formats: what `-o` takes; empty where the command declares its own
    `-o` or has none. reads: whether it reads a cluster; where it does not, the options for the source are accepted and
    ignored, as in kubectl. gates: whether it has `--fail-on` and `--allow-gaps`. most_words: how many words it takes.
    takes: the options of reading that mean something else here, such as `--as` of `can`, which is asked about a user and does
    not impersonate it.
    """

    name: str
    summary: str
    run: Run
    usage: tuple[str, ...] = ("[flags]",)
    section: str = "Other"
    details: str = ""
    examples: tuple[tuple[str, str], ...] = ()
    formats: tuple[str, ...] = ()
    reads: bool = True
    gates: bool = False
    most_words: int | None = None
    takes: frozenset[str] = frozenset()
    add_options: Callable[[argparse.ArgumentParser], None] = no_options
    complete: Complete = no_words
