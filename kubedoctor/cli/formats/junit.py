"""The report as JUnit XML, which every CI server shows: a test case for each incident, and one for what could be checked.

A case fails where its incident gives exit code 1, and has an error where something gives exit code 3, so that a report
without either is the report of exit code 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from kubedoctor.cli.clusters import ClusterOutcome
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
    file: str = ""
    line: int = 0


class _Suite(msgspec.Struct, frozen=True):
    """The cases about one cluster. moment: empty where it is not known."""

    name: str
    cases: tuple[_Case, ...]
    moment: str = ""
    properties: tuple[tuple[str, str], ...] = ()


def to_junit(report: Report, fail_on: str = "warning", *, allow_gaps: bool = False) -> str:
    """One document; the same report gives the same bytes. fail_on: the value of a severity."""
    return _document([_suite(report, fail_on, allow_gaps=allow_gaps)])


def clusters_to_junit(outcomes: Sequence[ClusterOutcome], fail_on: str = "warning", *, allow_gaps: bool = False) -> str:
    """A suite for each cluster; one that could not be read has an error, whatever gaps are allowed."""
    suites = []
    for outcome in outcomes:
        context = outcome.context
        if outcome.report is not None:
            suite = _suite(outcome.report, fail_on, allow_gaps=allow_gaps)
            cases = tuple(msgspec.structs.replace(case, group=f"{context}: {case.group}") for case in suite.cases)
            suites.append(msgspec.structs.replace(suite, name=f"{context}: {suite.name}", cases=cases))
        else:
            text = f"{outcome.what}\n{outcome.hint}".rstrip()
            case = _Case(
                f"{context}: kubedoctor.report", "the cluster is read", "error", "not read", outcome.what, text
            )
            suites.append(_Suite(f"{context}: not read", (case,)))
    return _document(suites)


def _suite(report: Report, fail_on: str, *, allow_gaps: bool) -> _Suite:
    lowest = Severity(fail_on)
    cases = [*_incidents(report, lowest), *_suppressed(report, lowest), *_open(report), _checked(report)]
    if allow_gaps:
        cases = [msgspec.structs.replace(case, outcome="") if case.outcome == "error" else case for case in cases]
    moment = "" if report.taken_at == UNKNOWN_TIME else f"{report.taken_at:%Y-%m-%dT%H:%M:%S}"
    return _Suite(verdict_line(report), tuple(cases), moment, tuple(_properties(report)))


def _document(suites: Sequence[_Suite]) -> str:
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="kubedoctor" {_counts([case for suite in suites for case in suite.cases])}>',
        *(line for suite in suites for line in _drawn_suite(suite)),
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _counts(cases: Sequence[_Case]) -> str:
    numbers = {
        outcome: sum(1 for case in cases if case.outcome == outcome) for outcome in ("failure", "error", "skipped")
    }
    return (
        f'tests="{len(cases)}" failures="{numbers["failure"]}" errors="{numbers["error"]}" '
        f'skipped="{numbers["skipped"]}" time="0"'
    )


def _drawn_suite(suite: _Suite) -> Iterator[str]:
    moment = f' timestamp="{suite.moment}"' if suite.moment else ""
    yield f'  <testsuite name="{_quoted(suite.name)}" {_counts(suite.cases)}{moment}>'
    if suite.properties:
        yield "    <properties>"
        yield from (f'      <property name="{name}" value="{_quoted(value)}"/>' for name, value in suite.properties)
        yield "    </properties>"
    yield from (line for case in suite.cases for line in _drawn(case))
    yield "  </testsuite>"


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
        aspect = f", {cause.aspect.removeprefix('@')}" if _has_double(incident, report) and cause.aspect else ""
        yield _Case(
            group=f"kubedoctor.{cause.diagnostic.replace('/', '.')}",
            name=f"{cause.about.title} ({cause.code}{aspect})",
            outcome="failure" if fails else "",
            type=cause.code,
            message=cause.summary if cause.place is None else f"{cause.place}: {cause.summary}",
            text=incident_text(report, incident),
            file=cause.place.file if cause.place is not None else "",
            line=cause.place.line if cause.place is not None else 0,
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
    if case.file:
        head += f' file="{_quoted(case.file)}" line="{case.line}"'
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
