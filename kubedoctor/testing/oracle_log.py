"""The oracle's answers about logs of programs."""

from __future__ import annotations

from typing import Final

import msgspec

from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.reading import TOLD_TO_STOP, last_words, read_log, tidy_end
from kubedoctor.testing.asked import Answer


class _Log(msgspec.Struct):
    lines: tuple[str, ...]
    exit_code: int | None = None


_LOG: Final = msgspec.json.Decoder(_Log)


def answer_log(request: msgspec.Raw) -> Answer:
    """Which line decides; without one, whether the program ended on purpose."""
    log = _LOG.decode(request)
    cause = read_log(log.lines, log.exit_code)
    if cause is None and log.exit_code is not None and log.exit_code not in TOLD_TO_STOP:
        cause = last_words(log.lines)
    if cause is not None:
        return {"line": cause.index, "class": cause.fault.value, "subject": cause.subject}
    fault = tidy_end(log.lines, log.exit_code) or LogFault.UNKNOWN
    return {"line": None, "class": fault.value, "subject": ""}
