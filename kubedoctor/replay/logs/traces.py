"""Traces of calls: which lines are frames, which state an exception, and where the program's own code stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.replay.logs.levels import Level

LINES_OF_A_TRACE: Final = 40

_FRAME: Final = compiled_later(
    r"""^\s*(?:!\s*)?at\s+\S.*(?:\(|:\d+|/|\)$|Native\ Method)   # Java, Node.js, .NET
      | ^\s*(?:!\s*)?\.\.\.\ \d+\ (?:more|common\ frames|lines)
      | ^\s+File\ ".*",\ line\ \d+                            # Python
      | ^\s*(?:Traceback\ \(most\ recent\ call\ last\)|Stack\ ?trace:|stack\ backtrace:|Require\ stack:|Call\ stack:|Backtrace:)
      | ^\s*goroutine\ \d+\ \[|^created\ by\ \S+|^\[signal\ |^runtime\ stack:
      | ^\s+\S+\.go:\d+|^[\w./*()$-]+\.[\w*()\[\].{}$-]+\(.*\)$   # Go
      | ^\s*\S+\.rb:\d+:in\ [`'][^']*'$|^\s+from\ \S+:\d+:in\ |^\s*from\ /
      | ^\s*\#\d+\s+(?:/|\{main\}|\[internal|\S+\(|0x|\S+\ in\ )|^\s+thrown\ in\    # PHP, gdb
      | ^\s*\d+:\s+(?:0x[0-9a-f]+|[\w<>:]+::|\S+\.go:\d+:|StubFrame|ExitFrame|arguments\ adaptor)
      | ^\s+at\ \S+\.(?:rs|c|cc|cpp|h):\d+
      | ^\s+\((?:elixir|stdlib|kernel|ecto|phoenix|\w+\ \d)[^)]*\)\ |^\s+/\S+\.exs?:\d+:
      | ^\s*\^+\s*$|^\s*throw\s+\w+;|^(?:node:)?(?:internal/|events|fs|net|dns|buffer|child_process|domain)\S*(?:\.js)?:\d+
      | ^\S+\.(?:js|mjs|cjs|ts):\d+$
      | ^\s+(?:code|errno|syscall|address|port|hostname|path|requireStack|name|type|stack|fatal|sqlState|sqlMessage|sql|
             reason|severity|routine|file|line|length|hint|position|where|schema|table|internalPosition|internalQuery|beforeHandshake|
             cause|errorLabelSet|config|request|response|parent|original|parameters|data|dest|url|digest|clientVersion|meta|
             "type"|"stack"|"code"|"errno"|"syscall"|"address"|"port")\s*:\s
      | ^\s*(?:err|error|cause)?:?\s*[\[\]{}()],?\s*$|^\s*\}\s*[\],;)]*$
      | ^---\s*End\ of|^\s+---\ End\ of\ inner
      | ^=+\s*JS\ stack|^<---|^-+\ Native\ stack|^-{3,}|^\*{3,}$|^Security\ context:|^\[\d+:0x[0-9a-f]+\]
      | ^\t+panic:\ |^-\ /\S+\.\w+$
      | ^\s*\[\{?[a-z_]+,[a-z_]+,\d+|^\s*\{(?:line|file),
    """,
    re.VERBOSE,
)
_PROPERTY: Final = compiled_later(r"^\s+(?:[\w$]+|'[^']*'|\[[^\]]*\]): ")
_DOTTED: Final = r"(?:[A-Za-z_$][\w$]*[.:\\]+)*[A-Z]\w*"
_EXCEPTION: Final = compiled_later(
    rf"^\s*(?:!\s*)?(?:Caused by:|Causing:|--->|Exception in thread|Uncaught|Unhandled exception|Process terminated\.|FailFast:|Suppressed:|Next |Wrapped by:|"
    rf"\*\* \({_DOTTED}\)|thread '.*' panicked|panic: |fatal error: |PHP (?:Fatal|Parse) error|Fatal error: |"
    rf"Exception \(|{{ ?\w*Error: |{_DOTTED}(?:Exception|Error|Failure|Fault|Errno::\w+|Interrupt|Warning)\b(?: \([\w. ]+\))?(?: \[[\w-]+\])?(?::|$| \())"
)
_UNCAUGHT: Final = (
    "Exception in thread ",
    "Uncaught ",
    "Unhandled exception",
    "Process terminated. ",
    "FailFast:",
    "panic: ",
    "fatal error: ",
    "PHP Fatal error",
)
_PLACE: Final = compiled_later(r"([\w.-]+\.(?:go|rs|java|kt|scala|rb|js|mjs|cjs|ts|cs|php|c|cc|cpp)):(?:line )?(\d+)")
_PYTHON_PLACE: Final = compiled_later(r'File "(?:[^"]*/)?([^"/]+)", line (\d+)')
_LIBRARY: Final = compiled_later(
    r"/usr/(?:local/)?(?:go/src|lib)|/go/pkg/mod/|/vendor/|node:internal|internal/|/node_modules/|/rustc/|site-packages|dist-packages|/gems/|"
    r"\bat (?:java|javax|jdk|sun|scala|kotlin|org\.(?:springframework|apache|hibernate|eclipse)|com\.(?:zaxxer|mysql|fasterxml))\.|"
    r"\bat (?:System|Microsoft)\."
)
_RUST: Final = compiled_later(r"panicked at .*:\d+:\d+:$")


def shows_source_next(text: str) -> bool:
    """Python writes the program's own line below the place where it stands."""
    return text[:1].isspace() and _PYTHON_PLACE.match(text.lstrip()) is not None


def is_frame(text: str) -> bool:
    """Part of a trace that states no cause: a call, a header, a property of a printed error."""
    return _FRAME.match(text) is not None


def opens_an_object(text: str) -> bool:
    """JavaScript prints the properties of an error below its trace."""
    return text.rstrip().endswith(" {") and (is_frame(text) or is_exception(text))


def is_property(text: str) -> bool:
    """A property of a printed object, whatever its name."""
    return _PROPERTY.match(text) is not None


def is_exception(text: str) -> bool:
    """States an exception, a panic or the cause of one."""
    return _EXCEPTION.match(text) is not None


def is_uncaught(text: str) -> bool:
    """States an exception that ended a thread or the program, whatever was written before it."""
    return text.startswith(_UNCAUGHT)


def level_of_exception(text: str) -> Level:
    """Go and Rust end with a panic; an exception may be caught."""
    bare = text.lstrip()
    return Level.FATAL if bare.startswith(("panic: ", "fatal error: ", "thread '")) else Level.ERROR


def names_no_message(text: str) -> bool:
    """The first line of a Rust panic: its message is on the next line."""
    return _RUST.search(text) is not None


def crash_message(lines: Sequence[str], index: int) -> str:
    """The message at `index` and the first place of the program's own code: `panic: index out of range (main.go:88)`."""
    message = lines[index].strip()
    if names_no_message(message) and index + 1 < len(lines):
        message = f"{message} {lines[index + 1].strip()}"
    if index and names_no_message(lines[index - 1]):
        message = f"{lines[index - 1].strip()} {message}"
    place = _place_before(lines, index) or _place_after(lines, index)
    return f"{message} ({place})" if place and place not in message else message


def _place_after(lines: Sequence[str], index: int) -> str:
    for line in lines[index + 1 : index + LINES_OF_A_TRACE]:
        if not _LIBRARY.search(line) and is_frame(line) and (match := _PLACE.search(line)) is not None:
            return f"{match[1]}:{match[2]}"
    return ""


def _place_before(lines: Sequence[str], index: int) -> str:
    """Python writes the calls above the message, the deepest last."""
    deepest = ""
    for line in reversed(lines[max(0, index - LINES_OF_A_TRACE) : index]):
        if (match := _PYTHON_PLACE.search(line)) is not None:
            deepest = deepest or f"{match[1]}:{match[2]}"
            if not _LIBRARY.search(line):
                return f"{match[1]}:{match[2]}"
        elif line[:1].strip():
            break
    return deepest
