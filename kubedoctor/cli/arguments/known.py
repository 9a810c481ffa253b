"""The commands: a module in `cli/commands/` is a command, and each question is another."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from functools import cache

from kubedoctor.cli import commands
from kubedoctor.cli.arguments.command import Subcommand
from kubedoctor.problems import PluginProblem


@cache
def built_in_names() -> tuple[str, ...]:
    """The commands other than questions, sorted; the names are read from files, nothing is imported."""
    import pkgutil  # kinds are known without it

    return tuple(sorted(info.name.replace("_", "-") for info in pkgutil.iter_modules(commands.__path__)))


def command_names() -> tuple[str, ...]:
    """Every command, questions included, sorted."""
    from kubedoctor.engine.questions import question_modules  # slow, and not needed for built-in commands

    return tuple(sorted({*built_in_names(), *question_modules()}))


@cache
def load_command(name: str) -> Subcommand | None:
    """The command of that name; None where there is none. Raises PluginProblem for a question that cannot be used."""
    if name in built_in_names():
        module = importlib.import_module(f"{commands.__name__}.{name.replace('-', '_')}")
        command: Subcommand = module.COMMAND
        return command
    from kubedoctor.engine.questions import load_question

    question = load_question(name)
    if question is None:
        return None
    from kubedoctor.cli.asking import command_of

    return command_of(question)


def every_command() -> Iterator[Subcommand]:
    """All commands, sorted by name; questions that cannot be used are left out."""
    for name in command_names():
        try:
            command = load_command(name)
        except PluginProblem:
            continue
        if command is not None:
            yield command
