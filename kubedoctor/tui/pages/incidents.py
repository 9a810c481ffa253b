"""The incidents that concern an object, and their pages. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property

import msgspec

from kubedoctor.cluster import Ref, Snapshot
from kubedoctor.cluster.grammar.text import counted, visible_ends
from kubedoctor.cluster.relations.family import Family
from kubedoctor.engine import Catalogue, Incident, Report, ReportedFinding, Unexplained, words
from kubedoctor.engine.health import Health, bad_conditions, health_of
from kubedoctor.findings import Command, Severity
from kubedoctor.tui.pages.events import add_event, events_about
from kubedoctor.tui.pages.page import Page
from kubedoctor.tui.rows import WITH_LOGS, Row

MOST_CONSEQUENCES = 6
MOST_NAMES = 4
LONGEST_VERDICT = 320
LONGEST_OWN_SENTENCE = LONGEST_STEP = 160
LONGEST_CAUSE = 240
"""Characters in the pane, so that a long message does not push the first fix out of sight; `w` shows all of it."""
MOST_UNEXPLAINED = 3
MOST_EVENTS = 5
_LOGS = "l logs   p previous logs   "


class Copyable(msgspec.Struct, frozen=True):
    """A command line that can be copied by its number; `effect` in words."""

    line: str
    why: str
    effect: str


class ObjectVerdict(msgspec.Struct, frozen=True, dict=True):
    """The results about one object: its incidents, the closest first, and what was not checked.

    lines: for each incident the findings from its cause to the object's own finding, or to the one that affects it.
    tops: the workloads of the objects that the causes affect.
    """

    subject: Ref
    findings: tuple[ReportedFinding, ...] = ()
    incidents: tuple[Incident, ...] = ()
    lines: tuple[tuple[str, ...], ...] = ()
    members: frozenset[Ref] = frozenset()
    tops: dict[Ref, Ref] = {}
    not_checked: tuple[str, ...] = ()
    diagnostics_run: int = 0
    unexplained: tuple[Unexplained, ...] = ()

    def finding(self, id_: str) -> ReportedFinding:
        """The finding of that id."""
        return self._by_id[id_]

    @cached_property
    def _by_id(self) -> dict[str, ReportedFinding]:
        return {finding.id: finding for finding in self.findings}

    def severity_of(self, incident: Incident) -> Severity:
        """The worst of the incident's findings."""
        return min((self.finding(name).severity for name in incident.members), key=lambda severity: severity.rank)

    @property
    def causes(self) -> tuple[ReportedFinding, ...]:
        """The cause of each incident."""
        return tuple(self.finding(incident.cause) for incident in self.incidents)


def verdict_on(subject: Ref, report: Report, family: Family) -> ObjectVerdict:
    """Everything in a report that concerns the object or what it controls."""
    members = family.members(subject)
    by_id = {finding.id: finding for finding in report.findings}
    chosen: list[tuple[tuple[int, int, int], Incident, tuple[str, ...]]] = []
    for position, incident in enumerate(report.incidents):
        own = [
            by_id[id_]
            for id_ in incident.members
            if by_id[id_].about in members or not members.isdisjoint(by_id[id_].affects)
        ]
        if own:
            worst = min(finding.severity.rank for finding in own)
            distance = 0 if any(by_id[id_].about in members for id_ in (incident.cause, *incident.alike)) else 1
            nearest = _nearest(subject, own, members).id
            chosen.append(((worst, distance, position), incident.seen_from(nearest), incident.line_to(nearest)))
    chosen.sort(key=lambda entry: entry[0])
    incidents = tuple(incident for _, incident, _ in chosen)
    ids = {id_ for incident in incidents for id_ in incident.members}
    return ObjectVerdict(
        subject=subject,
        findings=tuple(finding for finding in report.findings if finding.id in ids),
        incidents=incidents,
        lines=tuple(line for _, _, line in chosen),
        members=members,
        tops=_tops(incidents, by_id, family),
        not_checked=_not_checked(report, members),
        diagnostics_run=report.diagnostics_run,
        unexplained=tuple(item for item in report.unexplained if item.about in members),
    )


def _tops(incidents: tuple[Incident, ...], by_id: dict[str, ReportedFinding], family: Family) -> dict[Ref, Ref]:
    return {name: family.top_seen(name) for incident in incidents for name in by_id[incident.cause].affects}


