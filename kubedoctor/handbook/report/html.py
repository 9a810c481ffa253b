"""A report as one HTML file: light and dark by the reader's setting, nothing loaded, no script, every text escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from html import escape
from typing import Final

from kubedoctor import __version__
from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.grammar.text import capitalised, counted, visible, visible_ends
from kubedoctor.engine.report import Report, ReportedFinding
from kubedoctor.engine.words import (
    ALIKE,
    CHANGED,
    CIRCLE,
    DELETES_DATA,
    EFFECTS,
    EVIDENCE,
    IMPACT,
    MARK_OF_HEALED,
    MARKS,
    NEXT,
    NOT_CHECKED,
    NOT_EXPLAINED,
    NOT_READY,
    RULED_OUT_BY,
    SUPPRESSED,
    by_sentence,
    changed_line,
    circle_line,
    named,
    suppressed_lines,
    suppression_line,
    verdict_line,
)
from kubedoctor.findings import Command, Effect, Fix
from kubedoctor.findings.commands import own_command
from kubedoctor.handbook.report.look import ROLE_OF, STYLE
from kubedoctor.handbook.report.picture import cause_picture, time_picture
from kubedoctor.handbook.report.story import IncidentStory, ProofStory, ReportStory, StoryEntry, source_line

GENERATOR: Final = "kubedoctor"
HTML_START: Final = re.compile(
    rb'<!doctype html>\r?\n<html lang="en">\r?\n<head>\r?\n(?:<meta [^\n]*>\r?\n){0,9}?'
    rb'<meta name="generator" content="' + GENERATOR.encode() + rb" [0-9]"
)
"""What every such page begins with: among the first elements the one that names what made it."""
_MOST_NAMES: Final = 30
_FEW_NAMES: Final = 2
_LONGEST_VALUE: Final = 1000
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def story_html(story: ReportStory, matched: str = "") -> str:
    """The whole page; the same story gives the same bytes. matched: what was asked for, where it is a list."""
    return "\n".join(_page(story, matched)) + "\n"


def _page(story: ReportStory, matched: str) -> Iterator[str]:
    report = story.report
    verdict = verdict_line(report, matched)
    yield "<!doctype html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f'<meta name="generator" content="{GENERATOR} {__version__}">'
    yield '<meta name="referrer" content="no-referrer">'
    yield f"<title>{_text(verdict)}</title>"
    yield f"<style>{STYLE}</style>"
    yield "</head>"
    yield "<body><main>"
    yield f"<h1>{_text(verdict)}</h1>"
    yield f'<p class="meta">{_text(source_line(report))}</p>'
    if story.incidents:
        yield '<ol class="contents">'
        for number, one in enumerate(story.incidents, 1):
            cause = report.finding(one.incident.cause)
            yield (
                f'<li><a href="#incident-{number}">{_mark(report, one)}{_text(cause.about.title)}: '
                f"{_text(cause.summary)}</a></li>"
            )
        yield "</ol>"
    for number, one in enumerate(story.incidents, 1):
        yield from _incident(number, one, report)
    for proof in story.proofs:
        yield from _proof(proof, report)
    yield from _rest(report)
    yield (
        f"<footer>kubedoctor {__version__}: {counted(report.diagnostics_run, 'diagnostic')} checked "
        f"{counted(report.objects_seen, 'object')}. Values of Secrets are not read.</footer>"
    )
    yield "</main></body>"
    yield "</html>"


def _incident(number: int, one: IncidentStory, report: Report) -> Iterator[str]:
    cause = report.finding(one.incident.cause)
    yield f'<section id="incident-{number}">'
    yield f"<h2>{_mark(report, one)}{_text(cause.about.title)}: {_text(cause.summary)}</h2>"
    yield (
        f'<p class="muted">{cause.severity.value} · {cause.confidence.value} · '
        f'<span class="code">{cause.code}</span> · <code>{_text(own_command("explain", cause.code))}</code></p>'
    )
    if suppressed := suppression_line(report, cause.id):
        yield f"<p>{SUPPRESSED.capitalize()} {_text(suppressed)}</p>"
    if cause.detail:
        yield from (f"<p>{_text(line)}</p>" for line in cause.detail.split("\n") if line.strip())
    if one.since is not None:
        yield f'<p><span class="muted">since</span> {_moment(one.since)} UTC ({_ago(one.since, report)})</p>'
    if changed := changed_line(cause, report.taken_at):
        yield f'<p class="change">◆ {CHANGED} {_text(changed)}</p>'
    yield from _fixes(cause)
    if picture := cause_picture(one.roots):
        yield "<h3>how it spread</h3>"
        yield f'<div class="picture">{picture}</div>'
    circle = circle_line(report, one.incident)
    yield from _list(CIRCLE, [circle] if circle else [])
    yield from _impact(one, report)
    yield from _evidence(cause)
    yield from _next(cause.commands)
    yield from _list(RULED_OUT_BY, [cause.would_disprove] if cause.would_disprove else [])
    yield from _list(NOT_CHECKED, cause.gaps)
    yield from _timeline(one)
    yield "</section>"


def _proof(proof: ProofStory, report: Report) -> Iterator[str]:
    """What became of an incident whose cause was changed."""
    healing, cause = proof.healing, proof.healing.cause
    mark, role = (MARK_OF_HEALED, "good") if healing.is_healed else (MARKS[cause.severity], ROLE_OF[cause.severity])
    yield f'<section><h2><span class="mark {role}">{mark}</span>{_text(cause.about.title)}: {_text(healing.words)}</h2>'
    yield f'<p><span class="muted">it was</span> {_text(cause.summary)} <span class="code">{cause.code}</span></p>'
    if healing.applied_at is not None:
        yield f'<p><span class="muted">the change was seen at</span> {_moment(healing.applied_at)} UTC</p>'
    if changed := changed_line(cause, report.taken_at):
        yield f'<p class="change">◆ {CHANGED} {_text(changed)}</p>'
    yield from _list("fix", [healing.fix] if healing.fix else [])
    yield from _evidence(cause)
    yield from _timeline(proof.story)
    yield "</section>"


def _fixes(cause: ReportedFinding) -> Iterator[str]:
    if not cause.fixes:
        return
    yield "<h3>fix</h3>"
    for fix in cause.fixes:
        proven = '<span class="good">✓ verified</span> ' if fix.verified else ""
        yield f'<div class="fix">{_effect(fix)}{proven}<b>{_text(fix.summary)}</b>'
        if fix.command:
            yield f"<pre>{_text(fix.command)}</pre>"
        yield "</div>"


def _effect(fix: Fix) -> str:
    words = EFFECTS[fix.effect]
    role = " data" if DELETES_DATA in words else " restarts" if fix.effect is Effect.DISRUPTS else ""
    return f'<span class="effect{role}">{words}</span>'


def _impact(one: IncidentStory, report: Report) -> Iterator[str]:
    incident = one.incident
    cause = report.finding(incident.cause)
    yield from _list(
        ALIKE,
        [
            f"{named(titles, _MOST_NAMES)}: {finding.summary}"
            for finding, titles in by_sentence(map(report.finding, incident.alike))
        ],
    )
    members = [report.finding(name) for name in incident.consequences]
    lines = [
        f"{named(titles, _MOST_NAMES)}: {finding.summary} ({finding.code})" for finding, titles in by_sentence(members)
    ]
    told = {cause.about, *(member.about for member in members)}
    others = [name.title for name in cause.affects if name not in told]
    lines += [named(others, _MOST_NAMES)] if others else []
    yield from _list(IMPACT, lines)


def _evidence(cause: ReportedFinding) -> Iterator[str]:
    yield f"<h3>{EVIDENCE}</h3>"
    yield '<table class="facts">'
    about = None
    for fact in cause.evidence:
        if fact.object != about:
            about = fact.object
            yield f'<tr><td colspan="2">{_text(about.title)}</td></tr>'
        path = _text(fact.path).replace(".", "<wbr>.").replace("[", "<wbr>[")  # a long path breaks between its fields
        note = f' <span class="muted">{_text(fact.shows)}</span>' if fact.shows else ""
        value = escape(visible_ends(fact.text, _LONGEST_VALUE))
        yield f'<tr><td class="path">{path}</td><td>{value}{note}</td></tr>'
    yield "</table>"


def _next(commands: Iterable[Command]) -> Iterator[str]:
    lines = list(commands)
    if not lines:
        return
    yield f"<h3>{NEXT}</h3>"
    for command in lines:
        notes = [command.why, "" if command.effect is Effect.READS else EFFECTS[command.effect]]
        note = ", ".join(filter(None, notes))
        yield f'<div class="fix"><span class="muted">{_text(note)}</span><pre>{_text(command.line)}</pre></div>'


def _timeline(one: IncidentStory) -> Iterator[str]:
    if not one.timeline:
        return
    moments = [entry.at for entry in one.timeline] + ([one.since] if one.since is not None else [])
    days = {at.astimezone(UTC).date() for at in moments}
    dated = len(days) > 1
    yield f"<h3>timeline, {'' if dated else f'{min(days)}, '}UTC</h3>"
    if picture := time_picture(one):
        yield f'<div class="picture">{picture}</div>'
    yield f'<table class="timeline{" dated" if dated else ""}"><tr><th>time</th><th></th><th>object</th><th>what</th></tr>'
    if one.left_out:
        left = counted(one.left_out, "entry", "entries")
        yield f'<tr><td class="muted" colspan="4">{left} farther from the beginning left out</td></tr>'
    began = False
    for entry in one.timeline:
        if one.since is not None and not began and entry.at >= one.since:
            began = True
            yield f'<tr class="onset"><td class="when">{_time(one.since, dated=dated)}</td><td colspan="3">it began</td></tr>'
        yield _entry(entry, one.since, dated=dated)
    yield "</table>"


def _entry(entry: StoryEntry, since: datetime | None, *, dated: bool) -> str:
    role = "bad" if entry.bad else "change" if entry.change else ""
    mark = "✗ " if entry.bad else '<span class="change">◆</span> ' if entry.change else ""
    distance = ""
    if since is not None:
        before = since - entry.at
        distance = f"−{human_duration(before)}" if entry.at < since else f"+{human_duration(-before)}"
    return (
        f'<tr class="{role}"><td class="when">{_time(entry.at, dated=dated)}</td>'
        f'<td class="when muted">{distance}</td>'
        f'<td class="muted">{_text(named([name.title for name in entry.names], _FEW_NAMES))}</td><td class="what">{mark}{_text(entry.text)}</td></tr>'
    )


def _rest(report: Report) -> Iterator[str]:
    open_ = [(NOT_EXPLAINED.capitalize(), report.unexplained), (capitalised(NOT_READY), report.not_ready)]
    for heading, entries in open_:
        if entries:
            yield f"<section><h2>{heading}</h2><ul>"
            for entry in entries:
                said = "".join(f'<br><span class="muted">{_text(message)}</span>' for message in entry.messages)
                yield f"<li>{_text(entry.about.title)}: {_text(entry.says)}{said}</li>"
            yield "</ul></section>"
    gaps = sorted({f"{entry.diagnostic + ': ' if entry.diagnostic else ''}{entry.why}" for entry in report.not_checked})
    for heading, lines in (
        (SUPPRESSED.capitalize(), list(suppressed_lines(report))),
        (NOT_CHECKED.capitalize(), [*report.problems, *gaps]),
    ):
        if lines:
            yield f"<section><h2>{heading}</h2><ul>"
            yield from (f"<li>{_text(line)}</li>" for line in lines)
            yield "</ul></section>"


def _list(heading: str, lines: Iterable[str]) -> Iterator[str]:
    items = list(lines)
    if items:
        yield f"<h3>{heading}</h3><ul>"
        yield from (f"<li>{_text(line)}</li>" for line in items)
        yield "</ul>"


def _mark(report: Report, one: IncidentStory) -> str:
    severity = report.severity_of(one.incident)
    return f'<span class="mark {ROLE_OF[severity]}">{MARKS[severity]}</span>'


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _time(at: datetime, *, dated: bool) -> str:
    """The time; with the day where several days are shown."""
    return _moment(at) if dated else f"{at.astimezone(UTC):%H:%M:%S}"


def _ago(at: datetime, report: Report) -> str:
    return f"{human_duration(report.taken_at - at)} before this report"


def _text(text: str) -> str:
    """Text of the cluster without effect: control characters are written out, markup is escaped."""
    return escape(visible(text))
