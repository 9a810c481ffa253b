"""A report without what is suppressed. A suppressed cause of something that is not suppressed stays in its place, marked:
what follows from it is as true as before, and its reader needs the cause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

import msgspec

from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.seen.wants import Want
from kubedoctor.engine.catalogue import Catalogue
from kubedoctor.engine.report import Incident, Report, ReportedFinding, Suppressed
from kubedoctor.engine.suppressions.writing import ANNOTATION, Suppression, WrittenSuppressions, written_in_annotation


def places_unread(report: Report, snapshot: Snapshot) -> frozenset[Want]:
    """The objects whose annotations may suppress a finding and that were neither seen nor refused."""
    family = Family(snapshot)
    wants = (
        Want(place.kind, place.namespace, place.name)
        for finding in _findings(report)
        for place in _places(finding.about, family)
        if snapshot.get(place) is None
    )
    return frozenset(want for want in wants if not (snapshot.covers(want) or snapshot.refusal(want)))


def without_suppressed(
    report: Report, written: WrittenSuppressions, snapshot: Snapshot, catalogue: Catalogue, today: date | None
) -> Report:
    """The report with what the settings and the annotations suppress taken out and counted, and a sentence for each
    suppression that is not in force."""
    family = Family(snapshot)
    annotations: dict[Ref, WrittenSuppressions] = {}
    suppressed: dict[str, Suppressed] = {}
    for finding in _findings(report):
        if (by := _suppression(finding, written, annotations, family, catalogue, today)) is not None:
            suppressed[finding.id] = Suppressed(finding, by.reason, by.until, by.by)
    sentences = (*written.refused, *(text for one in annotations.values() for text in one.refused))
    if not suppressed:
        return msgspec.structs.replace(report, unheeded=sentences) if sentences else report
    kept = {name for incident in report.incidents for name in _kept(incident, suppressed)}
    return msgspec.structs.replace(
        report,
        incidents=_by_badness(report, kept, suppressed),
        findings=tuple(
            msgspec.structs.replace(finding, suppressed=True) if finding.id in suppressed else finding
            for finding in report.findings
            if finding.id in kept
        ),
        on_it=tuple(finding for finding in report.on_it if finding.id not in suppressed),
        suppressed=tuple(suppressed.values()),
        unheeded=sentences,
    )


def _findings(report: Report) -> Iterator[ReportedFinding]:
    yield from report.findings
    yield from report.on_it


def _places(about: Ref, family: Family) -> Iterator[Ref]:
    """Where an annotation means a finding: its object, the workloads that own that, the namespace."""
    yield from family.line(about)
    if about.namespace:
        yield Ref("Namespace", "", about.namespace)


def _suppression(
    finding: ReportedFinding,
    written: WrittenSuppressions,
    annotations: dict[Ref, WrittenSuppressions],
    family: Family,
    catalogue: Catalogue,
    today: date | None,
) -> Suppression | None:
    for place in _places(finding.about, family):
        if place not in annotations:
            obj = family.snapshot.get(place)
            text = ((obj.metadata.annotations or {}) if obj is not None else {}).get(ANNOTATION)
            annotations[place] = (
                written_in_annotation(text, place, catalogue, today) if isinstance(text, str) else WrittenSuppressions()
            )
        for one in annotations[place].suppressions:
            if finding.code in one.codes:
                return one
    line = family.line(finding.about)
    return next((one for one in written.suppressions if one.fits(finding.code, finding.about, line)), None)


def _kept(incident: Incident, suppressed: dict[str, Suppressed]) -> Iterator[str]:
    """What is not suppressed, and all that it follows from."""
    for name in incident.members:
        if name not in suppressed:
            yield from incident.line_to(name)


def _by_badness(report: Report, kept: set[str], suppressed: Iterable[str]) -> tuple[Incident, ...]:
    """The incidents that are left, in their order; one is not worse than what it has that is not suppressed."""
    left = [shortened for incident in report.incidents if (shortened := _shortened(incident, kept)) is not None]
    gone = frozenset(suppressed)

    def worst(incident: Incident) -> int:
        return min(report.finding(name).severity.rank for name in incident.members if name not in gone)

    return tuple(sorted(left, key=worst))


def _shortened(incident: Incident, kept: set[str]) -> Incident | None:
    roots = [name for name in (incident.cause, *incident.alike) if name in kept]
    if not roots:
        return None
    above = dict(zip(incident.consequences, incident.because, strict=False))
    consequences = tuple(name for name in incident.consequences if name in kept)
    because = tuple(above.get(name, roots[0]) for name in consequences) if incident.because else ()
    links = tuple(link for link in incident.links if link.finding in kept)
    circle = incident.circle if set(incident.circle) <= kept else ()
    return Incident(roots[0], consequences, because, tuple(roots[1:]), links, circle)
