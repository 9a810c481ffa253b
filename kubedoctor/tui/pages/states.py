"""What the home says where it has no incidents to list: examining, healthy, empty, refused. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from kubedoctor.cluster.grammar.text import counted, visible
from kubedoctor.engine import Report, words
from kubedoctor.engine.health import Health
from kubedoctor.tui.home.empty import elsewhere
from kubedoctor.tui.look import UNKNOWN, WORKING
from kubedoctor.tui.pages.ink import beside, blanks, command_band, crop, flowing, ink, named, size
from kubedoctor.tui.pages.page import Line, Page, Piece
from kubedoctor.tui.pages.why_parts import chip
from kubedoctor.tui.rows import EXAMINING, Row

MOST_GAPS = 12
MOST_NOT_WELL = 10
MAY_READ = "kubectl auth can-i --list"
"""Prints what the present user may do; with -n in one namespace."""


def examining_page(doing: str, workloads: int, not_well: int = 0, worst: Sequence[Row] = ()) -> Page:
    """Before the first examination is over nothing is called well. not_well: how many workloads are broken or degraded by
    their own status; worst: the first of them."""
    page = Page()
    mark: Line = (Piece(f" {WORKING} ", "working-chip"), Piece(" "))
    seen = f"{counted(workloads, 'workload')} read so far" if workloads else "nothing read yet"
    page.picture(lambda width: beside(mark, flowing([ink(EXAMINING, "strong"), ink(f"  {doing}", "dim")], width - 4)))
    page.picture(lambda width: [(*blanks(4), *line) for line in flowing([ink(seen, "dim")], width - 4)])
    page.blank()
    if not_well:
        page.picture(partial(_not_well, not_well, worst))
        page.blank()
    note = "tab shows the workloads as they are read. Nothing is called well before all was examined."
    page.picture(lambda width: [(*blanks(4), *line) for line in flowing([ink(note, "faint")], width - 4)])
    return page


def _not_well(number: int, rows: Sequence[Row], width: int) -> list[Line]:
    """What broke them is not known yet."""
    heading = (
        f"{counted(number, 'workload')} broken or degraded so far, by {'its' if number == 1 else 'their'} own status"
    )
    lines: list[Line] = [(*blanks(4), *line) for line in flowing([ink(heading, "dim")], width - 4)]
    for row in rows:
        says = ink(f"  {row.ready} {row.status}".rstrip(), "dim")
        mark = (*blanks(4), ink(f"{row.health.symbol} ", row.health.value))
        room = width - size(mark)
        name = named(row.ref, max(room // 2, room - size((says,))))
        lines.append((*mark, *name, *crop((says,), room - size(name))))
    if number > len(rows):
        lines.append((*blanks(6), ink(words.and_more(number - len(rows)), "dim")))
    return lines


def problem_page(what: str, hint: str) -> Page:
    """The cluster cannot be read."""
    page = Page()
    page.picture(lambda width: beside(chip(Health.DEGRADED), flowing([ink(what, "strong")], width - 4)))
    page.picture(lambda width: [(*blanks(4), *line) for line in flowing([ink(hint, "dim")], width - 4)])
    return page


def no_incidents_page(report: Report, namespace: str, workloads: int, refused: str) -> Page:
    """What was looked at and found well, or why that cannot be said."""
    page = Page()
    where = f"namespace {namespace}" if namespace else report.source.name
    complete = report.complete and not refused
    if namespace and (other := elsewhere(namespace, report)):
        mark = _unknown() if not complete else chip(Health.HEALTHY if workloads else Health.IDLE)
        page.picture(partial(_first, mark, f"{counted(workloads, 'workload')} here, 0 incidents  {other}"))
        page.picture(partial(_second, "0 shows all namespaces, :ns lists them."))
    elif complete and workloads:
        page.picture(partial(_first, chip(Health.HEALTHY), f"Nothing is broken in {visible(where)}"))
    elif not workloads and not report.objects_seen:
        page.picture(partial(_first, _unknown(), f"Nothing could be checked in {visible(where)}"))
    elif report.all_checked and not refused:
        page.picture(partial(_first, chip(Health.IDLE), f"No workloads in {visible(where)}; nothing else is broken"))
    else:
        page.picture(partial(_first, _unknown(), f"No incidents in what could be read of {visible(where)}"))
        page.picture(partial(_second, "The rest is not checked, so nothing here is called well."))
    namespaces = counted(len(report.namespaces), "namespace")
    seen = f"{counted(workloads, 'workload')} in {namespaces}, " if workloads else ""
    ran = f"{seen}{counted(report.diagnostics_run, 'diagnostic')}"
    page.picture(partial(_second, ran))
    gaps = list(dict.fromkeys(gap.why for gap in report.not_checked))
    gaps += [problem for problem in report.problems if problem not in gaps]
    if refused and refused not in gaps:
        gaps.insert(0, refused)
    if gaps:
        page.blank()
        page.picture(partial(_gaps, gaps))
    if refused:
        asked = f"{MAY_READ} -n {namespace}" if namespace else MAY_READ
        page.blank()
        page.picture(lambda width: [(*blanks(4), *line) for line in command_band(asked, max(20, width - 6), "")])
        page.picture(partial(_second, "lists what you may read; the rest needs a Role with get and list"))
    return page


def _unknown() -> Line:
    return (Piece(f" {UNKNOWN} ", "unknown-chip"), Piece(" "))


def _first(mark: Line, text: str, width: int) -> list[Line]:
    return beside(mark, flowing([ink(text, "strong")], width - 4))


def _second(text: str, width: int) -> list[Line]:
    return [(*blanks(4), *line) for line in flowing([ink(text, "dim")], width - 4)]


def _gaps(gaps: list[str], width: int) -> list[Line]:
    lines: list[Line] = [(*blanks(4), ink(words.NOT_CHECKED, "dim"))]
    for gap in gaps[:MOST_GAPS]:
        mark = (*blanks(4), Piece(f"{UNKNOWN} ", "unknown-chip"))
        lines += beside(mark, flowing([ink(gap, "dim")], width - 6))
    if len(gaps) > MOST_GAPS:
        lines.append((*blanks(6), ink(words.and_more(len(gaps) - MOST_GAPS), "dim")))
    return lines
