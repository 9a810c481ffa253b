"""A comparison as data: the contract `kubedoctor.dev/diff/v1` (see diff.schema.json)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from kubedoctor.cli.formats.document import finding_data, moment, ref_data, source_data
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.engine.over_time import CauseComparison, ComparedCause, ComparedTrouble
from kubedoctor.engine.report import Report, ReportedFinding

SCHEMA: Final = "kubedoctor.dev/diff/v1"


def diff_data(found: CauseComparison) -> dict[str, Any]:
    """The document as plain data: lists in the order of the reports, worst first."""
    return {
        "schema": SCHEMA,
        "before": _report(found.before),
        "after": _report(found.after),
        "new": [_new(cause) for cause in found.new],
        "gone": [_gone(cause) for cause in found.gone],
        "still": [_still(cause) for cause in found.still],
        "unexplained": {"new": _open(found.open_new), "gone": _open(found.open_gone)},
        "complete": found.complete,
    }


def _report(report: Report) -> dict[str, Any]:
    return {
        "taken_at": moment(report.taken_at),
        "source": source_data(report.source),
        "namespaces": list(report.namespaces),
        "incidents": len(report.incidents),
        "suppressed": len(report.suppressed),
    }


def _new(cause: ComparedCause) -> dict[str, Any]:
    unsure = {"unsure": cause.unsure} if cause.unsure else {}
    return {
        "severity": cause.severity.value,
        "finding": finding_data(cause.finding),
        "impact": _refs(cause.impact_after),
        **unsure,
    }


def _gone(cause: ComparedCause) -> dict[str, Any]:
    unsure = {"unsure": cause.unsure} if cause.unsure else {}
    return {
        "severity": cause.severity.value,
        **_brief(cause.finding),
        "impact": _refs(cause.impact_before),
        "deleted": cause.deleted,
        **unsure,
    }


def _still(cause: ComparedCause) -> dict[str, Any]:
    before, after = cause.severity_before, cause.severity_after
    return {
        **_brief(cause.finding),
        "severity": {"before": before.value if before else None, "after": after.value if after else None},
        "impact": {"before": _refs(cause.impact_before), "after": _refs(cause.impact_after)},
        "because": {
            "before": _brief(cause.because_before) if cause.because_before else None,
            "after": _brief(cause.because_after) if cause.because_after else None,
        },
    }


def _brief(finding: ReportedFinding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "code": finding.code,
        "diagnostic": finding.diagnostic,
        "about": ref_data(finding.about),
        "summary": finding.summary,
    }


def _refs(names: Iterable[Ref]) -> list[dict[str, str | None]]:
    return [ref_data(name) for name in sorted(names)]


def _open(troubles: Iterable[ComparedTrouble]) -> list[dict[str, Any]]:
    return [
        {
            "about": ref_data(trouble.entry.about),
            "says": trouble.entry.says,
            **({"unsure": trouble.unsure} if trouble.unsure else {}),
        }
        for trouble in troubles
    ]
