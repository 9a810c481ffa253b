"""Clusters side by side: a row for each, and what is broken in it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from kubedoctor.cluster import Ref
from kubedoctor.cluster.grammar.text import counted, visible
from kubedoctor.engine import Report
from kubedoctor.engine.health import Health
from kubedoctor.tui.columns import ListColumn
from kubedoctor.tui.incidents.incident_rows import incident_counts
from kubedoctor.tui.look import WORKING
from kubedoctor.tui.pages.ink import beside, blanks, crop, flowing, ink, named, size
from kubedoctor.tui.pages.page import Line, Page
from kubedoctor.tui.pages.states import problem_page
from kubedoctor.tui.rows import EXAMINING, Row, searchable

MOST_INCIDENTS = 50


class ClusterRow(Row, frozen=True, gc=False):
    """The cluster of a context; its numbers are empty until it was examined. `status`: its worst incident, what is being
    done, or why it cannot be read."""

    broken: str = ""
    degraded: str = ""
    well: str = ""


def cluster_row(
    context: str, report: Report | None, well: int | None, problem: tuple[str, str] | None, doing: str
) -> ClusterRow:
    """problem: why nothing can be read, which counts more than an older report."""
    name = Ref("Context", "", context)
    if problem is not None:
        return ClusterRow(name, Health.DEGRADED, status=f"not read: {problem[0]}", search=searchable(name, problem[0]))
    if report is None:
        return ClusterRow(name, Health.IDLE, status=f"{WORKING} {doing or EXAMINING}", search=searchable(name))
    numbers = incident_counts(report)
    worst = report.finding(report.incidents[0].cause) if report.incidents else None
    health = next(
        (each for each in (Health.BROKEN, Health.DEGRADED, Health.NOTED) if numbers.get(each)),
        Health.HEALTHY if report.complete else Health.IDLE,
    )
    says = f"{worst.about.title}: {worst.summary}" if worst is not None else ""
    if not says:
        says = "nothing is broken" if report.complete else "nothing found in what could be read"
    return ClusterRow(
        name,
        health,
        status=says,
        search=searchable(name, says),
        broken=str(numbers.get(Health.BROKEN, 0)),
        degraded=str(numbers.get(Health.DEGRADED, 0)),
        well=str(well) if well is not None else "",
    )


def _cell(field: str, row: Row, _now: datetime) -> str:
    return getattr(row, field, "")


CLUSTER_COLUMNS = (
    ListColumn("CLUSTER", 30, lambda row, _: visible(row.ref.name, 100), fits=True, ends=True, narrow=14),
    ListColumn("BROKEN", 6, partial(_cell, "broken"), right=True),
    ListColumn("DEGRADED", 8, partial(_cell, "degraded"), right=True, yields=1),
    ListColumn("WELL", 5, partial(_cell, "well"), right=True, yields=2, role="dim"),
    ListColumn("WORST INCIDENT", 0, lambda row, _: visible(row.status, 300), least=24),
)


def cluster_page(report: Report | None, problem: tuple[str, str] | None, incidents: Sequence[Row]) -> Page:
    """The incidents of one cluster, the worst first, each in a line or two."""
    if problem is not None:
        return problem_page(*problem)
    page = Page()
    if report is None:
        page.add((EXAMINING, "dim"))
        return page
    for row in incidents[:MOST_INCIDENTS]:
        page.picture(partial(_incident, row))
    if len(incidents) > MOST_INCIDENTS:
        page.add((f"and {len(incidents) - MOST_INCIDENTS} more", "dim"), indent=2)
    if not incidents:
        says = "Nothing is broken" if report.complete else "No incidents in what could be read"
        page.add((says, "strong"))
    gaps = len({gap.why for gap in report.not_checked}) + len(report.problems)
    if gaps:
        page.blank()
        page.add((f"{counted(gaps, 'reason')} why something is not checked: enter lists them", "dim"))
    return page


def _incident(row: Row, width: int) -> list[Line]:
    mark = (ink(f"{row.health.symbol} ", row.health.value),)
    name = named(row.ref, width - size(mark) - 12)
    first = crop((*mark, *name, ink(f"  {row.ready}", "faint")), width)
    return [first, *((*blanks(2), *line) for line in beside((), flowing([ink(row.status, "dim")], width - 2)))]
