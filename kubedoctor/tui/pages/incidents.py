"""The incidents that concern an object. Pure."""

from __future__ import annotations

from functools import cached_property

import msgspec

from kubedoctor.cluster import Ref
from kubedoctor.cluster.relations.family import Family
from kubedoctor.engine import Incident, Report, ReportedFinding, Unexplained, words
from kubedoctor.findings import Severity


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
