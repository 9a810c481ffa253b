"""The report for a person at a terminal."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from kubedoctor.cli.formats.blocks import block, command_text, fix_lines
from kubedoctor.cli.formats.style import PLAIN, Style
from kubedoctor.cli.formats.wrapping import columns, padded, wrapped
from kubedoctor.cli.listing import ListedObject, Listing
from kubedoctor.cluster.grammar.text import capitalised, counted, visible, visible_end, visible_ends
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.cluster.seen.quoting import Evidence
from kubedoctor.cluster.seen.snapshot import UNKNOWN_TIME
from kubedoctor.engine.report import Incident, NotChecked, Report, ReportedFinding
from kubedoctor.engine.words import (
    ALIKE,
    CHANGED,
    CIRCLE,
    EVIDENCE,
    FIX,
    IMPACT,
    LEARN,
    MARKS,
    NEXT,
    NOT_CHECKED,
    NOT_EXPLAINED,
    NOT_READY,
    ON_IT,
    RULED_OUT_BY,
    SUPPRESSED,
    and_more,
    by_sentence,
    changed_line,
    circle_line,
    named,
    suppressed_lines,
    suppression_line,
    verdict_line,
)
from kubedoctor.findings import Severity
from kubedoctor.findings.commands import in_cluster, own_command

MOST_CONSEQUENCES = 12
MOST_NOT_CHECKED = 8
MOST_UNEXPLAINED = 5
MOST_SUPPRESSED = 8
MOST_WELL = 20
LONGEST_VALUE = 300
MANIFEST = "Manifest.kubedoctor.dev"
_EVERYTHING = 1_000_000
_COLOURS = {Severity.CRITICAL: "31", Severity.WARNING: "33", Severity.NOTICE: "36"}


def to_text(report: Report, style: Style = PLAIN, listing: Listing | None = None, *, wide: bool = False) -> str:
    """The matched objects, incidents worst first, what could not be checked, then the count. wide: nothing is left
    out."""
    return "\n".join(_Page(report, style, wide=wide).lines(listing)) + "\n"


def incident_text(report: Report, incident: Incident) -> str:
    """An incident as in the text, without colour, its lines in the width of a pipe."""
    return "\n".join(_Page(report, PLAIN, wide=False).incident(incident))


class _Page:
    """One report, drawn."""

    def __init__(self, report: Report, style: Style, *, wide: bool) -> None:
        self._report = report
        self._width = style.width
        self._colour = style.colour
        self._debug = style.debug
        self._all = wide or style.debug
        self._value = _EVERYTHING if wide else LONGEST_VALUE
        self._taught: set[str] = set()
        """The pages that findings in files have named: there may be many of one code."""

    def lines(self, listing: Listing | None) -> Iterator[str]:
        report = self._report
        verdict = verdict_line(report, listing.title if listing is not None else "")
        for line in wrapped(verdict, self._width, "", "  "):
            yield self._paint(line, "32" if verdict.startswith("✓") else "1")
        yield ""
        if listing is not None:
            yield from self._listing(listing)
            yield ""
        for incident in report.incidents:
            yield from self.incident(incident)
            yield ""
        yield from self._on_it()
        yield from self._unexplained()
        yield from self._not_ready()
        yield from self._suppressed()
        yield from self._not_checked()
        yield from (self._paint(line, "2") for line in wrapped(_footer(report), self._width, "", "  "))

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text

    def _mark(self, severity: Severity) -> str:
        return self._paint(MARKS[severity], _COLOURS[severity])

    def _listing(self, listing: Listing) -> Iterator[str]:
        """A line for each object; of many without a finding only some, unless all are requested."""
        well = sum(1 for row in listing.rows if row.finding is None and row.near is None and not row.says)
        shown = list(listing.rows)
        hidden = max(0, well - MOST_WELL) if not self._all else 0
        if hidden:
            shown = shown[: len(shown) - hidden]
        table = [self._titles(listing), *(self._cells(row, listing) for row in shown)]
        places = [place for place in range(len(table[0])) if any(cells[place] for cells in table[1:])]
        rows = [[cells[place] for place in places] for cells in table]
        widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
        widths[-1] = max(columns(cells[-1].partition(" ")[0]) for cells in rows)  # of a finding: its code
        for number, cells in enumerate(rows):
            mark = self._listed_mark(shown[number - 1]) if number else " "
            yield from self._row(f"  {mark} ", cells, widths, names=2 if listing.namespaced else 1)
        if hidden:
            yield f"    {and_more(hidden)} without findings; -o wide lists all"

    def _row(self, mark: str, cells: Sequence[str], widths: Sequence[int], *, names: int) -> Iterator[str]:
        """An object of a list. Where a terminal is too narrow for the start of the findings beside their objects, all
        columns but the first `names` stand below."""
        *first, finding = cells
        if sum(widths[:-1]) + 2 * len(first) + 4 + widths[-1] <= self._width:
            line = "  ".join(padded(cell, width) for cell, width in zip(first, widths, strict=False))
            yield from wrapped(finding, self._width, f"{mark}{line}  " if line else mark, " " * 8)
            return
        yield from wrapped("  ".join(filter(None, first[:names])), self._width, mark, " " * 8)
        if below := "  ".join(filter(None, [*first[names:], finding])):
            yield from wrapped(below, self._width, " " * 8)

    def _listed_mark(self, row: ListedObject) -> str:
        finding = row.finding or row.near
        if finding is not None:
            return self._mark(finding.severity)
        if row.says:
            return "?"
        return self._paint("✓", "32") if self._report.all_checked else "-"

    def _titles(self, listing: Listing) -> list[str]:
        shown = listing.columns if self._all else listing.columns[: listing.narrow]
        return [*(["NAMESPACE"] if listing.namespaced else []), "NAME", *shown, "FINDING"]

    def _cells(self, row: ListedObject, listing: Listing) -> list[str]:
        name = row.about.name if len({row.about.kind for row in listing.rows}) == 1 else _argument(row.about)
        cells = [visible(row.about.namespace)] if listing.namespaced else []
        cells.append(visible(name))
        cells += map(visible, row.cells if self._all else row.cells[: listing.narrow])
        if row.finding is None and row.near is not None:
            near = f"{row.near.code} {visible(row.near.diagnostic)} of {visible(row.near.about.title)}"
            return [*cells, near]
        if row.finding is None:
            return [*cells, visible(row.says)]
        cause = f", because of {visible(row.cause.about.title)} ({row.cause.code})" if row.cause is not None else ""
        return [*cells, f"{row.finding.code} {visible(row.finding.diagnostic)}{cause}"]

    def incident(self, incident: Incident) -> Iterator[str]:
        """An incident, with what its cause is known by."""
        cause = self._report.finding(incident.cause)
        head, tail = visible(_head(cause)), f"{cause.code} {cause.confidence.value}"
        mark = self._mark(self._report.severity_of(incident))
        room = self._width - columns(head) - columns(tail) - 2
        yield f"{mark} {self._paint(head, '1')}" + (f"{' ' * room}{tail}" if room > 1 else "")
        if room <= 1:
            yield f"  {tail}"
        yield from wrapped(visible(cause.summary), self._width, "  ")
        if cause.detail:
            yield from wrapped(visible(cause.detail, lines=True), self._width, "  ")
        yield from self._block(SUPPRESSED, filter(None, [suppression_line(self._report, cause.id)]))
        yield from self._block(ALIKE, self._alike(incident))
        yield from self._block(IMPACT, self._impact(incident, cause))
        yield from self._block(CIRCLE, filter(None, [circle_line(self._report, incident)]))
        yield from self._block(CHANGED, filter(None, [changed_line(cause, self._report.taken_at)]))
        yield from self._block(EVIDENCE, self._facts(cause))
        proven = self._paint("✓", "32")
        yield from self._block(FIX, (line for fix in cause.fixes for line in fix_lines(fix, proven)))
        yield from self._block(NEXT, map(command_text, cause.commands))
        yield from self._block(RULED_OUT_BY, [visible(cause.would_disprove)] if cause.would_disprove else [])
        yield from self._block(NOT_CHECKED, map(visible, cause.gaps))
        if cause.place is None or cause.code not in self._taught:
            self._taught.add(cause.code)
            yield from self._block(LEARN, [own_command("explain", cause.code)])

    def _block(self, label: str, texts: Iterable[str]) -> Iterator[str]:
        return block(label, texts, self._width)

    def _alike(self, incident: Incident) -> Iterator[str]:
        """The other workloads of which the same is true."""
        if incident.alike:
            titles = [visible(self._report.finding(name).about.title) for name in incident.alike]
            most = _EVERYTHING if self._all else MOST_CONSEQUENCES
            yield f"{named(titles, most)}{'; -o wide lists all' if len(titles) > most else ''}"

    def _impact(self, incident: Incident, cause: ReportedFinding) -> Iterator[str]:
        """What the cause breaks: the consequences, and affected objects without a finding of their own."""
        members = [self._report.finding(name) for name in incident.consequences]
        most = _EVERYTHING if self._all else MOST_CONSEQUENCES
        sentences = list(by_sentence(members))
        for member, titles in sentences[:most]:
            yield f"{visible(named(titles, most))}: {visible(member.summary)} ({member.code})"
        if len(sentences) > most:
            left = sum(len(titles) for _, titles in sentences[most:])
            yield f"{and_more(left)}; -o wide lists all"
        named_before = {cause.about, *(member.about for member in members)}
        others = [name for name in cause.affects if name not in named_before]
        if others and (not members or len(others) > 1):
            yield f"affects {_affected(others)}"

    def _facts(self, cause: ReportedFinding) -> Iterator[str]:
        """A line for each fact; facts of another object come under its name."""
        subject, headed = cause.about, False
        for fact in cause.evidence if cause.place is None else _of_objects(cause):
            if fact.object != subject:
                subject, headed = fact.object, True
                yield visible(subject.title)
            indent = "  " if headed else ""
            note = f"  ({visible(fact.shows)})" if fact.shows else ""
            yield f"{indent}{visible(fact.path)} = {visible_ends(fact.text, self._value)}{note}"

    def _on_it(self) -> Iterator[str]:
        """What only pods on the node have, a line each."""
        causes = self._report.on_it
        if not causes:
            return
        yield self._paint(ON_IT.capitalize(), "1")
        shown = causes if self._all else causes[:MOST_UNEXPLAINED]
        for cause in shown:
            text = f"{MARKS[cause.severity]} {visible(cause.about.title)}: {visible(cause.summary)} ({cause.code})"
            yield from wrapped(text, self._width, "  ", "    ")
        if len(causes) > len(shown):
            yield f"  {and_more(len(causes) - len(shown))}; -o wide lists all"
        yield ""

    def _unexplained(self) -> Iterator[str]:
        """Unexplained trouble: with evidence where objects were requested, in a scan one line each."""
        report = self._report
        if not report.unexplained:
            return
        yield self._paint(NOT_EXPLAINED.capitalize(), "1")
        unexplained = report.unexplained if self._all else report.unexplained[:MOST_UNEXPLAINED]
        for entry in unexplained:
            yield from wrapped(f"{visible(entry.about.title)}: {visible(entry.says)}", self._width, "  ", "    ")
            if report.subject is not None or report.subjects or self._all:
                for fact in entry.evidence:
                    note = f"  ({visible(fact.shows)})" if fact.shows else ""
                    text = f"{visible(fact.path)} = {visible_ends(fact.text, self._value)}{note}"
                    yield from wrapped(text, self._width, "    ", "      ")
            else:
                for message in entry.messages:
                    yield from wrapped(visible_end(message, self._value), self._width, "    ", "      ")
            yield f"    {visible(in_cluster(entry.about.describe_command, report.source.flags))}"
        if len(report.unexplained) > len(unexplained):
            yield f"  {and_more(len(report.unexplained) - len(unexplained))}; -o wide lists all"
        yield ""

    def _not_ready(self) -> Iterator[str]:
        report = self._report
        if not report.not_ready:
            return
        yield self._paint(capitalised(NOT_READY), "1")
        shown = report.not_ready if self._all else report.not_ready[:MOST_UNEXPLAINED]
        for workload in shown:
            yield from wrapped(f"{visible(workload.about.title)}: {visible(workload.says)}", self._width, "  ", "    ")
            for message in workload.messages:
                yield from wrapped(visible_end(message, self._value), self._width, "    ", "      ")
            yield f"    {visible(in_cluster(workload.about.describe_command, report.source.flags))}"
        if len(report.not_ready) > len(shown):
            yield f"  {and_more(len(report.not_ready) - len(shown))}; -o wide lists all"
        yield ""

    def _suppressed(self) -> Iterator[str]:
        """What is left out of the incidents, and suppressions that are not in force: the latter are never cut."""
        rows = list(suppressed_lines(self._report))
        if not rows:
            return
        hidden = len(rows) - len(self._report.unheeded) - MOST_SUPPRESSED if not self._all else 0
        yield self._paint(SUPPRESSED.capitalize(), "1")
        for place, row in enumerate(rows):
            if hidden <= 0 or not MOST_SUPPRESSED <= place < MOST_SUPPRESSED + hidden:
                yield from wrapped(row, self._width, "  ", "    ")
        if hidden > 0:
            yield f"  {and_more(hidden)}; -o wide lists all"
        yield ""

    def _not_checked(self) -> Iterator[str]:
        report = self._report
        rows = [
            *map(visible, report.problems),
            *_reasons(report.not_checked),
        ]  # problems are often the reason for missing kinds
        if not rows:
            return
        yield self._paint(NOT_CHECKED.capitalize(), "1")
        shown = rows if self._all else rows[:MOST_NOT_CHECKED]
        for row in shown:
            yield from wrapped(row, self._width, "  ", "    ")
        if len(rows) > len(shown):
            yield f"  {and_more(len(rows) - len(shown))}; -o wide lists all"
        tracebacks = (*report.tracebacks, *(entry.traceback for entry in report.not_checked))
        for traceback in filter(None, tracebacks if self._debug else ()):
            yield textwrap.indent(visible(traceback, lines=True), "    ")
        yield ""


def _head(cause: ReportedFinding) -> str:
    """The object; of a file its place first, as compilers write it."""
    if cause.place is None:
        return cause.about.title
    return f"{cause.place}" if cause.about.kind == MANIFEST else f"{cause.place}  {cause.about.title}"


def _of_objects(cause: ReportedFinding) -> Iterator[Evidence]:
    """Without what only repeats the summary: the API server's line about a manifest."""
    return (fact for fact in cause.evidence if fact.object.kind != MANIFEST)


