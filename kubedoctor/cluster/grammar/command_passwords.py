"""Passwords on command lines of known programs, whose short options do not say that a secret follows: `redis-cli -a X`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from kubedoctor.cluster.grammar.patterns import compiled_later

# By the start of the program's name: its options that a password follows, after a space or none.
_OPTIONS = {
    "redis-cli": ("-a",),
    "valkey-cli": ("-a",),
    "mongo": ("-p",),
    "sshpass": ("-p",),
    "sqlcmd": ("-P",),
    "ldap": ("-w",),
    "docker login": ("-p",),
    "podman login": ("-p",),
    "helm registry login": ("-p",),
    "openssl": ("-passin pass:", "-passout pass:", "-pass pass:"),
}
_GLUED = ("mysql", "mariadb")
"""`-pX` only: after `-p` and a space follows the name of a database."""
_PROGRAMS = (*_GLUED, *(name.split()[0] for name in _OPTIONS))
_SIGN = compiled_later(r"redis-cli|valkey-cli|mongo|sshpass|sqlcmd|ldap|login|openssl|mysql|mariadb|curl")
_VALUE = r"(?:\"[^\"]*\"|'[^']*'|[^\s\"'|;&<>)]+)"
# The distance is bounded, so that the time stays linear.
_BETWEEN = r"[^\n|;&]{0,300}?\s"


def without_passwords(text: str, mark: str) -> str:
    """The text with `mark` for the passwords of the command lines in it."""
    if " -" not in text or not _SIGN.search(text):
        return text
    for pattern in _patterns():
        text = pattern.sub(rf"\g<1>{mark}", text)
    return text


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    spaced = [
        rf"(\b{program.replace(' ', _words())}[\w.-]*{_BETWEEN}(?:{'|'.join(options)})[ \t]*=?){_VALUE}"
        for program, options in _OPTIONS.items()
    ]
    glued = rf"(\b(?:{'|'.join(_GLUED)})[\w.-]*{_BETWEEN}-p)(?![\s=]){_VALUE}"
    cookie = rf"(\bcurl\b{_BETWEEN}(?:-b|--cookie)[ \t]*[=]?)(?=[\"']?[\w-]+=){_VALUE}"
    return tuple(re.compile(pattern) for pattern in (*spaced, glued, cookie))


def _words() -> str:
    return r"\b[^\n|;&]{0,100}?\b"


def password_places(arguments: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The arguments of a command line that hold passwords: the index, and how many characters before it stay."""
    program = arguments[0].rpartition("/")[2]
    if not program.startswith(_PROGRAMS):
        return
    options = _options_of(program, arguments)
    glued = program.startswith(_GLUED)
    for index, argument in enumerate(arguments[1:], 1):
        before = arguments[index - 1]
        if glued and argument.startswith("-p") and argument[2:3] not in ("", "="):
            yield index, 2
        for option in options:
            if argument.startswith(option) and argument != option:
                yield index, len(option)
            elif before == option.split()[0] and f"{before} {argument}".startswith(option) and argument[0:1] != "-":
                yield index, max(0, len(option) - len(before) - 1)


def _options_of(program: str, arguments: Sequence[str]) -> tuple[str, ...]:
    for name, options in _OPTIONS.items():
        first, *others = name.split()
        if program.startswith(first) and all(word in arguments for word in others):
            return options
    return ()
