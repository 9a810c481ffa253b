"""The report for a person at a terminal."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator

from kubedoctor.cluster.grammar.text import counted, visible
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.engine.report import Incident, NotChecked, Report, ReportedFinding
from kubedoctor.engine.words import EFFECTS, MARKS, verdict_line
from kubedoctor.findings import Effect, Severity

WIDTH = 110
LABEL = 13
MOST_CONSEQUENCES = 12
MOST_NOT_CHECKED = 8
MOST_UNEXPLAINED = 5
_COLOURS = {Severity.CRITICAL: "31", Severity.WARNING: "33", Severity.NOTICE: "36"}


def to_text(report: Report, *, colour: bool = False, debug: bool = False) -> str:
    """Incidents worst first, then what could not be checked, then the count."""
    paint = _Paint(colour)
    verdict = verdict_line(report)
    lines = [paint.code(verdict, "32") if verdict.startswith("✓") else paint.bold(verdict), ""]
    for incident in report.incidents:
        lines += [*_incident(report, incident, paint), ""]
    lines += _unexplained(report, paint, debug=debug)
    lines += _not_checked(report, paint, debug=debug)
    lines.append(paint.dim(_footer(report)))
    return "\n".join(lines) + "\n"


class _Paint:
    """Colour, or none."""

    def __init__(self, on: bool) -> None:
        self._on = on

    def code(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._on else text

    def bold(self, text: str) -> str:
        return self.code(text, "1")

    def dim(self, text: str) -> str:
        return self.code(text, "2")


def _incident(report: Report, incident: Incident, paint: _Paint) -> Iterator[str]:
    cause = report.finding(incident.cause)
    severity = report.severity_of(incident)
    mark = paint.code(MARKS[severity], _COLOURS[severity])
    tail = f"{cause.code} {cause.confidence.value}"
    head = f"{visible(cause.about.title)}"
    yield f"{mark} {paint.bold(head)}{' ' * max(2, WIDTH - len(head) - len(tail) - 2)}{tail}"
    yield from _wrapped(visible(cause.summary), "  ", "  ")
    if cause.detail:
        yield from _wrapped(visible(cause.detail, lines=True), "  ", "  ")
    yield from _consequences(report, incident, cause)
    yield from _block("evidence", list(_facts(cause)))
    yield from _block("fixes", _fixes(cause, paint))
    yield from _block("look", [f"{visible(one.line)}" + _why(one.why, one.effect) for one in cause.commands])
    if cause.would_disprove:
        yield from _block("unless", [visible(cause.would_disprove)])
    yield from _block("not seen", [visible(gap) for gap in cause.gaps])
    yield from _block("learn", [f"kubedoctor explain {cause.code}"])


def _consequences(report: Report, incident: Incident, cause: ReportedFinding) -> Iterator[str]:
    members = [report.finding(name) for name in incident.consequences]
    texts = [f"{visible(one.about.title)}: {visible(one.summary)} ({one.code})" for one in members]
    if len(texts) > MOST_CONSEQUENCES:
        texts = [*texts[:MOST_CONSEQUENCES], f"and {len(texts) - MOST_CONSEQUENCES} more"]
    others = [name for name in cause.affects if name != cause.about]
    if others and not texts:
        texts = [_affected(others)]
    elif len(others) > 1:
        texts.append(_affected(others))
    yield from _block("because of it", texts)


def _affected(names: list[Ref]) -> str:
    kinds = Counter(name.short_kind for name in names)
    parts = []
    for kind, number in sorted(kinds.items()):
        first = next(name for name in names if name.short_kind == kind)
        parts.append(visible(first.title) if number == 1 else f"{number} {kind}s, such as {visible(first.name)}")
    return "affects " + "; ".join(parts)


def _facts(cause: ReportedFinding) -> Iterator[str]:
    """A line for each fact; facts of another object stand under its name."""
    shown, headed = cause.about, False
    for fact in cause.evidence:
        if fact.object != shown:
            shown, headed = fact.object, True
            yield visible(shown.title)
        indent = "  " if headed else ""
        note = f"  ({visible(fact.shows)})" if fact.shows else ""
        yield f"{indent}{visible(fact.path)} = {visible(fact.text, 300)}{note}"


def _fixes(cause: ReportedFinding, paint: _Paint) -> list[str]:
    lines = []
    for fix in cause.fixes:
        mark = paint.code("✓", "32") if fix.verified else "·"
        lines.append(f"{mark} {visible(fix.summary)}")
        if fix.command:
            lines.append(f"  {visible(fix.command)}  [{EFFECTS[fix.effect]}]")
    return lines


def _why(why: str, effect: Effect) -> str:
    notes = [part for part in (visible(why), "" if effect is Effect.READS else EFFECTS[effect]) if part]
    return f"  # {', '.join(notes)}" if notes else ""


def _block(label: str, texts: list[str]) -> Iterator[str]:
    for index, text in enumerate(texts):
        start = f"  {label if index == 0 else '':<{LABEL}}  "
        if text.lstrip().startswith("kubectl "):  # Commands stay on one line: they are pasted.
            yield start + text
        else:
            margin = len(start) + len(text) - len(text.lstrip())
            yield from _wrapped(text, start, " " * (margin + 2 if margin > len(start) else margin))


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    lines = []
    for number, paragraph in enumerate(text.split("\n")):
        lines += textwrap.wrap(
            paragraph,
            WIDTH,
            initial_indent=first if number == 0 else rest,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return lines


def _unexplained(report: Report, paint: _Paint, *, debug: bool) -> Iterator[str]:
    """What objects say of themselves: of one that was asked for with the quotes, in a scan a line for each."""
    if not report.unexplained:
        return
    yield paint.bold("Not explained")
    shown = report.unexplained if debug else report.unexplained[:MOST_UNEXPLAINED]
    for one in shown:
        yield from _wrapped(f"{visible(one.about.title)}: {visible(one.says)}", "  ", "    ")
        if report.subject is not None:
            for fact in one.evidence:
                note = f"  ({visible(fact.shows)})" if fact.shows else ""
                yield from _wrapped(f"{visible(fact.path)} = {visible(fact.text, 300)}{note}", "    ", "      ")
            yield f"    {visible(one.about.describe_command)}"
    if len(report.unexplained) > len(shown):
        yield f"  and {len(report.unexplained) - len(shown)} more; -o json has them all"
    yield ""


def _not_checked(report: Report, paint: _Paint, *, debug: bool) -> Iterator[str]:
    groups: dict[str, list[NotChecked]] = {}
    for one in report.not_checked:
        groups.setdefault(one.why, []).append(one)
    worst = sorted(groups.items(), key=lambda group: (-len({one.diagnostic for one in group[1]}), group[0]))
    rows = [visible(problem) for problem in report.problems]  # often why the kinds below are lacking
    rows += [f"{visible(why)}{_who(members)}" for why, members in worst]
    if not rows:
        return
    yield paint.bold("Not checked")
    shown = rows if debug else rows[:MOST_NOT_CHECKED]
    for row in shown:
        yield from _wrapped(row, "  ", "    ")
    if len(rows) > len(shown):
        yield f"  and {len(rows) - len(shown)} more; -o json has them all"
    if debug:
        for one in report.not_checked:
            if one.traceback:
                yield textwrap.indent(visible(one.traceback, lines=True), "    ")
    yield ""


def _who(members: list[NotChecked]) -> str:
    names = sorted({visible(one.diagnostic) for one in members if one.diagnostic})
    if not names:
        return ""
    listed = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    return f"  ({listed})"


def _footer(report: Report) -> str:
    return (
        f"checked {counted(report.diagnostics_run, 'diagnostic')} over {counted(report.objects_seen, 'object')} "
        f"of {visible(report.source.name)}"
        + (f", Kubernetes {visible(report.source.kubernetes)}" if report.source.kubernetes else "")
        + f", at {report.taken_at:%Y-%m-%d %H:%M:%S} UTC"
    )
