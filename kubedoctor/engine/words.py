"""Words that reports, sheets and screens share, so that they use the same terms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.grammar.text import counted, visible
from kubedoctor.engine.report import Incident, Report, ReportedFinding
from kubedoctor.findings import Effect, Severity

ALIKE = "the same"
IMPACT = "impact"
CHANGED = "changed"
EVIDENCE = "evidence"
FIX = "fix"
NEXT = "next"
RULED_OUT_BY = "ruled out by"
NOT_CHECKED = "not checked"
CIRCLE = "circle"
NOT_ALL_CHECKED = "no problems found, but not everything could be checked"
NOT_EXPLAINED = "not explained"
NOT_READY = "not ready, no cause found yet"
SUPPRESSED = "suppressed"
ON_IT = "only of pods on it"
LEARN = "learn"

MARK_OF_HEALED = "✓"
MARKS = {Severity.CRITICAL: "✗", Severity.WARNING: "!", Severity.NOTICE: "·"}
EFFECTS = {Effect.READS: "read-only", Effect.CHANGES: "changes cluster", Effect.DISRUPTS: "restarts pods"}
DELETES_DATA = "deletes data"


def changed_line(finding: ReportedFinding, now: datetime) -> str:
    """`4m before: rollout 12 → 13: limits.memory 512Mi → 256Mi`; empty where no change is known. Before the fault, or ago
    where it came with the change or its beginning is not known."""
    if finding.changed is None:
        return ""
    from kubedoctor.answers.timeline.onset import Basis  # what is healthy has no beginning

    since = finding.since
    before = (
        since is not None and since.basis in (Basis.LAST_WELL, Basis.FIRST_REPORT) and since.at > finding.changed.at
    )
    end, word = (since.at, "before") if since is not None and before else (now, "ago")
    return f"{human_duration(end - finding.changed.at)} {word}: {visible(finding.changed.text)}"


RELATIONS = {
    "blamed": "names it",
    "calls": "calls its webhook",
    "configures": "is configured by it",
    "isolates": "is isolated by it",
    "mounts": "mounts it",
    "proxied": "goes through it",
    "runs": "runs on it",
    "same": "is the same workload",
    "selects": "selects its pods",
    "affects": "is affected by it",
}
"""From what follows to its cause, by the name of the cause relation; those of packages have their name alone."""


def circle_line(report: Report, incident: Incident) -> str:
    """`A → B → C → A; to break it, begin with A`; empty where an incident has no circle."""
    if not incident.circle:
        return ""
    titles = [visible(report.finding(name).about.title) for name in incident.circle]
    return f"{' → '.join((*titles, titles[0]))}; to break it, begin with {titles[0]}"


def and_more(number: int) -> str:
    """The last line of a shortened list."""
    return f"and {number:,} more"


def named(titles: Sequence[str], most: int) -> str:
    """Objects of which one sentence is true; of many only the first."""
    more = f", {and_more(len(titles) - most)}" if len(titles) > most else ""
    return f"{', '.join(titles[:most])}{more}"


def by_sentence(findings: Iterable[ReportedFinding]) -> Iterator[tuple[ReportedFinding, list[str]]]:
    """The first finding with each sentence, code and severity, and the titles of all objects that it is true of."""
    titles: dict[tuple[str, str, Severity], list[str]] = {}
    first: dict[tuple[str, str, Severity], ReportedFinding] = {}
    for finding in findings:
        key = (finding.summary, finding.code, finding.severity)
        first.setdefault(key, finding)
        titles.setdefault(key, []).append(finding.about.title)
    return ((first[key], names) for key, names in titles.items())


def verdict_line(report: Report, matched: str = "") -> str:
    """The first line: the most important result. matched: what was requested, where it is a list."""
    suppressed = f", {len(report.suppressed):,} {SUPPRESSED}" if report.suppressed else ""
    return f"{_verdict(report, matched)}{suppressed}"


def suppression_line(report: Report, id_: str) -> str:
    """`until 2026-12-31: scaled to 0 until the migration (annotation of Namespace shop)`; empty where the finding of that
    id is not suppressed."""
    one = report.suppression(id_)
    return f"until {one.until}: {visible(one.reason)} ({visible(one.by)})" if one is not None else ""


def suppressed_lines(report: Report) -> Iterator[str]:
    """A line for each suppressed finding that stands nowhere else, then one for each suppression that is not in force."""
    shown = {finding.id for finding in report.findings}
    for one in report.suppressed:
        if one.finding.id not in shown:
            line = suppression_line(report, one.finding.id)
            yield f"{visible(one.finding.about.title)}: {visible(one.finding.summary)} ({one.finding.code}), {line}"
    for sentence in report.unheeded:
        yield f"{MARKS[Severity.NOTICE]} not suppressed: {visible(sentence)}"


def _verdict(report: Report, matched: str) -> str:
    where = visible(matched or (report.subject.title if report.subject else _scope(report)))
    if not report.incidents:
        if report.complete:
            return f"✓ {where}: no problems found"
        if report.unexplained:
            return f"? {where}: {_not_explained(report)}"
        if report.not_ready:
            return f"? {where}: {_not_ready(report)}"
        if not report.objects_seen:
            return f"? {where}: nothing could be checked"
        return f"? {where}: {NOT_ALL_CHECKED}"
    severities = [report.severity_of(incident) for incident in report.incidents]
    notices = severities.count(Severity.NOTICE)
    incidents = len(severities) - notices
    parts = [counted(incidents, "incident")] if incidents else []
    parts += [counted(notices, "notice")] if notices else []
    parts += [f"{len(report.unexplained):,} {NOT_EXPLAINED}"] if report.unexplained else []
    parts += [f"{len(report.not_ready):,} not ready"] if report.not_ready else []
    return f"{where}: {', '.join(parts)}"


def _not_ready(report: Report) -> str:
    gaps = "" if report.all_checked else "; not everything could be checked"
    if report.subject is not None and report.not_ready[0].about == report.subject:
        return f"{NOT_READY}{gaps}"
    number = len(report.not_ready)
    return f"no findings, but {counted(number, 'workload')} {'is' if number == 1 else 'are'} {NOT_READY}{gaps}"


def _not_explained(report: Report) -> str:
    if report.subject is not None and report.unexplained[0].about == report.subject:
        if report.all_checked or not report.diagnostics_run:
            return "reports a problem that no diagnostic explains"
        return "reports a problem; the cause may be in what could not be checked"
    number = len(report.unexplained)
    related = "related " if report.subject is not None else ""
    gaps = "" if report.all_checked else "; not everything could be checked"
    verb = "reports" if number == 1 else "report"
    return f"no findings, but {counted(number, f'{related}object')} {verb} a problem that no diagnostic explains{gaps}"


def _scope(report: Report) -> str:
    if len(report.namespaces) == 1:
        return f"namespace {report.namespaces[0]}"
    if not report.namespaces:  # manifests without a namespace, or only objects of the cluster
        return report.source.name
    return f"{report.source.name}, {counted(len(report.namespaces), 'namespace')}"