def _nearest(subject: Ref, own: list[ReportedFinding], members: frozenset[Ref]) -> ReportedFinding:
    """The finding that says how the object itself fares: about it, then about what it controls, then what affects it."""
    return min(own, key=lambda finding: (finding.about not in members, finding.severity.rank, finding.about != subject))


def verdict_of_incident(cause: str, report: Report, family: Family) -> ObjectVerdict:
    """One incident, by the id of its cause; an empty verdict if the report does not have it."""
    for incident in report.incidents:
        if incident.cause == cause:
            ids = set(incident.members)
            findings = tuple(finding for finding in report.findings if finding.id in ids)
            about = report.finding(cause).about
            tops = _tops((incident,), {finding.id: finding for finding in findings}, family)
            return ObjectVerdict(about, findings, (incident,), ((cause,),), frozenset((about,)), tops)
    return ObjectVerdict(Ref("", "", ""))


def _not_checked(report: Report, members: frozenset[Ref]) -> tuple[str, ...]:
    names_by_reason: dict[str, list[str]] = {}
    for gap in report.not_checked:
        if gap.about is None or gap.about in members:
            names_by_reason.setdefault(gap.why, []).append(gap.diagnostic)
    return tuple(f"{_some([name for name in names if name])}{why}" for why, names in names_by_reason.items())


