"""The lines of a log with their times, and the choice among them as the kubelet makes it.

Sources: `ReadLogs` and `logWriter` of `pkg/kubelet/kuberuntime/logs/logs.go`, `ValidatePodLogOptions` of
`pkg/apis/core/validation/validation.go`, v1.37: the last lines first, of these those since a time, and of what is written
then, timestamps included, so many bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kubedoctor.sandbox.exchange import FailureStatus, Request, Stream

_OWN_TIME = re.compile(r"[^\d]{0,40}(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,6}))?")
"""The time that a program writes near the beginning of its lines."""
_BETWEEN = timedelta(seconds=1)
"""From one line without a time of its own to the next."""


@dataclass(frozen=True, slots=True)
class LoggedLine:
    """A line with its end, as far as it has one, and when the container wrote it."""

    at: datetime
    text: str

    def written(self, *, timestamps: bool) -> bytes:
        """The line as the kubelet writes it, with nine digits of the second where wanted."""
        stamp = f"{self.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{self.at.microsecond:06d}000Z " if timestamps else ""
        return f"{stamp}{self.text}".encode()


@dataclass(frozen=True, slots=True)
class LogChoice:
    """What of a log is wanted; None for no limit."""

    tail: int | None = None
    since: datetime | None = None
    most_bytes: int | None = None
    timestamps: bool = False

    def of(self, lines: list[LoggedLine]) -> bytes:
        """The text that is written of these lines."""
        chosen = lines if self.tail is None else lines[len(lines) - self.tail :] if self.tail < len(lines) else lines
        return self.cut(b"".join(line.written(timestamps=self.timestamps) for line in chosen if self.wants(line)))

    def wants(self, line: LoggedLine) -> bool:
        """Whether the line is young enough."""
        return self.since is None or line.at >= self.since

    def cut(self, text: bytes) -> bytes:
        """As many bytes as are wanted."""
        return text if self.most_bytes is None else text[: self.most_bytes]


def choice_of(request: Request, pod: str, now: datetime) -> LogChoice:
    """The options of a request. FailureStatus for those that the API server refuses."""
    problems: list[str] = []
    tail, most, seconds = (
        _number(request, "tailLines"),
        _number(request, "limitBytes"),
        _number(request, "sinceSeconds"),
    )
    text = request.query.get("sinceTime", "")
    if tail is not None and tail < 0:
        problems.append(f"tailLines: Invalid value: {tail}: must be greater than or equal to 0")
    if most is not None and most < 1:
        problems.append(f"limitBytes: Invalid value: {most}: must be greater than 0")
    if seconds is not None and text:
        problems.append(": Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified")
    elif seconds is not None and seconds < 1:
        problems.append(f"sinceSeconds: Invalid value: {seconds}: must be greater than 0")
    if problems:
        told = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        raise FailureStatus(422, "Invalid", f'PodLogOptions "{pod}" is invalid: {told}')
    since = now - timedelta(seconds=seconds) if seconds is not None else _time(text) if text else None
    return LogChoice(tail, since, most, request.flag("timestamps"))


def _number(request: Request, name: str) -> int | None:
    text = request.query.get(name, "")
    if not text:
        return None
    if not text.removeprefix("-").isdecimal():
        raise FailureStatus(400, "BadRequest", f"The query parameter {name}={text!r} is not a whole number.")
    return int(text)


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise FailureStatus(400, "BadRequest", f"The query parameter sinceTime={text!r} is not a time.") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def timed_lines(text: str, started: datetime, ended: datetime) -> list[LoggedLine]:
    """The lines of a recording, which has no times: each has the one that it states, where that is within the life of the
    container, else it follows the line before; times never go back."""
    lines: list[LoggedLine] = []
    at = started
    for number, line in enumerate(text.splitlines(keepends=True)):
        own = _own_time(line)
        if own is not None and at <= own <= ended:
            at = own
        elif number:
            at = max(at, min(at + _BETWEEN, ended))
        lines.append(LoggedLine(at, line))
    return lines


def _own_time(line: str) -> datetime | None:
    found = _OWN_TIME.match(line)
    if found is None:
        return None
    *whole, fraction = found.groups()
    year, month, day, hour, minute, second = map(int, whole)
    try:
        return datetime(year, month, day, hour, minute, second, int((fraction or "0").ljust(6, "0")), tzinfo=UTC)
    except ValueError:
        return None


class LogFollower:
    """A stream that gets the lines that come, until so many bytes were written; `spent`: those before it."""

    def __init__(self, choice: LogChoice, spent: int) -> None:
        self.stream = Stream()
        self._timestamps = choice.timestamps
        self._left = None if choice.most_bytes is None else max(0, choice.most_bytes - spent)
        if self._left == 0:
            self.stream.end()

    def write(self, lines: list[LoggedLine]) -> None:
        """Pass lines on, the last perhaps without its end."""
        text = b"".join(line.written(timestamps=self._timestamps) for line in lines)
        if self._left is not None:
            text = text[: self._left]
            self._left -= len(text)
        self.stream.write(text)
        if self._left == 0:
            self.stream.end()