def _argument(name: Ref) -> str:
    row = kind_named(name.kind)
    return f"{row.singular if row is not None else name.short_kind.lower()}/{name.name}"


def _affected(names: Sequence[Ref]) -> str:
    kinds = Counter(name.short_kind for name in names)
    parts = []
    for kind, number in sorted(kinds.items()):
        first = next(name for name in names if name.short_kind == kind)
        row = kind_named(first.kind)
        plural = f"{kind}{row.plural[len(row.singular) :]}" if row and row.plural.startswith(row.singular) else ""
        many = f"{counted(number, kind, plural)}, such as {visible(first.name)}"
        parts.append(visible(first.title) if number == 1 else many)
    return "; ".join(parts)


def _reasons(not_checked: Iterable[NotChecked]) -> list[str]:
    """What could not be checked, by reason; the reason with the most diagnostics first."""
    groups: dict[str, set[str]] = {}
    for entry in not_checked:
        groups.setdefault(entry.why, set()).add(entry.diagnostic)
    worst = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return [f"{visible(why)}{_of_diagnostics(names)}" for why, names in worst]


def _of_diagnostics(names: Iterable[str]) -> str:
    sorted_names = sorted(visible(name) for name in names if name)
    if not sorted_names:
        return ""
    listed = ", ".join(sorted_names[:4]) + (f" and {len(sorted_names) - 4} more" if len(sorted_names) > 4 else "")
    return f"  ({listed})"


def _footer(report: Report) -> str:
    version = f", Kubernetes {visible(report.source.kubernetes)}" if report.source.kubernetes else ""
    moment = "" if report.taken_at == UNKNOWN_TIME else f", at {report.taken_at:%Y-%m-%d %H:%M:%S} UTC"
    return (
        f"{counted(report.diagnostics_run, 'diagnostic')} checked {counted(report.objects_seen, 'object')} of "
        f"{visible(report.source.name)}{version}{moment}"
    )
