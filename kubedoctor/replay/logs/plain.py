"""Lines of plain text: the time, level and logger that stand before the message.

What precedes a message is a row of few kinds of tokens in every logging library: a time, a process or thread, a logger,
a level, in brackets or between separators. They are read one after another; only forms that hide the level in a letter
(klog, Redis, Ruby, capnslog) have an expression of their own.
"""

from __future__ import annotations

import re
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.replay.logs.levels import WORDS, Level, level_of
from kubedoctor.replay.logs.structured import Parts

_LETTERS: Final = {
    "I": Level.INFO, "W": Level.WARNING, "E": Level.ERROR, "F": Level.FATAL, "C": Level.FATAL, "D": Level.DEBUG,
    "N": Level.INFO, "T": Level.DEBUG, "P": Level.FATAL, "A": Level.UNSTATED, "V": Level.DEBUG,
}  # fmt: skip
_REDIS: Final = {".": Level.DEBUG, "-": Level.DEBUG, "*": Level.INFO, "#": Level.UNSTATED}
"""Redis writes `#` for warnings and for what ends it."""

_KLOG: Final = compiled_later(r"^(?P<level>[IWEF])(?P<time>\d{4} [\d:.]+)\s+\d+ (?P<logger>[\w./-]+:\d+)\] ?")
_REDIS_LINE: Final = compiled_later(r"^\d+:[MCSX] (?P<time>\d+ \w{3} (?:\d{4} )?[\d:.]+) (?P<level>[.*#-]) ")
_RUBY: Final = compiled_later(r"^(?P<level>[DIWEFA]), \[(?P<time>\S+) #\d+\]\s+[A-Z]+ -- (?P<logger>[^:]*): ?")
_CAPNSLOG: Final = compiled_later(
    r"^(?P<time>\d{4}-\d\d-\d\d [\d:.]+) (?P<level>[CEWNIDT]) \| (?:(?P<logger>[\w./-]+): )?"
)
_TORNADO: Final = compiled_later(r"^\[(?P<level>[DIWECF]) (?P<time>[\d-]+ [\d:.]+) (?P<logger>[^\]]*)\] ?")
_LOGRUS_SHORT: Final = compiled_later(r"^(?P<level>DEBU|INFO|WARN|ERRO|FATA|PANI)\[(?P<time>[^\]]*)\] ?")
_ERLANG_LETTER: Final = compiled_later(r"^(?P<time>[\d-]*T?[\d:.]+Z?) \[(?P<level>[DIWEFC])\] ")
_SINGLE_LETTERS: Final = (_KLOG, _RUBY, _CAPNSLOG, _TORNADO, _ERLANG_LETTER)

_TIME: Final = compiled_later(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?"
    r"(?:\d{1,4}[-/.](?:\d{1,2}|[A-Z][a-z]{2})[-/.]\d{1,4}|[A-Z][a-z]{2} [ \d]?\d|\d{1,2} [A-Z][a-z]{2}(?: \d{4})?)?"
    r"(?:, ?|[T :-]{1,3}|^)?\d{1,2}:\d\d:\d\d(?:[.,:]\d+)?(?: ?[AP]M\b)?"
    r"(?: ?(?:Z|[+-]\d\d:?\d\d|UTC|GMT|[A-Z]{3,4}T)\b| [+-]\d{2}\b)?(?: \d{4}\b)?"
)
_VM_WARNING: Final = compiled_later(r"^(?:OpenJDK|Java HotSpot\(TM\)|Eclipse OpenJ9)[\w ()-]* VM warning: ")
"""As a Java virtual machine complains itself."""
_NUMBER: Final = compiled_later(r"[\d#][\d.#*:]*(?:e\+\d+)?(?=[\s|\]:-]|$)|<[\d.]+>|\d{3}/\d{6}|[pt]id=\w+")
_BRACKETS: Final = compiled_later(r"\[([^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*)\]|\(([^()]*)\)")
_SEPARATOR: Final = compiled_later(r"[-|:>*=~]+|—|\s+")
_LEVEL_WORD: Final = compiled_later(r"\[?([A-Za-z]{3,13})\]?(?=[\s:\]|,!)]|\s*$)[\]:|]*")
_NAME: Final = compiled_later(r"[A-Za-z_$][\w./$@-]*(?:\[[^\]]*\])?:?(?=\s|\[|$|\w)")
_CHANNEL: Final = compiled_later(
    r"[\w-]+\.(DEBUG|INFO|NOTICE|WARNING|WARN|ERROR|CRITICAL|ALERT|EMERGENCY|FATAL)(?=[:\s])"
)
_INSIDE: Final = compiled_later(r"(?:^|[\s:|./])([A-Za-z]{3,13})(?=\s|$|:|\]|/)")
_LOGGER_AFTER: Final = compiled_later(
    r"(?:\s*(?:[-|:]+|\d+ ---|\[[^\[\]]*\]|\([\w .@$/-]*\)|<[\d.]+>|\d+#\d+:|[a-z][\w$]*(?:\.[\w$]+)+ *[:-]))*\s*"
)
_MOST_TOKENS: Final = 9
_MOST_NAMES: Final = 2


