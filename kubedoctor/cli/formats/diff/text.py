"""A comparison for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kubedoctor.cli.formats.blocks import block, fix_lines
from kubedoctor.cli.formats.style import PLAIN, Style
from kubedoctor.cli.formats.wrapping import columns, wrapped
from kubedoctor.cluster.grammar.text import counted, visible
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.snapshot import UNKNOWN_TIME
from kubedoctor.engine.over_time import CauseComparison, ComparedCause, ComparedTrouble
from kubedoctor.engine.report import Report, ReportedFinding
from kubedoctor.engine.words import (
    ALIKE,
    CHANGED,
    FIX,
    IMPACT,
    LEARN,
    MARKS,
    NOT_CHECKED,
    SUPPRESSED,
    changed_line,
    named,
)
from kubedoctor.findings import Severity
from kubedoctor.findings.commands import own_command

_MOST_NAMES = 12
_COLOURS = {Severity.CRITICAL: "31", Severity.WARNING: "33", Severity.NOTICE: "36"}


def diff_text(found: CauseComparison, style: Style = PLAIN) -> str:
    """What is new first, then what is gone, then what is still there."""
    return "\n".join(_Page(found, style).lines()) + "\n"


class _Page:
    """One comparison, drawn."""

    def __init__(self, found: CauseComparison, style: Style) -> None:
        self._found = found
        self._width = style.width
        self._colour = style.colour

    def lines(self) -> Iterator[str]:
        found = self._found
        yield from (self._paint(line, "1") for line in wrapped(_verdict(found), self._width, "", "  "))
        yield ""
        yield from block("before", [_state(found.before)], self._width)
        older = UNKNOWN_TIME != found.after.taken_at < found.before.taken_at
        yield from block("after", [f"{_state(found.after)}{', which is older' if older else ''}"], self._width)
        yield ""
        if found.new or found.open_new:
            yield self._paint("New", "1")
            for cause, alike in _alike(found.new):
                yield from self._new(cause, alike)
            yield from self._open(found.open_new)
            yield ""
        if found.gone or found.open_gone:
            yield self._paint("Gone", "1")
            for cause, alike in _alike(found.gone):
                yield from self._gone(cause, alike)
            for trouble in found.open_gone:
                mark = "?" if trouble.unsure else self._paint("✓", "32")
                yield from wrapped(f"{mark} {_says(trouble)}", self._width, "", "  ")
                yield from self._unsure_after(trouble.unsure)
            yield ""
        if found.still:
            yield self._paint("Still there", "1")
            for cause in found.still:
                yield from self._still(cause)
            yield ""
        yield from self._left_out()

    def _new(self, cause: ComparedCause, alike: Sequence[str]) -> Iterator[str]:
        finding = cause.finding
        yield self._head(cause, f"{finding.code} {finding.confidence.value}")
        yield from wrapped(visible(finding.summary), self._width, "  ")
        yield from block(ALIKE, alike, self._width)
        yield from block(IMPACT, _titles(cause.impact_after), self._width)
        yield from block(CHANGED, filter(None, [changed_line(finding, self._found.after.taken_at)]), self._width)
        yield from block(FIX, (line for fix in finding.fixes[:1] for line in fix_lines(fix)), self._width)
        yield from self._unsure_before(cause.unsure)
        yield from block(LEARN, [own_command("explain", finding.code)], self._width)

    def _gone(self, cause: ComparedCause, alike: Sequence[str]) -> Iterator[str]:
        mark = "?" if cause.unsure else self._paint("✓", "32")
        yield from wrapped(f"{mark} {_sentence(cause.finding)}", self._width, "", "  ")
        yield from block(ALIKE, alike, self._width)
        yield from self._unsure_after(cause.unsure)
        if cause.deleted and not cause.unsure:
            yield from wrapped("the object was deleted", self._width, "  ")

    def _still(self, cause: ComparedCause) -> Iterator[str]:
        mark = self._paint(MARKS[cause.severity], _COLOURS[cause.severity])
        yield from wrapped(f"{mark} {_sentence(cause.finding)}", self._width, "", "  ")
        for line in _changes(cause):
            yield from wrapped(line, self._width, "    ", "      ")

    def _open(self, troubles: Iterable[ComparedTrouble]) -> Iterator[str]:
        for trouble in troubles:
            yield from wrapped(f"? {_says(trouble)}", self._width, "", "  ")
            yield from self._unsure_before(trouble.unsure)

    def _unsure_before(self, why: str) -> Iterator[str]:
        if why:
            yield from block(NOT_CHECKED, [f"before, so it may be older: {visible(why)}"], self._width)

    def _unsure_after(self, why: str) -> Iterator[str]:
        if why:
            yield from block(NOT_CHECKED, [f"after, so it may still be there: {visible(why)}"], self._width)

    def _left_out(self) -> Iterator[str]:
        for name, report in (("before", self._found.before), ("after", self._found.after)):
            reasons = sorted({*report.problems, *(entry.why for entry in report.not_checked)})
            if reasons:
                yield self._paint(f"{NOT_CHECKED.capitalize()} {name}", "1")
                for reason in reasons[:_MOST_NAMES]:
                    yield from wrapped(visible(reason), self._width, "  ", "    ")
                yield ""

    def _head(self, cause: ComparedCause, tail: str) -> str:
        mark = self._paint(MARKS[cause.severity], _COLOURS[cause.severity])
        head = visible(cause.finding.about.title)
        room = self._width - columns(head) - columns(tail) - 2
        return f"{mark} {self._paint(head, '1')}{' ' * max(room, 2)}{tail}"

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text


def _verdict(found: CauseComparison) -> str:
    new, gone = len(found.new) + len(found.open_new), len(found.gone) + len(found.open_gone)
    worse = sum(1 for cause in found.still if cause.worse)
    still = f"{len(found.still)} still there{f', {worse} of them worse' if worse else ''}"
    suppressed = f", {len(found.after.suppressed)} {SUPPRESSED}" if found.after.suppressed else ""
    if not (new or gone or found.still):
        return f"no causes before, none after{suppressed}"
    return f"{new} new, {gone} gone, {still}{suppressed}"


def _alike(causes: Iterable[ComparedCause]) -> Iterator[tuple[ComparedCause, Sequence[str]]]:
    """The first cause with each sentence, and a line of the other objects that it is true of."""
    groups: dict[tuple[str, str, str, bool], list[ComparedCause]] = {}
    for cause in causes:
        groups.setdefault((cause.finding.code, cause.finding.summary, cause.unsure, cause.deleted), []).append(cause)
    for first, *others in groups.values():
        titles = [visible(other.finding.about.title) for other in others]
        yield first, [named(titles, _MOST_NAMES)] if titles else []


def _state(report: Report) -> str:
    version = f", Kubernetes {visible(report.source.kubernetes)}" if report.source.kubernetes else ""
    at = "" if report.taken_at == UNKNOWN_TIME else f", at {report.taken_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{visible(report.source.name)}{version}{at}: {counted(len(report.incidents), 'cause')}"


def _sentence(finding: ReportedFinding) -> str:
    return f"{visible(finding.about.title)}: {visible(finding.summary)} ({finding.code})"


def _says(trouble: ComparedTrouble) -> str:
    entry = trouble.entry
    return f"{visible(entry.about.title)}: {visible(entry.says)} (not explained)"


def _titles(names: Iterable[Ref]) -> Sequence[str]:
    titles = [visible(name.title) for name in sorted(names)]
    return [named(titles, _MOST_NAMES)] if titles else []


def _changes(cause: ComparedCause) -> Iterator[str]:
    before, after = cause.severity_before, cause.severity_after
    if before is not None and after is not None and before is not after:
        yield f"{before.value} → {after.value}"
    if cause.because_after is not None:
        yield f"now because of {_sentence(cause.because_after)}"
    if cause.because_before is not None:
        yield f"before because of {_sentence(cause.because_before)}"
    if more := _titles(cause.impact_after - cause.impact_before):
        yield f"also suffers now: {more[0]}"
    if fewer := _titles(cause.impact_before - cause.impact_after):
        yield f"suffers no more: {fewer[0]}"
