"""The message of a crash and the place in the source that its trace names: Go, Rust, Python, Java, Node.js."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

LINES_OF_A_TRACE: Final = 40
_PLACE: Final = re.compile(r"([\w.-]+\.(?:go|rs|java|kt|scala|rb|js|mjs|cjs|ts|cs|php|c|cc|cpp)):(\d+)")
_PYTHON_PLACE: Final = re.compile(r'File "(?:[^"]*/)?([^"/]+)", line (\d+)')
_LIBRARY: Final = re.compile(
    r"/usr/(?:local/)?(?:go/src|lib)|/go/pkg/mod/|node:internal|/node_modules/|/rustc/|at java\."
)
_RUST: Final = re.compile(r"panicked at .*:\d+:\d+:$")


def crash_message(lines: Sequence[str], index: int) -> str:
    """The message of the crash whose trace begins at `index`: `panic: runtime error: index out of range (main.go:88)`."""
    trace = lines[index : index + LINES_OF_A_TRACE]
    if trace[0].lstrip().startswith("Traceback"):
        return _python(trace)
    message = trace[0].strip()
    if _RUST.search(message) and len(trace) > 1:
        message = f"{message} {trace[1].strip()}"
    own = (match for line in trace if not _LIBRARY.search(line) and (match := _PLACE.search(line)) is not None)
    place = next((f"{match[1]}:{match[2]}" for match in own), "")
    return f"{message} ({place})" if place and place not in message else message


def _python(trace: Sequence[str]) -> str:
    """Python writes the message last, below the calls."""
    end = next((at for at, line in enumerate(trace) if at and line.strip() and not line[0].isspace()), len(trace))
    message = trace[end].strip() if end < len(trace) else trace[0].strip()
    places = [match for line in trace[:end] if (match := _PYTHON_PLACE.search(line)) is not None]
    return f"{message} ({places[-1][1]}:{places[-1][2]})" if places else message
