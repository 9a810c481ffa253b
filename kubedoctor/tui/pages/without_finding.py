"""The page about an object without a finding: what its own status says. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from kubedoctor.cluster import Event, Snapshot
from kubedoctor.cluster.grammar.text import counted
from kubedoctor.engine import words
from kubedoctor.engine.health import Health, bad_conditions
from kubedoctor.findings import Command
from kubedoctor.findings.commands import in_cluster
from kubedoctor.tui import look
from kubedoctor.tui.pages.events import add_event, events_about
from kubedoctor.tui.pages.incidents import ObjectVerdict
from kubedoctor.tui.pages.ink import badge, beside, blanks, command_band, ends, flowing, ink
from kubedoctor.tui.pages.page import Line, Page, Piece
from kubedoctor.tui.pages.why_parts import Sections, chip, gap_lines, gutter, sentence_about
from kubedoctor.tui.rows import WITH_LOGS, Row

MOST_UNEXPLAINED = 3
MOST_EVENTS = 5
MOST_GAPS = 4
_LOGS = "l logs   p previous logs   "


def add_nothing_found(sections: Sections, verdict: ObjectVerdict, row: Row, snapshot: Snapshot) -> None:
    """No finding: what the object's own status says, and what to look at next."""
    good = row.health in (Health.HEALTHY, Health.IDLE) and not verdict.unexplained
    health = Health.DEGRADED if verdict.unexplained and row.health is not Health.BROKEN else row.health
    text = "no problems found" if good else (f"{row.ready} ready" if row.ready else row.status or "not healthy")
    mark = chip(health)
    if good and verdict.not_checked:
        mark, text = (Piece(f" {look.UNKNOWN} ", "unknown-chip"), Piece(" ")), words.NOT_ALL_CHECKED
    ran = f"{counted(verdict.diagnostics_run, 'diagnostic')} found no problem with it"
    note = ran if good else "no diagnostic explains this"
    sections.add(
        lambda width: [*beside(mark, flowing(sentence_about(row.ref, text), width - 4)), (*blanks(4), ink(note, "dim"))]
    )
    add_unexplained(sections, verdict)
    obj = snapshot.get(row.ref)
    bad = [] if good or verdict.unexplained or obj is None else [stated for _, stated in bad_conditions(obj)]
    if bad:
        facts = [
            (f"{condition.type} = {condition.status}", " ".join(filter(None, (condition.reason, condition.message))))
            for condition in bad
        ]
        sections.label("conditions", partial(_conditions, facts))
    quoted = {fact.text for item in verdict.unexplained for fact in item.evidence}
    events = () if good else events_about(row.ref, snapshot)
    warnings = [event for event in events if event.type == "Warning" and event.message not in quoted]
    if warnings:
        sections.label("warnings", partial(_warnings, warnings[-MOST_EVENTS:], snapshot))
    if not good:
        line = in_cluster(row.ref.describe_command, snapshot.source.flags)
        sections.add(partial(_describe, line, row.ref.kind in WITH_LOGS))
    if verdict.not_checked:
        sections.label(words.NOT_CHECKED, partial(gap_lines, verdict.not_checked, MOST_GAPS))


def _conditions(facts: Sequence[tuple[str, str]], width: int) -> list[Line]:
    return [line for state, says in facts for line in flowing([ink(state, "path"), ink(f"  {says}")], width, 2)]


def _warnings(events: Sequence[Event], snapshot: Snapshot, width: int) -> list[Line]:
    page = Page()
    for event in events:
        add_event(page, event, snapshot, indent=0)
    return page.lines(width)


def _describe(line: str, has_logs: bool, width: int) -> list[Line]:
    indent = gutter(width)
    keys = f"{_LOGS if has_logs else ''}d describe   y YAML"
    first = ends(
        (ink(f"{words.NEXT:<{indent}}", "dim"), ink(keys, "dim")), badge(words.EFFECTS[Command("").effect]), width
    )
    return [first, *command_band(line, width, "x")]


def add_unexplained(sections: Sections, verdict: ObjectVerdict) -> None:
    """Trouble in the status of the object, or of objects that it controls, that no finding explains."""
    if verdict.unexplained:
        sections.label(words.NOT_EXPLAINED, partial(_unexplained_lines, verdict))


def _unexplained_lines(verdict: ObjectVerdict, width: int) -> list[Line]:
    lines: list[Line] = []
    for item in verdict.unexplained[:MOST_UNEXPLAINED]:
        name = () if item.about == verdict.subject else (ink(f"{item.about.title}: ", "", item.about),)
        mark = (Piece("! ", "degraded"),)
        lines += beside(mark, flowing([*name, ink(item.says, "strong")], width - 2))
        for fact in item.evidence:
            label = fact.shows if fact.object.kind == "Event" else fact.path
            lines += [
                (*blanks(2), *line) for line in flowing([ink(label, "path"), ink(f"  {fact.text}")], width - 2, 2)
            ]
    if len(verdict.unexplained) > MOST_UNEXPLAINED:
        lines.append((ink(words.and_more(len(verdict.unexplained) - MOST_UNEXPLAINED), "dim"),))
    return lines
