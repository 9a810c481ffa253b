"""What a report page says beside the report: how each incident spread, and what happened when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from kubedoctor.answers.timeline.entries import entries
from kubedoctor.answers.timeline.timeline_entry import TimelineEntry
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.snapshot import UNKNOWN_TIME, Snapshot
from kubedoctor.engine.over_time import Healing
from kubedoctor.engine.report import Incident, Report, ReportedFinding

MOST_ENTRIES: Final = 40
MOST_OBJECTS: Final = 40
"""Objects of an incident whose past is read: of 180 pods with one fault each tells the same."""


class StoryNode(msgspec.Struct, frozen=True):
    """A finding of an incident, or several with one sentence below the same finding. names: of all of them. depth: 0 for the
    cause. below: what follows. relation: how it is related to what is above it."""

    finding: ReportedFinding
    names: tuple[Ref, ...]
    depth: int
    below: tuple[StoryNode, ...] = ()
    relation: str = ""

    def __iter__(self) -> Iterator[StoryNode]:
        """Itself and all below, from the top."""
        yield self
        for node in self.below:
            yield from node


class StoryEntry(msgspec.Struct, frozen=True):
    """Something that happened to several objects at the same moment, in the same words."""

    at: datetime
    names: tuple[Ref, ...]
    text: str
    bad: bool = False
    change: bool = False


class IncidentStory(msgspec.Struct, frozen=True):
    """roots: the cause, and those alike folded into it. timeline: oldest first. since: the onset. left_out: entries that were
    too many; those farthest from the onset are left out, changes last."""

    incident: Incident
    roots: tuple[StoryNode, ...]
    timeline: tuple[StoryEntry, ...]
    since: datetime | None = None
    left_out: int = 0


class ProofStory(msgspec.Struct, frozen=True):
    """An incident whose cause was changed, and what became of it. story: without what followed from it."""

    healing: Healing
    story: IncidentStory


class ReportStory(msgspec.Struct, frozen=True):
    """A report and the story of each of its incidents. proofs: of incidents that were followed and are no longer in it."""

    report: Report
    incidents: tuple[IncidentStory, ...]
    proofs: tuple[ProofStory, ...] = ()


def story_of(report: Report, snapshot: Snapshot, followed: Sequence[Healing] = ()) -> ReportStory:
    """The stories of the incidents, from what was seen; nothing is fetched. followed: those whose causes were changed."""
    family = Family(snapshot)
    cluster = Cluster(snapshot, lenient=True)
    told = {id_ for incident in report.incidents for id_ in incident.members}
    return ReportStory(
        report,
        tuple(_story(incident, report, family, cluster) for incident in report.incidents),
        tuple(_proof(one, report, family, cluster) for one in followed if one.cause.id not in told),
    )


def _story(incident: Incident, report: Report, family: Family, cluster: Cluster) -> IncidentStory:
    roots, names = tree(incident, report), _concerned(map(report.finding, incident.members), family)
    return _with_timeline(incident, roots, names, report, cluster)


def _proof(healing: Healing, report: Report, family: Family, cluster: Cluster) -> ProofStory:
    cause = healing.cause
    names = tuple(dict.fromkeys((*_concerned([cause], family), *sorted(healing.sufferers))))[:MOST_OBJECTS]
    roots = (StoryNode(cause, (cause.about,), 0),)
    return ProofStory(healing, _with_timeline(Incident(cause.id), roots, names, report, cluster))


def _with_timeline(
    incident: Incident, roots: tuple[StoryNode, ...], names: Sequence[Ref], report: Report, cluster: Cluster
) -> IncidentStory:
    happened = entries((obj for name in names if (obj := cluster.snapshot.get(name)) is not None), cluster)
    onset = roots[0].finding.since
    since = onset.at if onset is not None else None
    joined = _joined(happened)
    around = since if since is not None else report.taken_at
    nearest = sorted(joined, key=lambda entry: (not entry.change, abs(entry.at - around)))[:MOST_ENTRIES]
    timeline = tuple(entry for entry in joined if entry in nearest)
    return IncidentStory(incident, roots, timeline, since, len(joined) - len(timeline))


def _joined(happened: Sequence[TimelineEntry]) -> tuple[StoryEntry, ...]:
    """Oldest first."""
    groups: dict[tuple[datetime, str, bool, bool], dict[Ref, None]] = {}
    for entry in reversed(happened):
        groups.setdefault((entry.at, entry.text, entry.bad, entry.change), {})[entry.about] = None
    return tuple(StoryEntry(at, tuple(names), text, bad, change) for (at, text, bad, change), names in groups.items())


def _concerned(findings: Iterable[ReportedFinding], family: Family) -> tuple[Ref, ...]:
    """The objects whose past can have led to the incident: of the cause with what it affects, then of what follows."""
    names: dict[Ref, None] = {}
    for finding in findings:
        changed = (finding.changed.about,) if finding.changed is not None else ()
        for name in (finding.about, family.top(finding.about), *changed, *finding.because_of, *finding.affects):
            names[name] = None
    return tuple(names)[:MOST_OBJECTS]


def tree(incident: Incident, report: Report) -> tuple[StoryNode, ...]:
    """The findings of an incident below their causes; those with one code and sentence below one cause are one node."""
    above = dict(zip(incident.consequences, incident.because, strict=False))
    relations = {link.finding: link.relation for link in incident.links}
    below: dict[str, list[str]] = {}
    for id_ in incident.consequences:
        below.setdefault(above.get(id_, incident.cause), []).append(id_)

    def nodes(ids: list[str], depth: int) -> tuple[StoryNode, ...]:
        groups: dict[tuple[str, str], list[ReportedFinding]] = {}
        for finding in map(report.finding, ids):
            groups.setdefault((finding.code, finding.summary), []).append(finding)
        return tuple(
            StoryNode(
                group[0],
                tuple(finding.about for finding in group),
                depth,
                nodes([id_ for finding in group for id_ in below.get(finding.id, ())], depth + 1),
                relations.get(group[0].id, ""),
            )
            for group in groups.values()
        )

    roots = nodes([incident.cause], 0)
    if not incident.alike:
        return roots
    alike = nodes(list(incident.alike), 0)
    first = roots[0]
    same = [
        node
        for node in alike
        if (node.finding.code, node.finding.summary) == (first.finding.code, first.finding.summary)
    ]
    names = (*first.names, *(name for node in same for name in node.names))
    below_all = (*first.below, *(child for node in same for child in node.below))
    return (
        msgspec.structs.replace(first, names=names, below=below_all),
        *(node for node in alike if node not in same),
    )


def source_line(report: Report) -> str:
    """`prod, Kubernetes v1.37.2, 2026-11-23 14:39:09 UTC`."""
    version = f", Kubernetes {report.source.kubernetes}" if report.source.kubernetes else ""
    at = "" if report.taken_at == UNKNOWN_TIME else f", {report.taken_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return f"{report.source.name}{version}{at}"
