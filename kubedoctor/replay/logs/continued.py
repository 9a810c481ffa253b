"""What a line of a log leaves to the lines below it: `Missing environment variables:`, then a name on each line; an error of
which no line alone says it; a trace in which another exception names the server."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.replay.logs import traces
from kubedoctor.replay.logs.families.known import known_fault
from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.levels import Level
from kubedoctor.replay.logs.log_lines import parse_line
from kubedoctor.replay.logs.subjects import address, host

LINES_BELOW: Final = 3
_NAME: Final = compiled_later(r"^[-*•·>❌✗\s]*[\"'`$]?(?P<subject>[A-Z][A-Z0-9_]{2,})[\"'`]?\s*(?:[:=(,]|-\s|is\b|$)")
_FIELD: Final = compiled_later(r"^(?P<subject>[A-Za-z_][\w.]*)$")
"""Of pydantic: the field stands by itself, what is wrong with it on the line below."""
_REQUIRED: Final = compiled_later(r"^\s+field required\b", re.IGNORECASE)


def subject_below(fault: LogFault, below: Sequence[str]) -> str:
    """The name on one of the lines below; empty where none is there."""
    if fault is not LogFault.MISSING_VARIABLE:
        return ""
    for number, line in enumerate(below[:LINES_BELOW]):
        match = _NAME.search(line)
        if match is None and len(below) > number + 1 and _REQUIRED.search(below[number + 1]):
            match = _FIELD.search(line)
        if match is not None:
            return str(match["subject"])
        if line.strip() and not line[0].isspace() and line.strip(" -=*"):
            return ""
    return ""


_GOES_ON: Final = compiled_later(
    r"^(?:[a-z(]|(?:It|This|That|These|They|Is|Its|Expected|Found|Got|But|Because)\b"
    r"|(?:\s+|\w+: )?(?:[Dd]etails?|DETAIL|[Rr]eason|[Cc]aused? by|[Ee]xpected|[Ff]ound|[Gg]ot)\b[: ]"
    r"|\s+(?![\w$]+: |[\[{(<'\"])\S)"
)
"""No property of a printed object."""


def goes_on(text: str) -> bool:
    """Whether a line without time and level belongs to the line above it: words that continue a sentence, or white space
    in front, show it; a wrapper of the program may write plain lines too."""
    return _GOES_ON.match(text) is not None


LONGEST: Final = 10
_API_ERROR: Final = "Error making API request."
"""Of the client of Vault and OpenBao (`api/response.go`): the address, the code and the errors follow, a line each."""
_LIST_OF_ERRORS: Final = compiled_later(r"\b(?:following error\(s\)|error\(s\) decoding|errors? occurred):\s*$")
"""Of mapstructure and of HashiCorp's multierror: the errors follow, each on a line, after an empty one."""
_BARS: Final = compiled_later(r"^[\s|]*")


def block_lines(lines: Sequence[str], index: int) -> int:
    """How many lines from `index` on are one error; 0 where none begins there."""
    if _LIST_OF_ERRORS.search(lines[index]):
        return _listed_lines(lines, index)
    if not lines[index].rstrip().endswith(_API_ERROR):
        return 0
    last = 0
    for offset in range(1, min(LONGEST, len(lines) - index)):
        bare = _BARS.sub("", lines[index + offset]).rstrip()
        if bare.startswith(("URL: ", "Code: ", "Namespace: ", "* ", "Raw Message:")):
            last = offset
        elif bare:
            break
    return last + 1 if last else 0


def _listed_lines(lines: Sequence[str], index: int) -> int:
    """The errors end with an empty line, or where a line begins another record."""
    last = 0
    for offset in range(1, min(LONGEST, len(lines) - index)):
        text = lines[index + offset]
        if text.strip():
            line = parse_line(text)
            if line.time or line.structured or _LIST_OF_ERRORS.search(text):
                break
            last = offset
        elif last:
            break
    return last + 1 if last else 0


