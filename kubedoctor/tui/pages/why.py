"""The page that answers why: verdict, chain, first fix, impact, change, evidence, gaps, lesson. Pure.

Labels stand in a gutter at the left. There are no boxes and no heading lines; only the command leaves the gutter."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from kubedoctor.cluster import Ref, Snapshot
from kubedoctor.cluster.grammar.text import counted, visible_ends
from kubedoctor.engine import Catalogue, ReportedFinding, words
from kubedoctor.engine.health import Health, health_of, stated_health
from kubedoctor.engine.over_time import Healing
from kubedoctor.findings import Command, Confidence, Fix
from kubedoctor.tui import look
from kubedoctor.tui.incidents.proofs import add_proof
from kubedoctor.tui.incidents.reasons import reason_of
from kubedoctor.tui.pages.incidents import ObjectVerdict, copyables
from kubedoctor.tui.pages.ink import badge, beside, blanks, command_band, crop, ends, flowing, ink, named, pad, size
from kubedoctor.tui.pages.page import Line, Page, Piece
from kubedoctor.tui.pages.why_parts import (
    LONGEST_OWN_SENTENCE,
    NARROW,
    Sections,
    chip,
    columns,
    evidence_lines,
    gap_lines,
    gutter,
    how_it_fares,
    lesson_lines,
    name_lines,
    paragraph_lines,
    sentence_about,
    sentence_lines,
)
from kubedoctor.tui.pages.without_finding import MOST_GAPS, add_nothing_found, add_unexplained
from kubedoctor.tui.rows import Row

MOST_AFFECTED = 12
LONGEST_VERDICT = LONGEST_CAUSE = 240
"""Characters in the pane, so that a long message does not push the first fix out of sight; `w` shows all of it."""
LEAST_SAYING = 20
"""Cells for what a step of the chain says beside its name."""
LONGEST_CHAIN = 4
"""Steps in the pane; the cause and the last ones are shown."""


def why_page(
    verdict: ObjectVerdict,
    row: Row,
    snapshot: Snapshot,
    catalogue: Catalogue,
    *,
    full: bool = False,
    tight: bool = False,
    opened: int = 1,
    proof: Healing | None = None,
) -> Page:
    """The page about a row. full: every incident and every command in full. tight: without empty lines. opened: the fix
    whose command is shown, counted from 1. proof: what became of a change of the cause."""
    page = Page()
    sections = Sections(page, tight=tight)
    if proof is not None:
        add_proof(sections, proof, alone=proof.cause not in verdict.causes)
    if proof is not None and not verdict.incidents:
        return page
    if not verdict.incidents:
        add_nothing_found(sections, verdict, row, snapshot)
        return page
    numbers = {copyable.line: number for number, copyable in enumerate(copyables(verdict), start=1)}
    for position in range(len(verdict.incidents) if full else 1):
        if position:
            sections.add(lambda width: [(Piece(look.LINE * min(width, 40), "rule"),)])
        _Incident(sections, verdict, row, position, snapshot, full=full, opened=opened, numbers=numbers).add()
    if others := () if full else verdict.incidents[1:]:
        findings = [verdict.finding(one.cause) for one in others]
        healths = [health_of(verdict.severity_of(one)) for one in others]
        sections.label("also", partial(sentence_lines, list(zip(healths, findings, strict=True))))
    add_unexplained(sections, verdict)
    if verdict.not_checked:
        sections.label(words.NOT_CHECKED, partial(gap_lines, verdict.not_checked, None if full else MOST_GAPS))
    lessons = {diagnostic.code: diagnostic for diagnostic in catalogue.diagnostics}
    if (lesson := lessons.get(verdict.causes[0].code)) is not None:
        sections.label(words.LEARN, partial(lesson_lines, lesson.title))
    return page


class _Incident:
    """One incident as it concerns the object of the row."""

    def __init__(
        self,
        sections: Sections,
        verdict: ObjectVerdict,
        row: Row,
        position: int,
        snapshot: Snapshot,
        *,
        full: bool,
        opened: int,
        numbers: dict[str, int],
    ) -> None:
        self._sections, self._verdict, self._row, self._snapshot = sections, verdict, row, snapshot
        self._full, self._opened, self._numbers = full, opened, numbers
        self._incident = verdict.incidents[position]
        self._cause = verdict.finding(self._incident.cause)
        self._line = [verdict.finding(id_) for id_ in verdict.lines[position]]

    @property
    def _is_own(self) -> bool:
        """Whether the object has a finding of its own, and is not only affected."""
        return self._line[-1].about in self._verdict.members

    def add(self) -> None:
        """Put its sections on the page."""
        cause, sections = self._cause, self._sections
        sections.add(self._verdict_lines)
        steps = self._steps()
        if len(steps) > 1 or not self._is_own:
            sections.label("because", partial(self._staircase, steps))
        if cause.fixes:
            sections.add(self._fixes)
        printed = {fix.command for fix in cause.fixes}
        following = [command for command in cause.commands if command.line not in printed]
        if not cause.fixes and following:
            sections.add(partial(self._first_command, following[0]))
        chain = {finding.id for finding in (*self._line, *steps)}
        others = [self._verdict.finding(id_) for id_ in self._incident.consequences if id_ not in chain]
        affected = self._affected()
        if others or affected:
            sections.label(words.IMPACT, partial(self._impact, others, affected))
        if self._incident.alike:
            titles = [self._verdict.finding(id_).about for id_ in self._incident.alike]
            sections.label(words.ALIKE, partial(name_lines, titles))
        if changed := words.changed_line(cause, self._snapshot.taken_at):
            sections.label(words.CHANGED, partial(self._changed, changed))
        if cause.detail:
            text = cause.detail
            sections.label("detail", lambda width: paragraph_lines(text, width))
        sections.label(words.EVIDENCE, partial(evidence_lines, cause.about, cause.evidence, full=self._full))
        rest = following if cause.fixes else following[1:]
        if rest:
            sections.label(words.NEXT, partial(self._next, rest))
        if cause.would_disprove:
            text_of_doubt = cause.would_disprove
            sections.label(words.RULED_OUT_BY, lambda width: flowing([ink(text_of_doubt, "dim")], width))
        if cause.gaps:
            sections.label(words.NOT_CHECKED, partial(gap_lines, cause.gaps, None))

    # Verdict and chain

    def _verdict_lines(self, width: int) -> list[Line]:
        """The object's own sentence, how sure it is, and the code."""
        own, most = self._line[-1], LONGEST_VERDICT
        health = health_of(own.severity)
        about, text = own.about, own.summary
        if not self._is_own:
            health, about, text = self._row.health, self._row.ref, how_it_fares(self._row)
        elif own is not self._cause:
            most = LONGEST_OWN_SENTENCE
        else:
            health = health_of(self._verdict.severity_of(self._incident))
        sentence = sentence_about(about, visible_ends(text, None if self._full else most))
        lines = beside(chip(health), flowing(sentence, width - 4))
        alike = self._incident.alike
        sure: list[Piece] = [ink((own if self._is_own else self._cause).confidence.value)]
        if self._cause.confidence is not Confidence.CERTAIN and not self._full and self._cause.would_disprove:
            sure.append(ink("  also possible: see ruled out by", "dim"))
        if alike:
            sure.append(ink(f"  the same of {counted(len(alike), 'other')}", "dim"))
        return [*lines, ends([*blanks(4), *sure], [ink(self._codes(own), "faint")], width)]

    def _codes(self, own: ReportedFinding) -> str:
        """That of the sentence, and where it follows from another finding that of the cause."""
        if self._is_own and own.code == self._cause.code:
            return own.code
        return f"{own.code if self._is_own else ''} ← {self._cause.code}".lstrip()

    def _steps(self) -> list[ReportedFinding]:
        """From the cause to the object of the row; of the cause itself, to the worst that follows from it."""
        line = self._line
        if self._is_own and line[-1] is self._cause and self._incident.consequences:
            ends_ = [self._incident.line_to(id_) for id_ in self._incident.consequences]
            ranks = {id_: self._verdict.finding(id_).severity.rank for id_ in self._incident.consequences}
            deepest = min(ends_, key=lambda path: (ranks[path[-1]], -len(path), path))
            return [self._verdict.finding(id_) for id_ in deepest]
        return line

    def _staircase(self, steps: list[ReportedFinding], width: int) -> list[Line]:
        """The cause first, each step to the right of what it follows from."""
        shown = list(enumerate(steps))
        if not self._full and len(shown) > LONGEST_CHAIN:
            shown = [shown[0], *shown[1 - LONGEST_CHAIN :]]
        widest = max(len(step.about.title) + 2 * depth for depth, (_, step) in enumerate(shown)) + 2
        column = widest if widest + LEAST_SAYING <= width else 0
        lines: list[Line] = []
        before = -1
        for depth, (place, step) in enumerate(shown):
            health = health_of(step.severity if place else self._verdict.severity_of(self._incident))
            lead = (
                (Piece("  " * (depth - 1) + (look.LAST if place == before + 1 else look.GAP) + " ", "faint"),)
                if depth
                else ()
            )
            before = place
            own = "strong" if not depth else ""
            mark = Piece(f"{health.symbol} ", health.value)
            says = self._says(step, place)
            if not column:  # names before sentences
                name = named(step.about, width - size(lead) - 2, own=own)
                left = width - size(lead) - 4 - size(name)
                more = (Piece("  "), *crop((ink(says, "dim"),), left)) if depth and left >= len(says) else ()
                lines.append((*lead, mark, *name, *more))
                if not depth and place == 0 and step is not self._line[-1]:
                    lines += [(*blanks(2), *line) for line in flowing([ink(says)], width - 2)]
                continue
            name = named(step.about, column - 1 - size(lead), own=own)
            if not place and len(says) > width - column - 2:  # the cause has its sentence below its name
                lines.append(crop((*lead, mark, *name), width))
                lines += [(*blanks(2), *line) for line in flowing([ink(says)], width - 2)]
                continue
            text = flowing([ink(says, "dim" if depth else "")], width - column - 2)
            lines += beside((*pad((*lead, *name), column), mark), text[: None if self._full else 1])
        return lines

    def _says(self, step: ReportedFinding, place: int) -> str:
        """The cause says its whole sentence where it is not the verdict already."""
        if step is self._line[-1] and self._is_own:
            return reason_of(step)
        if not place:
            return visible_ends(step.summary, None if self._full else LONGEST_CAUSE)
        return step.summary if self._full else reason_of(step)

    # What to type

    def _fixes(self, width: int) -> list[Line]:
        lines: list[Line] = []
        indent, room = gutter(width), width >= NARROW
        for number, fix in enumerate(self._cause.fixes, start=1):
            is_open = self._full or number == self._opened or (number == 1 and self._opened > len(self._cause.fixes))
            tag = badge(words.EFFECTS[fix.effect]) if room else ()
            label = ink(f"{words.FIX if number == 1 else '':<{indent}}", "dim")
            key = Piece(f"{number}  ", "strong" if is_open else "key")
            verified = (Piece(f"{look.WELL} ", "healthy"),) if fix.verified else ()
            text = flowing(
                [*verified, ink(fix.summary, "strong" if is_open else "")],
                width - indent - 3 - (size(tag) + 2 if tag else 0),
            )
            if not is_open and len(text) > 1:
                text = [crop((*text[0][:-1], Piece(f"{text[0][-1].text} {look.GAP}", text[0][-1].role)), width)]
            lines.append(ends((label, key, *text[0]), tag, width))
            lines += [(*blanks(indent + 3), *more) for more in text[1:]]
            if not is_open:
                continue
            lines += self._command(fix.command, width, first=number == self._opened or self._opened == 1 == number)
            if not room:
                lines.append((*blanks(indent + 3), *badge(words.EFFECTS[fix.effect])))
            lines += self._proof(fix, indent + 3, width)
        return lines

    def _command(self, command: str, width: int, *, first: bool) -> list[Line]:
        if not command:
            return []
        return command_band(command, width, "x" if first else "")

    def _proof(self, fix: Fix, indent: int, width: int) -> list[Line]:
        if not (fix.verified and self._full):
            return []
        text = [ink("the problem is gone with it, and nothing that was well breaks", "dim")]
        mark = (*blanks(indent), Piece(f"{look.WELL} ", "healthy"), Piece("rehearsed: ", "good"))
        return beside(mark, flowing(text, width - size(mark)))

    def _first_command(self, command: Command, width: int) -> list[Line]:
        """Without a fix, the command that looks further."""
        indent = gutter(width)
        note = command.why or "look further"
        tag = badge(words.EFFECTS[command.effect]) if width >= NARROW else ()
        text = flowing([ink(note)], width - indent - size(tag) - 1)
        label = ink(f"{words.NEXT:<{indent}}", "dim")
        first = ends((label, *text[0]), tag, width)
        return [
            first,
            *((*blanks(indent), *more) for more in text[1:]),
            *self._command(command.line, width, first=True),
        ]

    def _next(self, commands: Sequence[Command], width: int) -> list[Line]:
        lines: list[Line] = []
        for command in commands:
            line = (ink(command.line), ink(f"  {command.why}", "dim"))
            lines += [line] if size(line) <= width else [*flowing([ink(command.line)], width, 2)]
            if size(line) > width and command.why:
                lines += [(*blanks(2), *more) for more in flowing([ink(command.why, "dim")], width - 2)]
        return lines

    # Impact and change

    def _affected(self) -> list[Ref]:
        """What suffers from the cause and has no finding of its own."""
        names = {self._verdict.finding(id_).about for id_ in self._incident.members} | self._verdict.members
        tops = dict.fromkeys(self._verdict.tops.get(name, name) for name in self._cause.affects if name not in names)
        return [name for name in tops if name not in names]

    def _impact(self, others: list[ReportedFinding], affected: list[Ref], width: int) -> list[Line]:
        lines: list[Line] = []
        if affected:
            cells = [self._sufferer(name) for name in affected[:MOST_AFFECTED]]
            lines += columns(cells, width)
            if len(affected) > MOST_AFFECTED:
                lines.append((ink(words.and_more(len(affected) - MOST_AFFECTED), "dim"),))
        return [*lines, *sentence_lines([(health_of(one.severity), one) for one in others], width)]

    def _sufferer(self, name: Ref) -> Line:
        obj = self._snapshot.get(name)
        state = stated_health(obj) if obj is not None else None
        health = state.health if state is not None and state.health is Health.BROKEN else Health.DEGRADED
        title = f"{name.namespace}/{name.name}" if name.namespace else name.name
        ready = (ink(f" {state.ready}", "dim"),) if state is not None and state.ready else ()
        return (Piece(f"{health.symbol} ", health.value), ink(title, "", name), *ready)

    def _changed(self, text: str, width: int) -> list[Line]:
        when, _, what = text.partition(": ")
        mark = (Piece(f"{look.CHANGED} ", "change-mark"),)
        return beside(mark, flowing([ink(when, "change"), ink(f"  {what}")], width - 2))