def plain_parts(text: str) -> Parts:
    """The parts of a line that is neither JSON nor logfmt."""
    if (warning := _VM_WARNING.match(text)) is not None:
        return Parts(text[warning.end() :].strip(), Level.WARNING, "")
    for expression in _SINGLE_LETTERS:
        if (match := expression.match(text)) is not None:
            return _after(text, match, _LETTERS[match["level"]])
    if (match := _REDIS_LINE.match(text)) is not None:
        rest = text[match.end() :]
        return Parts(rest, Level.WARNING if rest.startswith("WARNING") else _REDIS[match["level"]], match["time"])
    if (match := _LOGRUS_SHORT.match(text)) is not None:
        return _after(text, match, level_of(match["level"]))
    if text[:1].isspace() and text.lstrip()[:3] in ("at ", "..."):
        return Parts(text.strip())
    return _tokens(text)


def _after(text: str, match: re.Match[str], level: Level) -> Parts:
    groups = match.groupdict()
    return Parts(text[match.end() :], level, groups.get("time") or "", (groups.get("logger") or "").strip())


def _tokens(text: str) -> Parts:
    """Read the tokens before the message until one states the level."""
    position, names, time = 0, 0, ""
    match: re.Match[str] | None
    for _ in range(_MOST_TOKENS):
        if position >= len(text):
            break
        if (match := _SEPARATOR.match(text, position)) is not None:
            position = match.end()
            continue
        if (match := _TIME.match(text, position)) is not None and match.group(0).strip():
            time, position = time or match.group(0).strip(), match.end()
            continue
        if (match := _BRACKETS.match(text, position)) is not None:
            level, stamp = _inside(match[1]) if match[1] is not None else (Level.UNSTATED, "")
            time, position = time or stamp, match.end()
            if level is not Level.UNSTATED:
                return _with_logger(text, position, level, time)
            continue
        if (match := _LEVEL_WORD.match(text, position)) is not None:
            level = _stated(match[1], text, match.end(1), position)
            level = Level.UNSTATED if level is Level.DEBUG and names and not match[1].isupper() else level
            if level is not Level.UNSTATED:
                return _with_logger(text, match.end(), level, time)
        if (match := _NUMBER.match(text, position)) is not None:
            position = match.end()
            continue
        if (match := _CHANNEL.match(text, position)) is not None:
            return _with_logger(text, match.end(), level_of(match[1]), time)
        if names < _MOST_NAMES and (match := _NAME.match(text, position)) is not None:
            names, position = names + 1, match.end()
            continue
        break
    prefix = _TIME.match(text)
    return Parts(text[prefix.end() :].strip() if prefix else text.strip(), Level.UNSTATED, time)


def _stated(word: str, text: str, end: int, start: int) -> Level:
    """The level of a word that stands where a level may: in capitals, or followed by a colon, or by a tab as zap writes it."""
    level = WORDS.get(word.lower(), Level.UNSTATED)
    follows = text[end : end + 1]
    if level is Level.UNSTATED or (word.lower() in ("log", "note", "fail", "alert") and follows not in (":", "]", "|")):
        return Level.UNSTATED
    if word.isupper() or follows in ("]", "|", ":", "!", "\t"):
        return level
    return level if start == 0 and word in ("error", "warning", "info") and follows == " " else Level.UNSTATED


def _inside(text: str) -> tuple[Level, str]:
    """The level and the time that a pair of brackets holds."""
    stamp = _TIME.search(text)
    time = stamp.group(0) if stamp else ""
    for match in _INSIDE.finditer(text[:100]):
        level = WORDS.get(match[1].lower(), Level.UNSTATED)
        if level is not Level.UNSTATED and (match[1].isupper() or len(text.split()) == 1 or match.start() == 0):
            return level, time
    short = text.strip()
    letter = _LETTERS.get(short, Level.UNSTATED) if len(short) == 1 else Level.UNSTATED
    return letter, time


def _with_logger(text: str, position: int, level: Level, time: str) -> Parts:
    rest = text[position:].lstrip(" \t:-|!")
    logger = _LOGGER_AFTER.match(rest)
    end = logger.end() if logger else 0
    name = rest[:end].strip(" \t:-|[]()")
    return Parts(rest[end:].strip() or rest.strip(), level, time, name)
