"""What became of the causes of one report in a later one: new, gone, still there.

A cause is the same where the same diagnostic says it about the same object, or about the successor of that: a pod's is
its workload. One that could not have been seen at the other time is neither new nor gone for sure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

import msgspec

from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.resources import is_namespaced
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.relations.workloads import TEMPLATE_HASH
from kubedoctor.cluster.seen.quoting import Evidence
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.seen.wants import Want
from kubedoctor.engine.report import Incident, Report, ReportedFinding, Unexplained
from kubedoctor.findings import Severity


class CauseKey(NamedTuple):
    """What a cause is known by at another time."""

    code: str
    about: Ref
    aspect: str


class ComparedCause(msgspec.Struct, frozen=True):
    """A cause, as it was found last. severity: of its incident, None where it was no cause then.

    impact: the workloads and other objects that suffer. because: the cause that it follows from at that time, where it is
    no root. unsure: why it may have been there, or may still be: a clause. deleted: its object is no more.
    """

    finding: ReportedFinding
    severity_before: Severity | None = None
    severity_after: Severity | None = None
    impact_before: frozenset[Ref] = frozenset()
    impact_after: frozenset[Ref] = frozenset()
    because_before: ReportedFinding | None = None
    because_after: ReportedFinding | None = None
    unsure: str = ""
    deleted: bool = False

    @property
    def severity(self) -> Severity:
        """The newest that is known."""
        return self.severity_after or self.severity_before or self.finding.severity

    @property
    def worse(self) -> bool:
        """Whether its incident became more severe."""
        before, after = self.severity_before, self.severity_after
        return before is not None and after is not None and after.rank < before.rank


class ComparedTrouble(msgspec.Struct, frozen=True):
    """Trouble that nothing explains, at one of the times alone. unsure: as of a cause."""

    entry: Unexplained
    unsure: str = ""


class CauseComparison(msgspec.Struct, frozen=True):
    """Two reports, and what became of their causes. open_new, open_gone: objects whose trouble nothing explains, and
    workloads that are not ready, at one of the times alone."""

    before: Report
    after: Report
    new: tuple[ComparedCause, ...]
    gone: tuple[ComparedCause, ...]
    still: tuple[ComparedCause, ...]
    open_new: tuple[ComparedTrouble, ...] = ()
    open_gone: tuple[ComparedTrouble, ...] = ()

    def worst(self) -> Severity | None:
        """The worst of what is new or became worse."""
        severities = [cause.severity for cause in self.new]
        severities += [cause.severity for cause in self.still if cause.worse]
        return min(severities, key=lambda severity: severity.rank, default=None)

    @property
    def complete(self) -> bool:
        """Whether everything could be checked at the second time, and compared with the first."""
        unsure = any(cause.unsure for cause in (*self.new, *self.gone))
        unsure = unsure or any(trouble.unsure for trouble in self.open_gone)
        return self.after.all_checked and not unsure and not self.open_new


def compare(
    before: Report, seen_before: Snapshot, after: Report, seen_after: Snapshot, suppressed_too: Report
) -> CauseComparison:
    """The causes of both reports. suppressed_too: the second report with what is suppressed, which is not gone."""
    first, second = _Side(before, seen_before), _Side(after, seen_after)
    everything = _Side(suppressed_too, seen_after)
    new, gone, still = [], [], []
    for key, incidents in second.causes.items():
        if key in first.findings:
            still.append(_still(key, first, second))
        else:
            finding = after.finding(incidents[0].cause)
            new.append(
                ComparedCause(
                    finding,
                    severity_after=second.severity(key),
                    impact_after=second.impact(key),
                    unsure=_unseen(finding, second, first),
                )
            )
    for key, incidents in first.causes.items():
        if key in second.findings:
            if key not in second.causes:
                still.append(_still(key, first, second))
        elif key not in everything.findings:
            finding = before.finding(incidents[0].cause)
            gone.append(
                ComparedCause(
                    finding,
                    severity_before=first.severity(key),
                    impact_before=first.impact(key),
                    unsure=_unseen(finding, first, second),
                    deleted=_is_deleted(finding.about, key.about, seen_after),
                )
            )
    open_before, open_after = first.open(), second.open()
    return CauseComparison(
        before,
        after,
        tuple(new),
        tuple(gone),
        tuple(still),
        open_new=tuple(
            ComparedTrouble(entry, next(_unread(entry.about, entry.evidence, seen_before), ""))
            for name, entry in open_after.items()
            if name not in open_before
        ),
        open_gone=tuple(
            ComparedTrouble(entry, next(_unread(entry.about, entry.evidence, seen_after), ""))
            for name, entry in open_before.items()
            if name not in open_after and name not in second.concerned()
        ),
    )


class _Side:
    """A report, by what its causes are known by."""

    def __init__(self, report: Report, snapshot: Snapshot) -> None:
        self._report = report
        self.snapshot = snapshot
        self._family = Family(snapshot)
        self.findings: dict[CauseKey, ReportedFinding] = {}
        self.causes: dict[CauseKey, list[Incident]] = {}
        self._root: dict[str, ReportedFinding] = {}
        for finding in report.findings:
            self.findings.setdefault(self._key(finding), finding)
        for incident in report.incidents:
            for cause in (incident.cause, *incident.alike):
                part = incident.seen_from(cause)
                self.causes.setdefault(self._key(report.finding(cause)), []).append(part)
                self._root |= {name: report.finding(cause) for name in part.consequences}

    def _key(self, finding: ReportedFinding) -> CauseKey:
        return CauseKey(finding.code, lasting(finding.about, self._family), finding.aspect)

    def severity(self, key: CauseKey) -> Severity | None:
        """The worst of what the cause leads to; None where it is no cause."""
        severities = [
            min((self._report.finding(name).severity for name in _counted(part, self._report)), key=_rank)
            for part in self.causes.get(key, ())
        ]
        return min(severities, key=_rank, default=None)

    def impact(self, key: CauseKey) -> frozenset[Ref]:
        """What follows from the cause."""
        names = {
            lasting(self._report.finding(name).about, self._family)
            for part in self.causes.get(key, ())
            for name in part.consequences
        }
        return frozenset(names - {key.about})

    def because(self, key: CauseKey) -> ReportedFinding | None:
        """What the finding follows from; None for a cause."""
        return None if key in self.causes else self._root.get(self.findings[key].id)

    def lasting(self, names: Iterable[Ref]) -> frozenset[Ref]:
        """The objects that last of these."""
        return frozenset(lasting(name, self._family) for name in names)

    def gap(self, finding: ReportedFinding, quoted: frozenset[Ref]) -> str:
        """What could not be checked of the finding's diagnostic as a whole, or of the objects that it quotes: their logs
        too, whatever pods they have now."""
        for entry in self._report.not_checked:
            if entry.about is None and entry.diagnostic == finding.diagnostic:
                return entry.why
        return next(
            (
                why
                for diagnostic, names, why in self._gaps
                if diagnostic in ("", finding.diagnostic) and not quoted.isdisjoint(names)
            ),
            "",
        )

    @cached_property
    def _gaps(self) -> tuple[tuple[str, frozenset[Ref], str], ...]:
        """What could not be read about objects, and the diagnostic that it matters for; empty for all."""
        about = (("", self.lasting((entry.about,)), entry.why) for entry in self._report.not_checked if entry.about)
        less = (
            (other.diagnostic, self.lasting((other.about, *_quoted(other.evidence))), other.gaps[0])
            for other in self._report.findings
            if other.gaps
        )
        return (*about, *less)

    def open(self) -> dict[Ref, Unexplained]:
        """What nothing explains, by the object that lasts."""
        entries = (*self._report.unexplained, *self._report.not_ready)
        return {lasting(entry.about, self._family): entry for entry in reversed(entries)}

    def concerned(self) -> frozenset[Ref]:
        """The objects that findings are about."""
        return frozenset(key.about for key in self.findings)


def lasting(name: Ref, family: Family) -> Ref:
    """The object, or the workload whose pods and ReplicaSets come and go; of a ReplicaSet whose Deployment was not seen, the
    Deployment by the name that its pods tell."""
    top = family.top(name)
    if top.kind != "ReplicaSet" or family.snapshot.get(top) is not None:
        return top
    obj = family.snapshot.get(name)
    ending = f"-{(obj.metadata.labels or {}).get(TEMPLATE_HASH, '')}" if obj is not None else "-"
    return Ref("Deployment", top.namespace, top.name.removesuffix(ending)) if top.name.endswith(ending) else top


def _still(key: CauseKey, first: _Side, second: _Side) -> ComparedCause:
    return ComparedCause(
        second.findings[key],
        severity_before=first.severity(key),
        severity_after=second.severity(key),
        impact_before=first.impact(key),
        impact_after=second.impact(key),
        because_before=first.because(key),
        because_after=second.because(key),
    )


def _rank(severity: Severity) -> int:
    return severity.rank


def _counted(part: Incident, report: Report) -> Iterable[str]:
    """The findings of an incident of one cause that are not suppressed, or all where all are."""
    names = (part.cause, *part.consequences)
    return [name for name in names if not report.finding(name).suppressed] or names


def _is_deleted(about: Ref, lasts: Ref, snapshot: Snapshot) -> bool:
    return all(
        snapshot.get(name) is None and snapshot.covers(Want(name.kind, name.namespace, name.name))
        for name in (about, lasts)
    )


def _unseen(finding: ReportedFinding, own: _Side, other: _Side) -> str:
    """Why a finding of one time could not have been made at the other; empty where it could."""
    quoted = own.lasting((finding.about, *_quoted(finding.evidence)))
    return other.gap(finding, quoted) or next(_unread(finding.about, finding.evidence, other.snapshot), "")


def _quoted(evidence: Iterable[Evidence]) -> Iterator[Ref]:
    return (fact.object for fact in evidence)


def _unread(about: Ref, evidence: Iterable[Evidence], snapshot: Snapshot) -> Iterator[str]:
    for name in dict.fromkeys((about, *_quoted(evidence))):
        want = Want(name.kind, name.namespace if is_namespaced(name.kind) else "")
        if not snapshot.covers(want):
            why = snapshot.refusal(want) or snapshot.limitation(want) or "not there"
            yield f"{name.short_kind}: {why}"
