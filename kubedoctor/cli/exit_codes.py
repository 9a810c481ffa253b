"""The exit code for a pipeline."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubedoctor.answers.sheet import Conclusion
    from kubedoctor.engine.report import Report
    from kubedoctor.findings import Severity


class ExitCode(enum.IntEnum):
    """The same in every format."""

    HEALTHY = 0
    FOUND = 1
    USAGE = 2
    GAPS = 3


def exit_code(report: Report, fail_on: Severity, *, allow_gaps: bool) -> ExitCode:
    """FOUND for findings at or above `fail_on`, else GAPS if something could not be checked or explained, else HEALTHY."""
    worst = report.worst()
    if worst is not None and worst.rank <= fail_on.rank:
        return ExitCode.FOUND
    return ExitCode.HEALTHY if report.complete or allow_gaps else ExitCode.GAPS


def sheet_code(conclusion: Conclusion, *, allow_gaps: bool) -> ExitCode:
    """FOUND for trouble, GAPS where it is not known, else HEALTHY."""
    code = {"trouble": ExitCode.FOUND, "unknown": ExitCode.GAPS}.get(conclusion.value, ExitCode.HEALTHY)
    return ExitCode.HEALTHY if code is ExitCode.GAPS and allow_gaps else code
