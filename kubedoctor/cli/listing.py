"""The matched objects, one line each: the finding about it, and kubectl's columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.resources import ResourceKind
from kubedoctor.cluster.relations.related import Related, related_objects
from kubedoctor.cluster.relations.workloads import LONGEST_CHAIN, controller_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.triage import all_statuses
from kubedoctor.engine.health.states import Health, stated_health
from kubedoctor.engine.report import Report, ReportedFinding
from kubedoctor.engine.words import NOT_READY

_SUPPRESSED = "its finding is suppressed"
COLUMNS = ("READY", "STATUS", "RESTARTS", "AGE", "NODE")


class ListedObject(msgspec.Struct, frozen=True):
    """An object of a list. finding: the worst about it or affecting it; cause: the finding that explains it, where it
    is a consequence. near: without a finding, the worst about related objects. says: what its status reports where no
    finding explains it. cells: for the columns of the list."""

    about: Ref
    finding: ReportedFinding | None = None
    cause: ReportedFinding | None = None
    near: ReportedFinding | None = None
    says: str = ""
    cells: tuple[str, ...] = ()


class Listing(msgspec.Struct, frozen=True):
    """The objects in order, those with findings first. columns: titles of the cells, of which only the first `narrow`
    are shown unless all are requested. namespaced: whether they are of several namespaces."""

    title: str
    rows: tuple[ListedObject, ...]
    columns: tuple[str, ...] = COLUMNS
    narrow: int = 2
    namespaced: bool = False


def listing_of(
    report: Report, snapshot: Snapshot, relations: Iterable[Related], kinds: Sequence[ResourceKind], namespace: str
) -> Listing:
    """The subjects of a report as a list. relations: of the catalogue that the report was made with."""
    worst = _worst(report, snapshot)
    causes = {
        name: report.finding(incident.line_to(name)[0])
        for incident in report.incidents
        for name in incident.consequences
    }
    says = {
        **{name: _SUPPRESSED for name in report.subjects if _is_suppressed(name, report, snapshot)},
        **{one.about: one.says for one in report.unexplained},
    }
    waiting = {one.about for one in report.not_ready}
    cluster = Cluster(snapshot)
    rows = []
    for name in report.subjects:
        finding = worst.get(name)
        near = None if finding is not None else _near(name, cluster, relations, worst)
        cause = causes.get(finding.id) if finding is not None else None
        cells = _cells(snapshot.get(name), report.taken_at)
        left = says.get(name) or (NOT_READY if waiting and _waits(name, waiting, snapshot) else "")
        rows.append(ListedObject(name, finding, cause, near, left, cells))
    order = {finding.id: rank for rank, finding in enumerate(report.findings)}
    rows.sort(key=lambda row: _rank(row, order))
    nouns = dict.fromkeys((kind.singular, kind.plural) for kind in kinds)
    noun, plural = next(iter(nouns)) if len(nouns) == 1 else ("object", "objects")
    where = f" in namespace {namespace}" if namespace and any(name.namespace for name in report.subjects) else ""
    namespaced = len({name.namespace for name in report.subjects}) > 1
    return Listing(f"{counted(len(rows), noun, plural)}{where}", tuple(rows), namespaced=namespaced)


def _is_suppressed(name: Ref, report: Report, snapshot: Snapshot) -> bool:
    """Whether a suppressed finding is about the object, about what it controls, or affects it."""
    return any(
        name in _line(one, snapshot) for of in report.suppressed for one in (of.finding.about, *of.finding.affects)
    )


def _waits(name: Ref, waiting: Collection[Ref], snapshot: Snapshot) -> bool:
    """Whether the object, or a workload that it belongs to, is not ready, and its own status does not show otherwise."""
    obj = snapshot.get(name)
    unwell = obj is not None and stated_health(obj).health in (Health.BROKEN, Health.DEGRADED)
    return name in waiting or (unwell and any(owner in waiting for owner in _line(name, snapshot)))


def _worst(report: Report, snapshot: Snapshot) -> dict[Ref, ReportedFinding]:
    """For each object the first finding about it, about objects that it controls, or that affects it."""
    worst: dict[Ref, ReportedFinding] = {}
    for finding in report.findings:  # the worst comes first
        if finding.suppressed:
            continue
        for name in (finding.about, *finding.affects):
            for one in _line(name, snapshot):
                worst.setdefault(one, finding)
    return worst


def _near(
    name: Ref, cluster: Cluster, relations: Iterable[Related], worst: Mapping[Ref, ReportedFinding]
) -> ReportedFinding | None:
    """The worst finding about objects that are examined with an object. Objects that were not fetched were not
    examined."""
    obj = cluster.snapshot.get(name)
    names = related_objects(obj, cluster, set(), relations) if obj is not None else ()
    found = [worst[other] for other in names if other in worst]
    return min(found, key=lambda finding: finding.severity.rank, default=None)


def _rank(row: ListedObject, order: Mapping[str, int]) -> tuple[int, int]:
    for place, finding in enumerate((row.finding, row.near)):
        if finding is not None:
            return (place, order[finding.id])
    return (2 if row.says else 3, 0)


def _line(name: Ref, snapshot: Snapshot) -> Iterator[Ref]:
    """The object and its controllers."""
    for _ in range(LONGEST_CHAIN):
        yield name
        obj = snapshot.get(name)
        owner = controller_of(obj) if obj is not None else None
        if owner is None:
            return
        name = owner


def _cells(obj: KubernetesObject | None, now: datetime) -> tuple[str, ...]:
    """One for each of COLUMNS; empty where kubectl has no such column for the kind."""
    if obj is None:
        return ("",) * len(COLUMNS)
    stated = stated_health(obj)
    created = obj.metadata.creation_timestamp
    age = human_duration(now - created) if created is not None else ""
    if not isinstance(obj, Pod):
        return (stated.ready, stated.status, "", age, "")
    restarts = sum(status.restart_count for status in all_statuses(obj))
    return (stated.ready, stated.status, str(restarts), age, obj.spec.node_name or "<none>")


def names_with_findings(report: Report, listing: Listing | None) -> Iterable[Ref]:
    """The objects of `-o name`: of a list those with findings, else the objects of all findings; worst first."""
    if listing is not None:
        return [row.about for row in listing.rows if row.finding is not None]
    return dict.fromkeys(finding.about for finding in report.findings if not finding.suppressed)
