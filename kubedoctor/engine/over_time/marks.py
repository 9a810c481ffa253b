"""The moments at which incidents began and ended, from one examination to the next."""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster.history.ring import IncidentMark
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.engine.report import Report, ReportedFinding
from kubedoctor.findings.model import Severity

Cause = tuple[str, Ref]


def marks_between(before: Report, after: Report) -> tuple[IncidentMark, ...]:
    """What began and what ended, as of the later examination of the same objects; an incident begins when its fault did,
    where that is known to be after the earlier one. Notices are no incidents here."""
    return tuple(_marks(_causes(before), _causes(after), before, after))


def _marks(
    old: dict[Cause, ReportedFinding], new: dict[Cause, ReportedFinding], before: Report, after: Report
) -> Iterator[IncidentMark]:
    for cause, finding in old.items():
        if cause not in new:
            yield IncidentMark(after.taken_at, False, finding.code, finding.about, finding.summary)
    for cause, finding in new.items():
        if cause not in old:
            since = finding.since.at if finding.since is not None else after.taken_at
            at = since if before.taken_at < since <= after.taken_at else after.taken_at
            yield IncidentMark(at, True, finding.code, finding.about, finding.summary)


def _causes(report: Report) -> dict[Cause, ReportedFinding]:
    loud = [incident for incident in report.incidents if report.severity_of(incident) is not Severity.NOTICE]
    findings = [report.finding(incident.cause) for incident in loud]
    return {(finding.code, finding.about): finding for finding in findings}
