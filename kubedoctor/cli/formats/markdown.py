"""The report for an issue or a chat."""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cli.formats.phrases import MARKS, effect_note, verdict_line
from kubedoctor.cluster.text import visible
from kubedoctor.engine.report import Incident, Report

_SPECIAL = str.maketrans({character: f"\\{character}" for character in "\\`*_{}[]<>#|~"})


def to_markdown(report: Report) -> str:
    """Headings for incidents, tables for evidence."""
    lines = [f"# {_plain(verdict_line(report))}", ""]
    for incident in report.incidents:
        lines += _incident(report, incident)
    if report.not_checked or report.problems:
        lines += ["## Not checked", ""]
        reasons = sorted({f"{one.diagnostic + ': ' if one.diagnostic else ''}{one.why}" for one in report.not_checked})
        lines += [f"- {_plain(text)}" for text in (*reasons, *report.problems)]
        lines.append("")
    return "\n".join(lines)


def _incident(report: Report, incident: Incident) -> Iterator[str]:
    cause = report.finding(incident.cause)
    yield f"## {MARKS[report.severity_of(incident)]} {_plain(cause.about.title)}: {_plain(cause.summary)}"
    yield ""
    yield f"`{cause.code}` {cause.diagnostic} · {cause.severity.value} · {cause.confidence.value}"
    yield ""
    if cause.detail:
        yield _plain(cause.detail)
        yield ""
    yield "| object | path | value | |"
    yield "| --- | --- | --- | --- |"
    for fact in cause.evidence:
        cells = (str(fact.object), fact.path, visible(fact.text, 300), fact.shows)
        yield "| " + " | ".join(_plain(cell) for cell in cells) + " |"
    yield ""
    if incident.consequences:
        yield "Because of it:"
        yield ""
        for name in incident.consequences:
            one = report.finding(name)
            yield f"- {_plain(one.about.title)}: {_plain(one.summary)} (`{one.code}`)"
        yield ""
    for fix in cause.fixes:
        yield f"- Fix: {_plain(fix.summary)}{' (verified)' if fix.verified else ''}, {effect_note(fix.effect)}"
        if fix.command:
            yield from _code(fix.command)
    for command in cause.commands:
        yield f"- Look{': ' + _plain(command.why) if command.why else ''}"
        yield from _code(command.line)
    if cause.would_disprove:
        yield f"- Unless: {_plain(cause.would_disprove)}"
    for gap in cause.gaps:
        yield f"- Not seen: {_plain(gap)}"
    yield ""


def _plain(text: str) -> str:
    return visible(text).translate(_SPECIAL)


def _code(line: str) -> Iterator[str]:
    yield ""
    # A line of the cluster's making cannot end an indented block.
    yield f"      {visible(line)}"
    yield ""
