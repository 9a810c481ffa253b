"""A change tried on a copy of what was seen: nothing is sent to a cluster."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from typing import Final

import msgspec
from msgspec.structs import replace

from kubedoctor.answers.proof import broken, ended_work
from kubedoctor.answers.what_if import Following, Intended, UnreadChange, followed, read_change
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.seen.wants import CannotSee, LogWant, Want
from kubedoctor.engine.catalogue import Catalogue
from kubedoctor.engine.examination import Gather, scan
from kubedoctor.engine.over_time.comparison import CauseComparison, compare, lasting
from kubedoctor.engine.report import Report, ReportedFinding
from kubedoctor.engine.rounds import read_in_rounds
from kubedoctor.problems import UsageProblem

Heed = Callable[[], None]
"""Called between the parts of the work; what it raises ends it."""
DELETED: Final = "deleted"
RUNS: Final = "decided when the new pods run"
STATED: Final = "decided when Kubernetes has acted: it rests on what was written before"


class ChangedCause(msgspec.Struct, frozen=True):
    """What becomes of a cause. finding: as it was before, or as it is then where it is new. why: of what is open, what
    decides; of what recovers, the object of the cause that is gone."""

    finding: ReportedFinding
    fate: CauseFate
    why: str = ""


class CauseFate(enum.Enum):
    """gone: by the replay. recovers: it followed from what is gone, and needs time. open: decided by what is not replayed.
    stays: it does not change. new: it was not there."""

    GONE = "gone"
    RECOVERS = "recovers"
    OPEN = "open"
    STAYS = "stays"
    NEW = "new"


class Rehearsal(msgspec.Struct, frozen=True):
    """What would become of the causes that were found. breaks: what was healthy, as clauses."""

    line: str
    intended: Intended
    following: Following
    before: Report
    after: Report
    causes: tuple[ChangedCause, ...]
    breaks: tuple[str, ...]

    def of(self, fate: CauseFate) -> tuple[ChangedCause, ...]:
        """The causes of one fate."""
        return tuple(cause for cause in self.causes if cause.fate is fate)

    def cause(self, id_: str) -> ChangedCause | None:
        """What becomes of the cause with this id."""
        return next((cause for cause in self.causes if cause.finding.id == id_), None)


def rehearse(
    catalogue: Catalogue,
    snapshot: Snapshot,
    gather: Gather,
    line: str,
    *,
    subject: Ref | None = None,
    before: Report | None = None,
    namespace: str = "",
    heed: Heed = lambda: None,
) -> Rehearsal:
    """Try the change that a line of kubectl makes, or a short form about the subject. Everything that the catalogue reads
    was listed before. before: a scan of the same snapshot, where there is one; nothing may be suppressed in it.

    Raises UsageProblem for a line that cannot be tried, and what `heed` raises.
    """
    try:
        reading = read_in_rounds(lambda cluster: _tried(line, cluster, subject, namespace, heed), snapshot, gather)
    except CannotSee as blind:
        raise UsageProblem(f"this change cannot be tried: {blind}") from None
    intended, following = reading.answer
    heed()
    if before is None:
        before = scan(catalogue, snapshot, gather, heed=heed)
    after = scan(catalogue, following.snapshot, _read_nothing, heed=heed)
    heed()
    found = rehearsal_of(line, intended, following, before, snapshot, after)
    breaks = (*broken(intended.change, Cluster(snapshot)), *ended_work(intended.change, Cluster(snapshot)))
    return replace(found, breaks=breaks)


def rehearsal_of(
    line: str, intended: Intended, following: Following, before: Report, snapshot: Snapshot, after: Report
) -> Rehearsal:
    """What becomes of the causes, from a scan of each state. snapshot: as things are. What breaks beyond the causes is left
    to the caller."""
    compared = compare(before, snapshot, after, following.snapshot, after)
    return Rehearsal(line, intended, following, before, after, tuple(_sorted(compared, following, snapshot)), ())


def _tried(line: str, cluster: Cluster, subject: Ref | None, namespace: str, heed: Heed) -> tuple[Intended, Following]:
    try:
        intended = read_change(line, cluster, subject, namespace)
        return intended, followed(intended, cluster, heed)
    except UnreadChange as error:
        raise UsageProblem(f"this change cannot be tried: {error}") from None


def _read_nothing(wants: frozenset[Want | LogWant]) -> None:
    """What the scan of the present state has not read is not read for the other one either."""


def _sorted(compared: CauseComparison, following: Following, seen: Snapshot) -> Iterator[ChangedCause]:
    family = Family(seen)
    before = {_key(finding, family): finding for finding in reversed(compared.before.findings)}
    gone: set[str] = set()
    for cause in compared.gone:
        if not following.again.isdisjoint(_objects(cause.finding)):
            yield ChangedCause(cause.finding, CauseFate.OPEN, RUNS)
        elif cause.unsure:
            yield ChangedCause(cause.finding, CauseFate.OPEN, cause.unsure)
        else:
            gone.add(cause.finding.id)
            yield ChangedCause(cause.finding, CauseFate.GONE, DELETED if cause.deleted else "")
    for cause in compared.still:
        if cause.severity_after is None:
            continue  # it follows from another one, which is named
        finding = before.get(_key(cause.finding, family), cause.finding)
        if cause.because_before is not None and cause.because_before.id in gone:
            yield ChangedCause(finding, CauseFate.RECOVERS, cause.because_before.about.title)
        elif lasting(finding.about, family) in following.held:
            yield ChangedCause(finding, CauseFate.STAYS)
        elif any(lasting(name, family) in following.moved for name in (finding.about, *finding.affects)):
            yield ChangedCause(finding, CauseFate.OPEN, RUNS)
        else:
            yield ChangedCause(finding, CauseFate.STAYS, STATED if _is_stated(finding) else "")
    yield from (ChangedCause(cause.finding, CauseFate.NEW) for cause in compared.new)


def _key(finding: ReportedFinding, family: Family) -> tuple[str, Ref, str]:
    return finding.code, lasting(finding.about, family), finding.aspect


def _objects(finding: ReportedFinding) -> frozenset[Ref]:
    return frozenset((finding.about, *finding.affects, *(fact.object for fact in finding.evidence)))


def _is_stated(finding: ReportedFinding) -> bool:
    """Whether it rests on what controllers have written: that stays until they write again."""
    return any(
        fact.object.kind == "Event" or not fact.path.startswith(("spec", "metadata")) for fact in finding.evidence
    )
