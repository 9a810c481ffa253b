"""Words that several formats use."""

from __future__ import annotations

from kubedoctor.cluster.grammar.text import counted, visible
from kubedoctor.engine.report import Report
from kubedoctor.findings import Effect, Severity

MARKS = {Severity.CRITICAL: "✗", Severity.WARNING: "!", Severity.NOTICE: "·"}


def effect_note(effect: Effect) -> str:
    """What a command does, for people."""
    return {
        Effect.READS: "reads only",
        Effect.CHANGES: "changes the cluster",
        Effect.DISRUPTS: "changes the cluster, may interrupt",
    }[effect]


def verdict_line(report: Report) -> str:
    """The first line: what a person wants to know before all else."""
    where = visible(report.subject.title) if report.subject else _scope(report)
    if not report.incidents:
        if report.complete:
            return f"✓ {where}: nothing wrong found"
        if report.unexplained:
            return f"? {where}: {_unwell(report)}"
        if not report.objects_seen:
            return f"? {where}: nothing could be checked"
        return f"? {where}: nothing wrong found, but not everything could be checked"
    severities = [report.severity_of(one) for one in report.incidents]
    real = sum(1 for severity in severities if severity is not Severity.NOTICE)
    notices = len(severities) - real
    parts = [counted(real, "incident")] if real else []
    parts += [counted(notices, "notice")] if notices else []
    parts += [f"{len(report.unexplained):,} not explained"] if report.unexplained else []
    return f"{where}: {', '.join(parts)}"


def _unwell(report: Report) -> str:
    if report.subject is not None and report.unexplained[0].about == report.subject:
        if report.all_checked or not report.diagnostics_run:
            return "not well by its own words, and no diagnostic explains it"
        return "not well by its own words; why may lie in what could not be checked"
    number = len(report.unexplained)
    say = "says of itself that it is" if number == 1 else "say of themselves that they are"
    around = " around it" if report.subject is not None else ""
    gaps = "" if report.all_checked else "; not everything could be checked"
    return f"nothing found, but {counted(number, 'object')}{around} {say} not well{gaps}"


def _scope(report: Report) -> str:
    if len(report.namespaces) == 1:
        return f"namespace {visible(report.namespaces[0])}"
    return f"{visible(report.source.name)}, {counted(len(report.namespaces), 'namespace')}"
