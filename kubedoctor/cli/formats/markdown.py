"""The report for an issue or a chat."""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cli.listing import Listing
from kubedoctor.cluster.grammar.text import capitalised, visible, visible_ends
from kubedoctor.engine.report import Incident, Report
from kubedoctor.engine.words import (
    CHANGED,
    EFFECTS,
    MARKS,
    NOT_READY,
    SUPPRESSED,
    by_sentence,
    changed_line,
    named,
    suppressed_lines,
    suppression_line,
    verdict_line,
)
from kubedoctor.findings import Fix

_SPECIAL = str.maketrans({character: f"\\{character}" for character in "\\`*_{}[]<>#|~"})


def to_markdown(report: Report, listing: Listing | None = None) -> str:
    """Headings for incidents, tables for evidence."""
    lines = [f"# {plain(verdict_line(report, listing.title if listing is not None else ''))}", ""]
    for incident in report.incidents:
        lines += incident_lines(report, incident)
    if report.unexplained:
        lines += ["## Not explained", ""]
        for unexplained in report.unexplained:
            lines.append(f"- {plain(unexplained.about.title)}: {plain(unexplained.says)}")
            lines += [
                f"  - {plain(fact.path)} = {plain(visible_ends(fact.text, 300))}" for fact in unexplained.evidence
            ]
        lines.append("")
    if report.not_ready:
        lines += [f"## {capitalised(NOT_READY)}", ""]
        for one in report.not_ready:
            lines.append(f"- {plain(one.about.title)}: {plain(one.says)}")
            lines += [f"  - {plain(visible(message, 300))}" for message in one.messages]
        lines.append("")
    if suppressed := list(suppressed_lines(report)):
        lines += [f"## {SUPPRESSED.capitalize()}", "", *(f"- {plain(line)}" for line in suppressed), ""]
    if report.not_checked or report.problems:
        lines += ["## Not checked", ""]
        reasons = sorted(
            {
                f"{not_checked.diagnostic + ': ' if not_checked.diagnostic else ''}{not_checked.why}"
                for not_checked in report.not_checked
            }
        )
        lines += [f"- {plain(text)}" for text in (*reasons, *report.problems)]
        lines.append("")
    return "\n".join(lines)


def incident_lines(report: Report, incident: Incident) -> Iterator[str]:
    """An incident under a heading."""
    cause = report.finding(incident.cause)
    yield f"## {MARKS[report.severity_of(incident)]} {plain(cause.about.title)}: {plain(cause.summary)}"
    yield ""
    yield f"`{cause.code}` {cause.diagnostic} · {cause.severity.value} · {cause.confidence.value}"
    yield ""
    if suppressed := suppression_line(report, cause.id):
        yield f"{SUPPRESSED.capitalize()}: {plain(suppressed)}"
        yield ""
    if cause.detail:
        yield plain(cause.detail)
        yield ""
    yield "| object | path | value | |"
    yield "| --- | --- | --- | --- |"
    for fact in cause.evidence:
        cells = (str(fact.object), fact.path, visible_ends(fact.text, 300), fact.shows)
        yield "| " + " | ".join(plain(cell) for cell in cells) + " |"
    yield ""
    if incident.alike:
        yield "The same:"
        yield ""
        for name in incident.alike:
            one = report.finding(name)
            yield f"- {plain(one.about.title)}: {plain(one.summary)}"
        yield ""
    if incident.consequences:
        yield "Impact:"
        yield ""
        for finding, titles in by_sentence(map(report.finding, incident.consequences)):
            yield f"- {plain(named(titles, len(titles)))}: {plain(finding.summary)} (`{finding.code}`)"
        yield ""
    if changed := changed_line(cause, report.taken_at):
        yield f"{CHANGED.capitalize()}: {plain(changed)}"
        yield ""
    for fix in cause.fixes:
        yield from fix_lines(fix)
    for command in cause.commands:
        yield f"- Next{': ' + plain(command.why) if command.why else ''}"
        yield from code_block(command.line)
    if cause.would_disprove:
        yield f"- Ruled out by: {plain(cause.would_disprove)}"
    for gap in cause.gaps:
        yield f"- Not checked: {plain(gap)}"
    yield ""


def fix_lines(fix: Fix) -> Iterator[str]:
    """A fix as a list item, with its command."""
    yield f"- Fix: {plain(fix.summary)}{' (verified)' if fix.verified else ''}, {EFFECTS[fix.effect]}"
    if fix.command:
        yield from code_block(fix.command)


def plain(text: str) -> str:
    """Text of the cluster without effects in Markdown or on a terminal."""
    return visible(text).translate(_SPECIAL)


def code_block(line: str) -> Iterator[str]:
    """A command below a list item."""
    yield ""
    # Text of the cluster cannot end an indented block.
    yield f"      {visible(line)}"
    yield ""