def listed_lines(lines: Sequence[str], index: int) -> tuple[int, ...]:
    """Where the errors of the list stand that begins at `index`; none where none begins."""
    count = _listed_lines(lines, index) if _LIST_OF_ERRORS.search(lines[index]) else 0
    return tuple(place for place in range(index + 1, index + count) if lines[place].strip())


def listed_errors(lines: Sequence[str], index: int) -> str:
    """The errors of the list that begins at `index`, without its heading; empty where none begins."""
    return "; ".join(lines[place].strip().removeprefix("* ") for place in listed_lines(lines, index))


def whole_message(lines: Sequence[str], index: int) -> str:
    """What the error says that begins at `index`; empty where none does."""
    count = block_lines(lines, index)
    parts = (_BARS.sub("", line).strip() for line in lines[index : index + count])
    return " ".join(part for part in parts if part)


_BETWEEN: Final = compiled_later(
    r"^(?:During handling of the above exception|The above exception was the direct cause|Original exception)"
)
"""What Python writes between the exceptions of one trace."""
_PLAIN_ERROR: Final = "Error: "
"""Of JavaScript: the errors of an AggregateError stand one below the other."""
_OF_A_CONNECTION: Final = frozenset(
    {
        LogFault.CONNECTION_REFUSED,
        LogFault.CONNECTION_TIMEOUT,
        LogFault.CONNECTION_RESET,
        LogFault.NAME_NOT_RESOLVED,
    }
)


def subject_of_trace(fault: LogFault, lines: Sequence[str], at: int) -> str:
    """The server that another exception of the trace names, the nearest above first, then below; empty where `at` is in no
    trace, or the fault is of no connection."""
    if fault not in _OF_A_CONNECTION or not traces.is_exception(lines[at]):
        return ""
    above = range(at - 1, max(-1, at - traces.LINES_OF_A_TRACE), -1)
    below = range(at + 1, min(len(lines), at + traces.LINES_OF_A_TRACE))
    named = (_named(fault, text) for places in (above, below) for text in _exceptions(lines, places))
    return next(filter(None, named), "")


_TO_A_HOST: Final = compiled_later(
    r"\b(?:to|from|with|at|by|of|for|host) [\"'`]?(?P<host>(?:[a-z0-9-]+\.)+[a-z]{2,})\b(?![\w.(:/-])"
)
_NAMES_OF_FILES: Final = (
    ".js",
    ".py",
    ".rb",
    ".go",
    ".cs",
    ".ts",
    ".php",
    ".json",
    ".yaml",
    ".xml",
    ".csv",
    ".pem",
    ".log",
)


def host_of_record(fault: LogFault, lines: Sequence[str], at: int) -> str:
    """The host that another line of the record names whose certificate is not accepted, the nearest above first; empty where
    none does."""
    if fault is not LogFault.TLS or parse_line(lines[at]).time:
        return ""
    for place in range(at - 1, max(-1, at - traces.LINES_OF_A_TRACE), -1):
        text = lines[place]
        line = parse_line(text)
        if not traces.is_frame(text):
            match = _TO_A_HOST.search(line.message)
            named = match["host"] if match is not None else host(line.message)
            if named and not named.endswith(_NAMES_OF_FILES):
                return named
        if line.time:
            break
    return ""


def _exceptions(lines: Sequence[str], places: range) -> Iterator[str]:
    """The lines of a trace that may name something: its exceptions, and above them the record that they belong to."""
    for place in places:
        text = lines[place]
        if traces.is_exception(text) or text.lstrip().startswith(_PLAIN_ERROR):
            yield text
        elif text.strip() and not (text[0].isspace() or traces.is_frame(text) or _BETWEEN.search(text)):
            if places.step < 0 and parse_line(text).level >= Level.ERROR:
                yield text
            return


def _named(fault: LogFault, text: str) -> str:
    message = parse_line(text).message
    known = known_fault(message)
    if known is not None and known.fault is fault and known.subject:
        return known.subject
    return address(message)
