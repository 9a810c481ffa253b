"""The result of an examination."""

from __future__ import annotations

from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.manifests import Place
from kubedoctor.cluster.seen.quoting import Evidence
from kubedoctor.cluster.seen.snapshot import Source
from kubedoctor.findings import Command, Confidence, Fix, Severity
from kubedoctor.findings.commands.lines import commands_in_cluster, fixes_in_cluster

if TYPE_CHECKING:
    from kubedoctor.answers.timeline.changed import NewestChange
    from kubedoctor.answers.timeline.onset import Onset


class ReportedFinding(msgspec.Struct, frozen=True):
    """A finding with what the engine knows of it: its diagnostic, its gaps, since when it is true, the newest change before.

    id: the same in every report for the same diagnostic, object and aspect. suppressed: it is shown only as the cause of
    something that is not. place: where the fault stands in the files that were checked; None for a cluster.
    """

    id: str
    code: str
    diagnostic: str
    severity: Severity
    confidence: Confidence
    about: Ref
    summary: str
    evidence: tuple[Evidence, ...]
    detail: str = ""
    fixes: tuple[Fix, ...] = ()
    commands: tuple[Command, ...] = ()
    would_disprove: str = ""
    gaps: tuple[str, ...] = ()
    also_known_as: tuple[str, ...] = ()
    affects: tuple[Ref, ...] = ()
    because_of: tuple[Ref, ...] = ()
    aspect: str = ""
    since: Onset | None = None
    changed: NewestChange | None = None
    suppressed: bool = False
    place: Place | None = None


class Suppressed(msgspec.Struct, frozen=True):
    """A finding that is not counted. until: the last day of the suppression. by: where that is written."""

    finding: ReportedFinding
    reason: str
    until: date
    by: str


class CauseLink(msgspec.Struct, frozen=True):
    """Why a finding follows from another, as ids. relation: the name of the cause relation between them. rivals: findings of
    other incidents that may explain it as well, by what their diagnostics declare."""

    finding: str
    because: str
    relation: str
    rivals: tuple[str, ...] = ()


class Incident(msgspec.Struct, frozen=True, dict=True):
    """A cause and what follows from it, as ids of findings.

    because: for each consequence the finding that it follows from directly; without it all follow from the cause.
    alike: findings with the sentence of the cause about other workloads.
    links: how each consequence is linked to what it follows from.
    circle: findings each because of the one before it, of which the first is because of the last again; the first is where
    a person can break it. Empty mostly.
    """

    cause: str
    consequences: tuple[str, ...] = ()
    because: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()
    links: tuple[CauseLink, ...] = ()
    circle: tuple[str, ...] = ()

    @property
    def members(self) -> tuple[str, ...]:
        """All its findings, the cause first."""
        return (self.cause, *self.alike, *self.consequences)

    def line_to(self, id_: str) -> tuple[str, ...]:
        """From the cause, or a finding like it, to one of its findings, each because of the one before it."""
        line = [id_]
        while line[-1] not in self._consequences_by_root:
            line.append(self._above.get(line[-1], self.cause))
        return tuple(reversed(line))

    def seen_from(self, id_: str) -> Incident:
        """The same incident with the cause of this finding as its cause, and only what follows from that."""
        if not self.alike:
            return self
        root = self.line_to(id_)[0]
        chosen = tuple(self._consequences_by_root[root])
        alike = tuple(name for name in (self.cause, *self.alike) if name != root)
        return Incident(
            root,
            chosen,
            tuple(self._above.get(name, root) for name in chosen),
            alike,
            tuple(link for link in self.links if link.finding in chosen),
            self.circle if set(self.circle) <= {root, *chosen} else (),
        )

    @cached_property
    def _above(self) -> dict[str, str]:
        return dict(zip(self.consequences, self.because, strict=False))

    @cached_property
    def _consequences_by_root(self) -> dict[str, list[str]]:
        roots: dict[str, list[str]] = {name: [] for name in (self.cause, *self.alike)}
        for consequence in self.consequences:
            root = consequence
            while root not in roots:
                root = self._above.get(root, self.cause)
            roots[root].append(consequence)
        return roots


class NotChecked(msgspec.Struct, frozen=True, order=True):
    """A diagnostic that could not run. `about` is None where it could not run at all."""

    diagnostic: str
    about: Ref | None
    why: str
    traceback: str = ""


