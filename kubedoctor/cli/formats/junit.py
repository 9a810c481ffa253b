"""The report as JUnit XML, which every CI server shows: a test case for each incident, and one for what could be checked.

A case fails where its incident gives exit code 1, and has an error where something gives exit code 3, so that a report
without either is the report of exit code 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from kubedoctor.cli.formats.text import incident_text
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.cluster.seen.snapshot import UNKNOWN_TIME
from kubedoctor.engine.report import Incident, Report
from kubedoctor.engine.words import NOT_READY, suppressed_lines, suppression_line, verdict_line
from kubedoctor.findings import Severity

_IN_XML: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\t": "&#9;"}
_SPECIAL: Final = re.compile('[&<>"\n\t]')
_NEVER_IN_XML: Final = re.compile("[\ufffe\uffff]")


class _Case(msgspec.Struct, frozen=True):
    """outcome: failure, error, skipped; empty where it passes. text: in full, of what passes too."""

    group: str
    name: str
    outcome: str = ""
    type: str = ""
    message: str = ""
    text: str = ""


def to_junit(report: Report, fail_on: str = "warning", *, allow_gaps: bool = False) -> str:
    """One document; the same report gives the same bytes. fail_on: the value of a severity."""
    lowest = Severity(fail_on)
    cases = [*_incidents(report, lowest), *_suppressed(report, lowest), *_open(report), _checked(report)]
    if allow_gaps:
        cases = [msgspec.structs.replace(case, outcome="") if case.outcome == "error" else case for case in cases]
    numbers = {
        outcome: sum(1 for case in cases if case.outcome == outcome) for outcome in ("failure", "error", "skipped")
    }
    counts = (
        f'tests="{len(cases)}" failures="{numbers["failure"]}" errors="{numbers["error"]}" '
        f'skipped="{numbers["skipped"]}" time="0"'
    )
    moment = "" if report.taken_at == UNKNOWN_TIME else f' timestamp="{report.taken_at:%Y-%m-%dT%H:%M:%S}"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="kubedoctor" {counts}>',
        f'  <testsuite name="{_quoted(verdict_line(report))}" {counts}{moment}>',
        "    <properties>",
        *(f'      <property name="{name}" value="{_quoted(value)}"/>' for name, value in _properties(report)),
        "    </properties>",
        *(line for case in cases for line in _drawn(case)),
        "  </testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _properties(report: Report) -> Iterator[tuple[str, str]]:
    yield "source", report.source.name
    if report.source.kubernetes:
        yield "kubernetes", report.source.kubernetes
    yield "diagnostics", str(report.diagnostics_run)
    yield "objects", str(report.objects_seen)
    yield "suppressed", str(len(report.suppressed))


def _incidents(report: Report, fail_on: Severity) -> Iterator[_Case]:
    for incident in report.incidents:
        cause = report.finding(incident.cause)
        fails = report.severity_of(incident).rank <= fail_on.rank
        aspect = f", {cause.aspect}" if _has_double(incident, report) and cause.aspect else ""
        yield _Case(
            group=f"kubedoctor.{cause.diagnostic.replace('/', '.')}",
            name=f"{cause.about.title} ({cause.code}{aspect})",
            outcome="failure" if fails else "",
            type=cause.code,
            message=cause.summary,
            text=incident_text(report, incident),
        )


def _has_double(incident: Incident, report: Report) -> bool:
    cause = report.finding(incident.cause)
    causes = (report.finding(other.cause) for other in report.incidents)
    return sum(1 for other in causes if (other.code, other.about) == (cause.code, cause.about)) > 1


def _suppressed(report: Report, fail_on: Severity) -> Iterator[_Case]:
    shown = {finding.id for finding in report.findings}
    for one in report.suppressed:
        if (finding := one.finding).id not in shown:
            yield _Case(
                group=f"kubedoctor.{finding.diagnostic.replace('/', '.')}",
                name=f"{finding.about.title} ({finding.code})",
                outcome="skipped",
                message=f"suppressed {suppression_line(report, finding.id)}",
                text=finding.summary,
            )
    if report.unheeded:
        yield _Case(
            group="kubedoctor.report",
            name="suppressions are in force",
            outcome="failure" if Severity.NOTICE.rank <= fail_on.rank else "",
            type="not suppressed",
            message=report.unheeded[0],
            text="\n".join(line for line in suppressed_lines(report) if "not suppressed" in line),
        )


def _open(report: Report) -> Iterator[_Case]:
    for type_, entries in (("not explained", report.unexplained), (NOT_READY, report.not_ready)):
        for entry in entries:
            text = "\n".join(visible(message) for message in (entry.says, *entry.messages))
            yield _Case("kubedoctor.report", f"{entry.about.title} is explained", "error", type_, entry.says, text)


def _checked(report: Report) -> _Case:
    gaps = sorted(
        {
            *(f"{entry.diagnostic}: {entry.why}" if entry.diagnostic else entry.why for entry in report.not_checked),
            *report.problems,
            *(f"{finding.diagnostic}: {gap}" for finding in report.findings for gap in finding.gaps),
        }
    )
    group, name = "kubedoctor.report", "everything could be checked"
    if not gaps:
        return _Case(group, name)
    return _Case(group, name, "error", "not checked", gaps[0], "\n".join(map(visible, gaps)))


def _drawn(case: _Case) -> Iterator[str]:
    head = f'    <testcase classname="{_quoted(case.group)}" name="{_quoted(case.name)}" time="0"'
    text = _escaped(case.text)
    if not case.text:
        yield f"{head}/>"
        return
    yield f"{head}>"
    if case.outcome == "skipped":
        yield f'      <skipped message="{_quoted(case.message)}"/>'
    if case.outcome in ("failure", "error"):
        yield f'      <{case.outcome} type="{_quoted(case.type)}" message="{_quoted(case.message)}">{text}</{case.outcome}>'
    else:
        yield f"      <system-out>{text}</system-out>"
    yield "    </testcase>"


def _quoted(text: str) -> str:
    """For an attribute."""
    return _SPECIAL.sub(lambda match: _IN_XML[match[0]], _allowed(visible(text)))


def _escaped(text: str) -> str:
    """For an element, whose lines stay."""
    return re.sub("[&<>]", lambda match: _IN_XML[match[0]], _allowed(visible(text, lines=True)))


def _allowed(text: str) -> str:
    return _NEVER_IN_XML.sub("\ufffd", text)
