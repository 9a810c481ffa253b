"""The levels of log lines, and the words that programs write for them."""

from __future__ import annotations

import enum
from typing import Final


class Level(enum.IntEnum):
    """How grave a program calls a line. UNSTATED: the line has no level."""

    UNSTATED = 0
    DEBUG = 1
    INFO = 2
    WARNING = 3
    ERROR = 4
    FATAL = 5


WORDS: Final = {
    word: level
    for level, words in (
        (Level.DEBUG, "trace trc debug dbg debu verbose verb finer finest"),
        (Level.INFO, "info inf information informational notice note log hint"),
        (Level.WARNING, "warn warning wrn warnin"),
        (Level.ERROR, "error err erro eror errr fail severe crit alert"),
        (Level.FATAL, "fatal ftl fata fatl panic pani dpanic emerg emergency critical"),
    )
    for word in words.split()
}

_SYSLOG: Final = (*[Level.FATAL] * 3, Level.ERROR, Level.WARNING, Level.INFO, Level.INFO, Level.DEBUG)


def level_of(value: object) -> Level:
    """The level of a word, of a syslog severity (0-7), or of pino's and bunyan's numbers (10-60)."""
    if isinstance(value, bool):
        return Level.UNSTATED
    if isinstance(value, int | float):
        number = int(value)
        if 0 <= number < len(_SYSLOG):
            return _SYSLOG[number]
        tens = {10: Level.DEBUG, 20: Level.DEBUG, 30: Level.INFO, 40: Level.WARNING, 50: Level.ERROR, 60: Level.FATAL}
        return tens.get(number, Level.UNSTATED)
    word = str(value).strip().lower()
    return level_of(int(word)) if word.isdecimal() and len(word) <= 2 else WORDS.get(word, Level.UNSTATED)
