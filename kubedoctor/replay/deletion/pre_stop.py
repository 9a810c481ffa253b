"""How long a preStop hook takes, as far as its definition tells."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.kinds.containers import LifecycleHandler
from kubedoctor.cluster.kinds.pods import Pod

DEFAULT_GRACE: Final = timedelta(seconds=30)
_AMOUNT: Final = compiled_later(r"(\d+(?:\.\d+)?)([smhd]?)")
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SHELLS: Final = ("sh", "bash", "ash", "dash", "ksh", "zsh")
_RUNS: Final = compiled_later(r"-[a-z]*c")
_NOTHING: Final = ("true", ":")
_ASKS: Final = ("test", "[", "[[", "grep", "pgrep", "false")
"""Commands whose answer decides whether what follows `&&` runs."""
_RESERVED: Final = frozenset(
    [
        "if",
        "then",
        "elif",
        "else",
        "fi",
        "while",
        "until",
        "for",
        "select",
        "do",
        "done",
        "case",
        "esac",
        "function",
        "{",
        "}",
        "!",
        "time",
        "coproc",
        "trap",
        "alias",
        "return",
        "eval",
    ]
)


def least_duration(hook: LifecycleHandler) -> timedelta | None:
    """How long it sleeps: by its `sleep`, or by the commands `sleep` of a script that runs each of its commands in turn.
    None where it does not, or where a condition, a loop, a pipe or the background decides."""
    if hook.sleep is not None:
        return timedelta(seconds=hook.sleep.seconds)
    command = list((hook.exec.command if hook.exec is not None else None) or ())
    if len(command) == 3 and _program(command[0]) in _SHELLS and _RUNS.fullmatch(command[1]):
        seconds = _of_script(command[2])
    else:
        seconds = _slept(command)
    return timedelta(seconds=seconds) if seconds else None


def _of_script(script: str) -> float | None:
    total, conditional = 0.0, False
    for before, words in _commands(script):
        program = _program(words[0])
        if before is None or program in _RESERVED or (before == "||" and program not in _NOTHING):
            return None
        conditional = conditional and before == "&&"
        if program in ("exit", "exec"):
            return None if conditional else total + (_slept(words[1:]) if program == "exec" else 0)
        total += 0 if conditional else _slept(words)
        conditional = conditional or program in _ASKS
    return total


def _commands(script: str) -> Iterator[tuple[str | None, list[str]]]:
    """Each command with the operator before it; None as operator where it is another than `;`, `&&` and `||`."""
    lexer = shlex.shlex(script, posix=True, punctuation_chars=";&|()<>`\n")
    lexer.whitespace, lexer.whitespace_split = " \t\r", True
    before, words, redirected = ";", list[str](), False
    try:
        tokens = list(lexer)
    except ValueError:  # A quote without its end.
        yield None, [script]
        return
    for token in tokens:
        if redirected:
            redirected = False  # The name of a file, or the number of a descriptor.
        elif token in (">", ">>", ">&", "<"):
            redirected = True
        elif token.strip(";\n") == "" or token in ("&&", "||"):
            if words:
                yield before, words
            before, words = (token if token in ("&&", "||") else ";"), []
        elif token.strip(";&|()<>`\n") == "":
            yield None, [token]
            return
        else:
            words.append(token)
    if words:
        yield before, words


def _program(word: str) -> str:
    return word.rpartition("/")[2]


def _slept(words: list[str]) -> float:
    """By the command `sleep` itself, with all of its amounts; 0 for any other."""
    amounts = [_AMOUNT.fullmatch(word) for word in words[1:]] if words and _program(words[0]) == "sleep" else []
    return sum(float(found[1]) * _SECONDS[found[2]] if found is not None else 0 for found in amounts)


def grace_period(pod: Pod) -> timedelta | None:
    """How long the hook and the program may take together to end; None where it was not recorded: the API server always
    sets it."""
    seconds = pod.metadata.deletion_grace_period_seconds or pod.spec.termination_grace_period_seconds
    return timedelta(seconds=seconds) if seconds is not None else None
