"""The report as data: the contract `kubedoctor.dev/report/v1` (see report.schema.json)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from kubedoctor.answers.timeline.changed import NewestChange
from kubedoctor.answers.timeline.onset import Onset
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.manifests import Place
from kubedoctor.cluster.seen.quoting import Evidence
from kubedoctor.cluster.seen.snapshot import UNKNOWN_TIME, Source
from kubedoctor.engine.report import CauseLink, Incident, NotChecked, Report, ReportedFinding, Suppressed, Unexplained
from kubedoctor.findings import Command, Fix

SCHEMA = "kubedoctor.dev/report/v1"


def to_json(report: Report) -> str:
    """One document, keys sorted: the same report gives the same bytes."""
    return json_text(to_data(report))


def to_yaml(report: Report) -> str:
    """The same document as YAML."""
    return yaml_text(to_data(report))


def json_text(data: dict[str, Any]) -> str:
    """Plain data as JSON with sorted keys, in ASCII."""
    # Without an indent it is written in C, five times as fast.
    return msgspec.json.format(json.dumps(data, sort_keys=True, ensure_ascii=True), indent=2) + "\n"


def yaml_text(data: dict[str, Any]) -> str:
    """Plain data as YAML with sorted keys, in ASCII."""
    import yaml  # takes 29 ms, imported only for this format

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(data, Dumper=dumper, sort_keys=True, allow_unicode=False, width=120)
    return text


def to_data(report: Report) -> dict[str, Any]:
    """The document as plain data."""
    return {
        "schema": SCHEMA,
        "taken_at": moment(report.taken_at),
        "source": source_data(report.source),
        "scope": {
            "subject": ref_data(report.subject) if report.subject else None,
            "namespaces": list(report.namespaces),
            **({"subjects": [ref_data(name) for name in report.subjects]} if report.subjects else {}),
        },
        "incidents": [_incident(report, incident) for incident in report.incidents],
        "findings": [finding_data(finding) for finding in report.findings],
        "unexplained": [_unexplained(unexplained) for unexplained in report.unexplained],
        **({"not_ready": [_unexplained(waiting) for waiting in report.not_ready]} if report.not_ready else {}),
        "not_checked": [
            *_not_checked(report.not_checked),
            *({"diagnostic": None, "about": None, "why": text} for text in report.problems),
        ],
        "checked": {"diagnostics": report.diagnostics_run, "objects": report.objects_seen},
        "suppressed": len(report.suppressed),
        **({"suppressions": [_suppressed(one) for one in report.suppressed]} if report.suppressed else {}),
        **({"not_suppressed": list(report.unheeded)} if report.unheeded else {}),
        "requests": report.requests,
    }


def _incident(report: Report, incident: Incident) -> dict[str, Any]:
    return {
        "cause": incident.cause,
        "consequences": list(incident.consequences),
        **({"alike": list(incident.alike)} if incident.alike else {}),
        **({"chain": [_link(report, incident, link) for link in incident.links]} if incident.links else {}),
        **({"circle": list(incident.circle)} if incident.circle else {}),
    }


def _link(report: Report, incident: Incident, link: CauseLink) -> dict[str, Any]:
    return {
        "finding": link.finding,
        "because": link.because,
        "relation": link.relation,
        "confidence": report.confidence_of(incident, link.finding).value,
        **({"rivals": list(link.rivals)} if link.rivals else {}),
    }


def finding_data(finding: ReportedFinding) -> dict[str, Any]:
    """A finding in full."""
    return {
        "id": finding.id,
        "code": finding.code,
        "diagnostic": finding.diagnostic,
        "also_known_as": list(finding.also_known_as),
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "about": ref_data(finding.about),
        "affects": [ref_data(name) for name in finding.affects],
        "summary": finding.summary,
        "detail": finding.detail,
        "evidence": [_evidence(fact) for fact in finding.evidence],
        "fixes": [fix_data(fix) for fix in finding.fixes],
        "commands": [_command(command) for command in finding.commands],
        "would_disprove": finding.would_disprove,
        "gaps": list(finding.gaps),
        **({"since": _onset(finding.since)} if finding.since else {}),
        **({"changed": _changed(finding.changed)} if finding.changed else {}),
        **({"suppressed": True} if finding.suppressed else {}),
        **({"place": _place(finding.place)} if finding.place else {}),
    }


def _place(place: Place) -> dict[str, Any]:
    return {"file": place.file, "line": place.line, "column": place.column}


def _suppressed(one: Suppressed) -> dict[str, Any]:
    finding = one.finding
    return {
        "finding": finding.id,
        "code": finding.code,
        "severity": finding.severity.value,
        "about": ref_data(finding.about),
        "summary": finding.summary,
        "until": one.until.isoformat(),
        "reason": one.reason,
        "by": one.by,
    }


def _onset(since: Onset) -> dict[str, str | None]:
    return {"at": moment(since.at), "basis": since.basis.value}


def _changed(changed: NewestChange) -> dict[str, Any]:
    return {"about": ref_data(changed.about), "at": moment(changed.at), "text": changed.text}


def source_data(source: Source) -> dict[str, str | None]:
    """What was read."""
    return {"kind": source.kind, "name": source.name, "kubernetes": source.kubernetes or None}


def ref_data(name: Ref) -> dict[str, str | None]:
    """An object; its namespace is null if it has none."""
    return {"kind": name.kind, "namespace": name.namespace or None, "name": name.name}


def _evidence(fact: Evidence) -> dict[str, Any]:
    return {"object": ref_data(fact.object), "path": fact.path, "value": fact.value, "shows": fact.shows}


def fix_data(fix: Fix) -> dict[str, Any]:
    """A fix."""
    return {"summary": fix.summary, "effect": fix.effect.value, "command": fix.command, "verified": fix.verified}


def _command(command: Command) -> dict[str, Any]:
    return {"line": command.line, "why": command.why, "effect": command.effect.value}


def _unexplained(unexplained: Unexplained) -> dict[str, Any]:
    return {
        "about": ref_data(unexplained.about),
        "says": unexplained.says,
        "evidence": [_evidence(fact) for fact in unexplained.evidence],
    }


def _not_checked(entries: Iterable[NotChecked]) -> Iterator[dict[str, Any]]:
    """One for each diagnostic and reason, with the first object and the number of all."""
    groups: dict[tuple[str, str], list[NotChecked]] = {}
    for entry in entries:
        groups.setdefault((entry.diagnostic, entry.why), []).append(entry)
    for (diagnostic, why), group in groups.items():
        about = group[0].about
        yield {
            "diagnostic": diagnostic or None,
            "about": ref_data(about) if about else None,
            "why": why,
            **({"count": len(group)} if len(group) > 1 else {}),
        }


def moment(at: datetime) -> str | None:
    """In UTC, to the second; None for UNKNOWN_TIME."""
    return None if at == UNKNOWN_TIME else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
