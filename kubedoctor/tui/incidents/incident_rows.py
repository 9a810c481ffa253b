"""The incidents of a report as rows, and the tree of each: pure, so that a worker can do it and a test can read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from kubedoctor.cluster import Ref, Snapshot
from kubedoctor.cluster.grammar.text import counted, visible
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS
from kubedoctor.engine import Incident, Report, ReportedFinding
from kubedoctor.engine.health import Health, health_of, stated_health
from kubedoctor.tui import look
from kubedoctor.tui.incidents.reasons import MOST_OF_REASON, reason_of
from kubedoctor.tui.marks import Marks, Restarts, restarts_of
from kubedoctor.tui.pages.ink import kind_word
from kubedoctor.tui.rows import Row, View, make_rows, place_in, searchable

WIDEST_BREAKS = 12
"""Cells that the list has for what suffers."""


class IncidentRow(Row, frozen=True, gc=False):
    """An incident, or an object of its tree. `created` is the onset, `restarts` those of the pods of its cause.

    changed: when the newest change before it was. reason: a few words. breaks: what suffers, `5 workloads`.
    lead: the lines of the tree that lead to it; empty for the incident itself.
    """

    changed: datetime | None = None
    reason: str = ""
    breaks: str = ""
    lead: str = ""


def view_rows(
    snapshot: Snapshot,
    view: View,
    report: Report | None = None,
    *,
    whole: bool = True,
    restarts: Restarts | None = None,
    marks: Marks | None = None,
) -> tuple[Row, ...]:
    """The rows of any view; for all but `Finding` see `make_rows`."""
    if view.kind == "Finding":
        return incident_rows(report, snapshot, view.namespace) if report is not None else ()
    return make_rows(snapshot, view, report, whole=whole, restarts=restarts, marks=marks)


def incident_rows(report: Report, snapshot: Snapshot, namespace: str = "") -> tuple[IncidentRow, ...]:
    """The incidents that concern a namespace (empty: all), worst first."""
    family = Family(snapshot)
    rows: list[IncidentRow] = []
    for place, incident in enumerate(report.incidents):
        if namespace and not concerns(incident, report, namespace):
            continue
        cause = report.finding(incident.cause)
        rows.append(
            IncidentRow(
                ref=cause.about,
                health=health_of(report.severity_of(incident)),
                ready=cause.code,
                status=f"{len(incident.alike) + 1} workloads: {cause.summary}" if incident.alike else cause.summary,
                restarts=_restarts(cause.about, family),
                created=cause.since.at if cause.since is not None else None,
                finding=incident.cause,
                search=searchable(cause.about, cause.code, cause.summary, *_names(incident, report)),
                place=place,
                changed=cause.changed.at if cause.changed is not None else None,
                reason=reason_of(cause),
                breaks=breaks(incident, report, family),
            )
        )
    rows += [row for row in _unexplained(report) if not namespace or row.ref.namespace in ("", namespace)]
    return tuple(sorted(rows, key=place_in("health")))


def incident_counts(report: Report, namespace: str = "") -> dict[Health, int]:
    """How many incidents of each health concern a namespace (empty: all), as the header of any list says it."""
    found = [
        health_of(report.severity_of(incident))
        for incident in report.incidents
        if not namespace or concerns(incident, report, namespace)
    ]
    found += [row.health for row in _unexplained(report) if not namespace or row.ref.namespace in ("", namespace)]
    return {health: found.count(health) for health in set(found)}


def _unexplained(report: Report) -> Iterator[IncidentRow]:
    """Objects that report trouble, or are not ready, without a finding."""
    for item in (*report.unexplained, *report.not_ready):
        yield IncidentRow(
            ref=item.about,
            health=Health.DEGRADED,
            status=item.says,
            search=searchable(item.about, item.says),
            reason=visible(item.says, MOST_OF_REASON),
        )


def concerns(incident: Incident, report: Report, namespace: str) -> bool:
    """Whether anything of an incident is in the namespace."""
    return any(
        name.namespace == namespace
        for finding in map(report.finding, incident.members)
        for name in (finding.about, *finding.affects)
    )


def _names(incident: Incident, report: Report) -> Iterator[str]:
    """The objects with a finding, so that a filter finds who suffers."""
    for id_ in incident.members[1:]:
        about = report.finding(id_).about
        yield f"{about.namespace}/{about.name}"


def _restarts(about: Ref, family: Family) -> int:
    if about.kind not in WORKLOAD_KINDS and about.kind != "Pod":
        return 0
    return sum(
        restarts_of(pod)
        for name in family.members(about)
        if name.kind == "Pod" and (pod := family.snapshot.get(name)) is not None
    )


def sufferers(incident: Incident, report: Report, family: Family) -> tuple[Ref, ...]:
    """The objects that suffer, the cause left out: workloads for their pods and ReplicaSets."""
    own = {family.top_seen(report.finding(id_).about) for id_ in (incident.cause,)}
    names: dict[Ref, None] = {}
    for finding in map(report.finding, incident.members):
        for name in (finding.about, *finding.affects):
            top = family.top_seen(name)
            if top not in own:
                names[top] = None
    return tuple(names)


def breaks(incident: Incident, report: Report, family: Family) -> str:
    """How many suffer: workloads before all others; empty where it is only the object itself."""
    names = sufferers(incident, report, family)
    workloads = sum(name.kind in WORKLOAD_KINDS or name.kind == "Pod" for name in names)
    if workloads:
        return counted(workloads, "workload")
    kinds = {name.short_kind for name in names}
    if len(kinds) == 1:
        (kind,) = kinds
        title = View(names[0].kind).title
        if len(f"1 {title}") > WIDEST_BREAKS:  # decided by the kind, so that all rows have the same form
            return f"{len(names)} {kind_word(names[0].kind)}"
        return counted(len(names), kind, title)
    return counted(len(names), "object") if names else ""


# The tree


def tree_rows(finding: str, report: Report, snapshot: Snapshot) -> tuple[IncidentRow, ...]:
    """What follows from the cause of an incident, each below what it follows from; last the workloads that suffer without
    a finding of their own."""
    incident = next((one for one in report.incidents if one.cause == finding), None)
    if incident is None:
        return ()
    family = Family(snapshot)
    below: dict[str, list[str]] = {}
    for id_ in incident.consequences:
        below.setdefault(incident.line_to(id_)[-2], []).append(id_)
    shown = {family.top_seen(report.finding(id_).about) for id_ in incident.members}
    return (
        *_level((*incident.alike, *below.get(finding, ())), below, report, family, shown, report.finding(finding), ""),
    )


def _level(
    ids: Iterable[str],
    below: dict[str, list[str]],
    report: Report,
    family: Family,
    shown: set[Ref],
    above: ReportedFinding,
    walls: str,
) -> Iterator[IncidentRow]:
    """The rows of one level and what is below each; then what the finding above affects."""
    ids = tuple(ids)
    affected = tuple(dict.fromkeys(top for name in above.affects if (top := family.top_seen(name)) not in shown))
    shown.update(affected)
    for number, id_ in enumerate(ids, start=1):
        last = number == len(ids) and not affected
        one = report.finding(id_)
        yield IncidentRow(
            ref=one.about,
            health=health_of(one.severity),
            ready=one.code,
            status=one.summary,
            finding=id_,
            search=searchable(one.about, one.summary),
            reason=reason_of(one),
            lead=f"{walls}{look.LAST if last else look.BRANCH}{look.LINE}",
        )
        deeper = walls + ("  " if last else f"{look.WALL} ")
        yield from _level(below.get(id_, ()), below, report, family, shown, one, deeper)
    for number, name in enumerate(affected, start=1):
        obj = family.snapshot.get(name)
        state = stated_health(obj) if obj is not None else None
        words = (
            f"{state.ready} ready" if state is not None and state.ready else state.status if state is not None else ""
        )
        health = state.health if state is not None and state.health is Health.BROKEN else Health.DEGRADED
        yield IncidentRow(
            ref=name,
            health=health,
            ready=state.ready if state is not None else "",
            status=words,
            search=searchable(name),
            reason=visible(words, MOST_OF_REASON),
            lead=f"{walls}{look.LAST if number == len(affected) else look.BRANCH}{look.LINE}",
        )