def _some(names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return f"{', '.join(names[:2])}{more}: "


def copyables(verdict: ObjectVerdict) -> tuple[Copyable, ...]:
    """The command lines of all incidents of a verdict, in the order of their numbers on the page."""
    by_line: dict[str, Copyable] = {}
    for cause in verdict.causes:
        for fix in cause.fixes:
            if fix.command:
                by_line.setdefault(fix.command, Copyable(fix.command, fix.summary, words.EFFECTS[fix.effect]))
        for command in cause.commands:
            by_line.setdefault(command.line, Copyable(command.line, command.why, words.EFFECTS[command.effect]))
    return tuple(by_line.values())


def incident_page(
    verdict: ObjectVerdict, row: Row, snapshot: Snapshot, catalogue: Catalogue, *, full: bool = False
) -> Page:
    """The page about a row. `full` shows every incident in full; otherwise the first in full, the others in one
    line."""
    page = Page()
    if not verdict.incidents:
        _nothing_found(page, verdict, row, snapshot)
        return page
    numbers = {copyable.line: number for number, copyable in enumerate(copyables(verdict), start=1)}
    for position in range(len(verdict.incidents) if full else 1):
        if position:
            page.blank()
            page.add(("─" * 20, "dim"))
        _incident(page, verdict, row, position, numbers, snapshot.taken_at, full=full)
    if others := () if full else verdict.incidents[1:]:
        page.heading("Other incidents")
        _folded(
            page,
            [msgspec.structs.replace(verdict.finding(one.cause), severity=verdict.severity_of(one)) for one in others],
        )
    _unexplained(page, verdict)
    if verdict.not_checked:
        page.heading(words.NOT_CHECKED.capitalize())
        _not_checked_lines(page, verdict.not_checked, None if full else 4)
    lessons = {diagnostic.code: diagnostic for diagnostic in catalogue.diagnostics}
    if (lesson := lessons.get(verdict.causes[0].code)) is not None:
        page.heading(words.LEARN.capitalize())
        page.add((lesson.title, ""), indent=2, right="e")
    return page


def _incident(
    page: Page, verdict: ObjectVerdict, row: Row, position: int, numbers: dict[str, int], now: datetime, *, full: bool
) -> None:
    """Verdict, chain and what to type come first: they must be seen without scrolling."""
    incident = verdict.incidents[position]
    cause, line = verdict.finding(incident.cause), [verdict.finding(id_) for id_ in verdict.lines[position]]
    _verdict_and_chain(page, verdict, row, incident, line, full=full)
    _fixes(page, cause, numbers)
    printed = {fix.command for fix in cause.fixes}
    following = [command for command in cause.commands if command.line not in printed]
    if not cause.fixes:
        _next(page, following, numbers)
    if cause.detail:
        page.blank()
        page.add(cause.detail, indent=2)
    _consequences(page, verdict, incident, {finding.id for finding in line})
    if incident.alike:
        page.heading(words.ALIKE.capitalize())
        titles = [verdict.finding(id_).about.title for id_ in incident.alike]
        page.add((words.named(titles, MOST_NAMES), "dim"), indent=2, hang=4)
    if changed := words.changed_line(cause, now):
        page.heading(words.CHANGED.capitalize())
        page.add(changed, indent=2, hang=4)
    _evidence(page, cause)
    if cause.fixes:
        _next(page, following, numbers)
    if cause.would_disprove:
        page.heading(words.RULED_OUT_BY.capitalize())
        page.add(cause.would_disprove, indent=2)
    if cause.gaps:
        page.heading(words.NOT_CHECKED.capitalize())
        for gap in cause.gaps:
            page.add(gap, indent=2, hang=4)


def _verdict_and_chain(
    page: Page, verdict: ObjectVerdict, row: Row, incident: Incident, line: list[ReportedFinding], *, full: bool
) -> None:
    """The object's own sentence, then why: the cause first, each step because of the one before it."""
    own, cause = line[-1], line[0]
    if own.about not in verdict.members:  # it is only affected
        page.add((f"{row.health.symbol} ", row.health.value), (_how_it_fares(row), "strong"), hang=2)
    elif own is not cause:
        mark = health_of(own.severity)
        text = visible_ends(own.summary, None if full else LONGEST_OWN_SENTENCE)
        page.add((f"{mark.symbol} ", mark.value), (text, "strong"), hang=2)
        line = line[:-1]
    else:
        mark = health_of(verdict.severity_of(incident))
        text = visible_ends(own.summary, None if full else LONGEST_VERDICT)
        known = own.about == row.ref and not full  # the list shows its name
        page.add((f"{mark.symbol} ", mark.value), (text, "strong"), hang=2, right=_code(own, incident) if known else "")
        if not known:
            page.add((own.about.title, "dim"), indent=2, right=_code(own, incident))
        line = []
    for step, finding in enumerate(line):
        most = LONGEST_STEP if step else LONGEST_CAUSE
        mark = health_of(finding.severity if step else verdict.severity_of(incident))
        page.add(
            ("└ " if step else "because ", "dim"),
            (f"{mark.symbol} ", mark.value),
            (finding.about.title, "dim"),
            f"  {visible_ends(finding.summary, None if full else most)}",
            indent=2 * step + 2,
            hang=2 * step + 4,
            right="" if step else _code(finding, incident),
        )


def _code(finding: ReportedFinding, incident: Incident) -> str:
    alike = f" · the same of {counted(len(incident.alike), 'other')}" if incident.alike else ""
    return f"{finding.code} · {finding.confidence.value}{alike}"


def _how_it_fares(row: Row) -> str:
    return f"{row.ref.name}: {f'{row.ready} ready' if row.ready else row.status or 'affected'}"


def _evidence(page: Page, cause: ReportedFinding) -> None:
    page.heading(words.EVIDENCE.capitalize())
    about = cause.about
    for fact in cause.evidence:
        if fact.object != about:
            about = fact.object
            page.add((about.title, "dim"), indent=2)
        page.add((fact.path, "path"), (f"  {fact.text}", "value"), (f"  {fact.shows}", "dim"), indent=2, hang=4)


def _consequences(page: Page, verdict: ObjectVerdict, incident: Incident, chain: set[str]) -> None:
    """The consequences that the chain does not show, and what the cause affects without a finding of its own."""
    others = [verdict.finding(id_) for id_ in incident.consequences if id_ not in chain]
    cause = verdict.finding(incident.cause)
    named = {verdict.finding(id_).about for id_ in incident.members} | verdict.members
    tops = dict.fromkeys(verdict.tops.get(name, name) for name in cause.affects if name not in named)
    affected = [name.title for name in tops if name not in named]
    if others or affected:
        page.heading(words.IMPACT.capitalize())
    _folded(page, others)
    if affected:
        page.add(("affects ", "dim"), words.named(affected, MOST_NAMES), indent=2, hang=4)


def _folded(page: Page, findings: Iterable[ReportedFinding]) -> None:
    """A line for each sentence, with the objects that it is true of."""
    sentences = list(words.by_sentence(findings))
    for finding, titles in sentences[:MOST_CONSEQUENCES]:
        mark = health_of(finding.severity)
        page.add(
            (f"{mark.symbol} ", mark.value),
            (words.named(titles, MOST_NAMES), "dim"),
            f"  {finding.summary}",
            indent=2,
            hang=4,
        )
    if left := sum(len(titles) for _, titles in sentences[MOST_CONSEQUENCES:]):
        page.add((words.and_more(left), "dim"), indent=4)


def _fixes(page: Page, cause: ReportedFinding, numbers: dict[str, int]) -> None:
    if cause.fixes:
        page.add((words.FIX.capitalize(), "heading"))  # without an empty line: each counts above the fold
    for fix in cause.fixes:
        number = f"{numbers[fix.command]} " if fix.command else "· "
        verified = [("✓ ", "healthy")] if fix.verified else []
        page.add((number, "key"), *verified, fix.summary, indent=2, hang=4, right=words.EFFECTS[fix.effect])
        if fix.command:
            page.add((fix.command, "command"), indent=4, hang=6)


def _next(page: Page, commands: list[Command], numbers: dict[str, int]) -> None:
    if commands:
        page.heading(words.NEXT.capitalize())
    for command in commands:
        page.add((f"{numbers[command.line]} ", "key"), (command.line, "command"), indent=2, hang=6)
        note = f"{command.why} " if command.why else ""
        page.add((f"{note}({words.EFFECTS[command.effect]})", "dim"), indent=4)


def _nothing_found(page: Page, verdict: ObjectVerdict, row: Row, snapshot: Snapshot) -> None:
    """No finding: what the object's own status says, and what to look at next."""
    good = row.health in (Health.HEALTHY, Health.IDLE) and not verdict.unexplained
    health = Health.DEGRADED if verdict.unexplained and row.health is not Health.BROKEN else row.health
    text = "no problems found" if good else (f"{row.ready} ready" if row.ready else row.status or "not healthy")
    mark = (f"{health.symbol} ", health.value)
    if good and verdict.not_checked:
        mark, text = ("? ", "degraded"), words.NOT_ALL_CHECKED
    page.add(mark, (f"{row.ref.name}: {text}", "strong"), hang=2)
    page.add((row.ref.title, "dim"), indent=2)
    page.blank()
    if good:
        page.add(f"{counted(verdict.diagnostics_run, 'diagnostic')} found no problem with it.")
    else:
        page.add("No diagnostic explains this. Its own status says:")
    _unexplained(page, verdict)
    obj = None if good or verdict.unexplained else snapshot.get(row.ref)
    bad = [stated for _, stated in bad_conditions(obj)] if obj is not None else []
    if bad:
        page.heading("Conditions")
    for condition in bad:
        page.add((f"{condition.type} = {condition.status}", "path"), f"  {condition.reason}", indent=2, hang=4)
        if condition.message:
            page.add(condition.message, indent=4)
    quoted = {fact.text for item in verdict.unexplained for fact in item.evidence}
    events = () if good else events_about(row.ref, snapshot)
    warnings = [event for event in events if event.type == "Warning" and event.message not in quoted]
    if warnings:
        page.heading("Warnings")
        for event in warnings[-MOST_EVENTS:]:
            add_event(page, event, snapshot)
    if not good:
        page.heading(words.NEXT.capitalize())
        page.add(("1 ", "key"), (row.ref.describe_command, "command"), indent=2, hang=6)
        page.add((f"{_LOGS if row.ref.kind in WITH_LOGS else ''}d describe   y YAML", "dim"), indent=2)
    if verdict.not_checked:
        page.heading(words.NOT_CHECKED.capitalize())
        _not_checked_lines(page, verdict.not_checked, 4)


def _unexplained(page: Page, verdict: ObjectVerdict) -> None:
    """Trouble in the status of the object, or of objects that it controls, that no finding explains."""
    if verdict.unexplained:
        page.heading(words.NOT_EXPLAINED.capitalize())
    for item in verdict.unexplained[:MOST_UNEXPLAINED]:
        name = "" if item.about == verdict.subject else f"{item.about.title}: "
        page.add((f"{name}{item.says}", "degraded"), indent=2, hang=4)
        for fact in item.evidence:
            label = fact.shows if fact.object.kind == "Event" else fact.path
            page.add((label, "path"), (f"  {fact.text}", "value"), indent=4, hang=6)
    if len(verdict.unexplained) > MOST_UNEXPLAINED:
        page.add((words.and_more(len(verdict.unexplained) - MOST_UNEXPLAINED), "dim"), indent=2)


def _not_checked_lines(page: Page, lines: tuple[str, ...], limit: int | None) -> None:
    for line in lines[:limit]:
        page.add((line, "dim"), indent=2, hang=4)
    if limit is not None and len(lines) > limit:
        page.add((f"{words.and_more(len(lines) - limit)} (w shows all)", "dim"), indent=2)