class Unexplained(msgspec.Struct, frozen=True):
    """An object whose own status, or an event about it, reports trouble that no finding explains. `says`: a clause
    without its name, which `evidence` quotes; the newest Warning events about the object come last."""

    about: Ref
    says: str
    evidence: tuple[Evidence, ...]

    @property
    def messages(self) -> tuple[str, ...]:
        """The sentences that decide: messages of the status, and of events with how often they were seen. What an
        earlier sentence has already is not repeated."""
        lines: list[str] = []
        for fact in self.evidence:
            if not isinstance(fact.value, str) or " " not in fact.value:
                continue
            parts = [fact.shows] if fact.object.kind == "Event" and fact.shows not in self.says else []
            parts += [fact.value] if not any(fact.value in line for line in lines) else []
            lines += [": ".join(parts)] if parts else []
        return tuple(lines)


class Report(msgspec.Struct, frozen=True, dict=True):
    """The result of one examination.

    subject: the object asked for; None for a scan, and where several were asked for: they are the `subjects`.
    incidents: worst first. problems: what was unreadable or left out. tracebacks: of modules that could not be imported.
    rounds: the number of rounds of fetching.
    unexplained: the subject first. on_it: of a node, the causes of incidents that only pods on it have.
    not_ready: workloads that are not ready, without a finding or other trouble; they may still be starting.
    unheeded: a sentence for each suppression that is not in force.
    """

    taken_at: datetime
    source: Source
    subject: Ref | None
    namespaces: tuple[str, ...]
    incidents: tuple[Incident, ...]
    findings: tuple[ReportedFinding, ...]
    not_checked: tuple[NotChecked, ...]
    diagnostics_run: int
    objects_seen: int
    requests: int = 0
    rounds: int = 0
    suppressed: tuple[Suppressed, ...] = ()
    unheeded: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    tracebacks: tuple[str, ...] = ()
    unexplained: tuple[Unexplained, ...] = ()
    not_ready: tuple[Unexplained, ...] = ()
    subjects: tuple[Ref, ...] = ()
    on_it: tuple[ReportedFinding, ...] = ()

    def finding(self, id_: str) -> ReportedFinding:
        """The finding of that id; KeyError if there is none."""
        return self._by_id[id_]

    @cached_property
    def _by_id(self) -> dict[str, ReportedFinding]:
        return {finding.id: finding for finding in self.findings}

    def severity_of(self, incident: Incident) -> Severity:
        """The worst of the cause and its consequences that are not suppressed: a harmless cause may have severe
        consequences."""
        members = [self.finding(name) for name in incident.members]
        counted = [member for member in members if not member.suppressed] or members
        return min((member.severity for member in counted), key=lambda severity: severity.rank)

    def confidence_of(self, incident: Incident, id_: str) -> Confidence:
        """How sure it is that a finding comes from the root of its line: as sure as the weakest finding between them."""
        line = (self.finding(name).confidence for name in incident.line_to(id_))
        return max(line, key=lambda confidence: confidence.rank)

    def worst(self) -> Severity | None:
        """The worst severity found that is not suppressed; a suppression that is not in force is worth a notice."""
        found = [finding.severity for finding in self.findings if not finding.suppressed]
        found += [Severity.NOTICE] if self.unheeded else []
        return min(found, key=lambda severity: severity.rank, default=None)

    def suppression(self, id_: str) -> Suppressed | None:
        """What suppresses the finding of that id."""
        return next((one for one in self.suppressed if one.finding.id == id_), None)

    def in_its_cluster(self) -> Report:
        """The report with commands that reach the cluster that was read, also from a terminal where another one is current."""
        flags = self.source.flags
        if not flags:
            return self

        def named(finding: ReportedFinding) -> ReportedFinding:
            fixes, commands = fixes_in_cluster(finding.fixes, flags), commands_in_cluster(finding.commands, flags)
            return replace(finding, fixes=fixes, commands=commands)

        return replace(
            self,
            findings=tuple(map(named, self.findings)),
            on_it=tuple(map(named, self.on_it)),
            suppressed=tuple(replace(entry, finding=named(entry.finding)) for entry in self.suppressed),
        )

    @property
    def complete(self) -> bool:
        """Everything could be checked, and no object is left whose trouble is unexplained or that is not ready."""
        return self.all_checked and not self.unexplained and not self.not_ready

    @property
    def all_checked(self) -> bool:
        """Everything could be checked."""
        return not (self.not_checked or self.problems or any(finding.gaps for finding in self.findings))
