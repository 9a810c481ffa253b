"""The report for an issue or a chat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubedoctor import __version__
from kubedoctor.cluster.grammar.text import capitalised, visible, visible_ends
from kubedoctor.engine.report import Incident, Report, ReportedFinding
from kubedoctor.engine.words import (
    CHANGED,
    CIRCLE,
    EFFECTS,
    MARK_OF_HEALED,
    MARKS,
    NOT_READY,
    SUPPRESSED,
    by_sentence,
    changed_line,
    circle_line,
    named,
    suppressed_lines,
    suppression_line,
    verdict_line,
)
from kubedoctor.findings import Effect, Fix
from kubedoctor.handbook.report.story import IncidentStory, ProofStory, ReportStory, source_line

MARKDOWN_START: Final = "<!-- generator: kubedoctor "
"""What every page begins with; a comment, which is not shown."""
_SPECIAL = str.maketrans({character: f"\\{character}" for character in "\\`*_{}[]<>#|~"})


def report_markdown(report: Report, matched: str = "") -> str:
    """Headings for incidents, tables for evidence. matched: what was asked for, where it is a list."""
    lines = [f"# {plain(verdict_line(report, matched))}", ""]
    for incident in report.incidents:
        lines += incident_lines(report, incident)
    return "\n".join([*lines, *_rest(report)])


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
    yield from _facts(cause)
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
    if circle := circle_line(report, incident):
        yield f"{CIRCLE.capitalize()}: {plain(circle)}"
        yield ""
    if changed := changed_line(cause, report.taken_at):
        yield f"{CHANGED.capitalize()}: {plain(changed)}"
        yield ""
    for fix in cause.fixes:
        yield from fix_lines(fix)
    for command in cause.commands:
        effect = "" if command.effect is Effect.READS else EFFECTS[command.effect]
        note = ", ".join(filter(None, (plain(command.why), effect)))
        yield f"- Next{': ' + note if note else ''}"
        yield from code_block(command.line)
    if cause.would_disprove:
        yield f"- Ruled out by: {plain(cause.would_disprove)}"
    for gap in cause.gaps:
        yield f"- Not checked: {plain(gap)}"
    yield ""


def _facts(cause: ReportedFinding) -> Iterator[str]:
    yield "| object | path | value | |"
    yield "| --- | --- | --- | --- |"
    for fact in cause.evidence:
        cells = (str(fact.object), fact.path, visible_ends(fact.text, 300), fact.shows)
        yield "| " + " | ".join(plain(cell) for cell in cells) + " |"
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


def _rest(report: Report) -> list[str]:
    """What is not an incident."""
    lines: list[str] = []
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
    return lines


def story_markdown(story: ReportStory, matched: str = "") -> str:
    """The report as a page that is kept: with its source, how each incident spread, and its timeline."""
    report = story.report
    lines = [f"{MARKDOWN_START}{__version__} -->", ""]
    lines += [f"# {plain(verdict_line(report, matched))}", "", plain(source_line(report)), ""]
    for one in story.incidents:
        lines += incident_lines(report, one.incident)
        lines += _spread(one)
        lines += _timeline(one)
    for proof in story.proofs:
        lines += _proof(proof, report)
    lines += _rest(report)
    lines += [f"*kubedoctor {__version__}*", ""]
    return "\n".join(lines)


def _proof(proof: ProofStory, report: Report) -> Iterator[str]:
    """What became of an incident whose cause was changed."""
    healing, cause = proof.healing, proof.healing.cause
    yield f"## {MARK_OF_HEALED if healing.is_healed else MARKS[cause.severity]} {plain(cause.about.title)}: {plain(healing.words)}"
    yield ""
    yield f"It was: {plain(cause.summary)} (`{cause.code}`)"
    yield ""
    if healing.fix:
        yield f"- Fix: {plain(healing.fix)}"
    if healing.applied_at is not None:
        yield f"- The change was seen at {healing.applied_at:%Y-%m-%d %H:%M:%S} UTC"
    if changed := changed_line(cause, report.taken_at):
        yield f"- What had changed: {plain(changed)}"
    yield ""
    yield from _facts(cause)
    yield from _timeline(proof.story)


def _spread(one: IncidentStory) -> Iterator[str]:
    """The tree of what follows, as nested items."""
    if not any(root.below for root in one.roots):
        return
    yield "How it spread:"
    yield ""
    for root in one.roots:
        for node in root:
            titles = [name.title for name in node.names]
            indent = "  " * node.depth
            yield f"{indent}- {plain(named(titles, 12))}: {plain(node.finding.summary)} (`{node.finding.code}`)"
    yield ""


def _timeline(one: IncidentStory) -> Iterator[str]:
    if not one.timeline:
        return
    yield "Timeline, UTC:"
    yield ""
    yield "| time | object | what |"
    yield "| --- | --- | --- |"
    began = False
    for entry in one.timeline:
        if one.since is not None and not began and entry.at >= one.since:
            began = True
            yield f"| {one.since:%Y-%m-%d %H:%M:%S} | | **it began** |"
        mark = "✗ " if entry.bad else "◆ " if entry.change else ""
        yield f"| {entry.at:%Y-%m-%d %H:%M:%S} | {plain(named([name.title for name in entry.names], 2))} | {mark}{plain(entry.text)} |"
    yield ""
