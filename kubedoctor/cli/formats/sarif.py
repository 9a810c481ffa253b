"""The report as SARIF 2.1.0 (docs.oasis-open.org/sarif/sarif/v2.1.0): a result for each incident, with the lessons of the
diagnostics as rules. Objects are logical locations, since a
cluster has no files; those of files have the line too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from kubedoctor import __version__
from kubedoctor.cli.clusters import ClusterOutcome
from kubedoctor.cli.formats.document import json_text, moment
from kubedoctor.cli.formats.text import incident_text
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.manifests import Place
from kubedoctor.engine.catalogue import Catalogue
from kubedoctor.engine.report import Incident, Report, ReportedFinding, Unexplained
from kubedoctor.engine.words import NOT_READY, suppression_line
from kubedoctor.findings import Severity
from kubedoctor.handbook import lesson_markdown, lesson_text
from kubedoctor.handbook.report.markdown import incident_lines

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
NOT_EXPLAINED: Final = "not-explained"
_LEVELS: Final = {Severity.CRITICAL: "error", Severity.WARNING: "warning", Severity.NOTICE: "note"}
_LINK: Final = re.compile(r"https://[^\s)>\]`]+")
_MOST_RELATED: Final = 200


def to_sarif(report: Report, catalogue: Catalogue) -> str:
    """One document, keys sorted: the same report gives the same bytes."""
    return _document([_run(report, catalogue)])


def clusters_to_sarif(outcomes: Sequence[ClusterOutcome], catalogue: Catalogue) -> str:
    """A run for each cluster; of one that could not be read it says why."""
    runs = [
        _run(outcome.report, catalogue, outcome.context) if outcome.report is not None else _failed_run(outcome)
        for outcome in outcomes
    ]
    return _document(runs)


def _document(runs: list[dict[str, Any]]) -> str:
    return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": runs})


def _failed_run(outcome: ClusterOutcome) -> dict[str, Any]:
    text = visible(f"the cluster was not read: {outcome.what}")
    notification = {"level": "error", "message": {"text": text}}
    return {
        "tool": {"driver": {"name": "kubedoctor", "semanticVersion": __version__, "rules": []}},
        "automationDetails": {"id": f"kubedoctor/{visible(outcome.context)}/"},
        "invocations": [{"executionSuccessful": False, "toolExecutionNotifications": [notification]}],
        "results": [],
    }


def _run(report: Report, catalogue: Catalogue, context: str = "") -> dict[str, Any]:
    found = [
        *_results(report),
        *_suppressed(report),
        *(_open(entry, entry.says) for entry in report.unexplained),
        *(_open(entry, f"{NOT_READY}: {entry.says}") for entry in report.not_ready),
    ]
    findings = {finding.code: finding for finding in (*report.findings, *(one.finding for one in report.suppressed))}
    codes = sorted({result["ruleId"] for result in found})
    rules = [_rule(code, findings.get(code), catalogue) for code in codes]
    for result in found:
        result["ruleIndex"] = codes.index(result["ruleId"])
    ended = moment(report.taken_at)
    scope = "/".join(filter(None, (visible(context), _scope(report))))
    return {
        "tool": {"driver": {"name": "kubedoctor", "semanticVersion": __version__, "rules": rules}},
        "automationDetails": {"id": f"kubedoctor/{scope}/"},
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": list(_notifications(report)),
                **({"endTimeUtc": ended} if ended else {}),
            }
        ],
        "results": found,
        "properties": {
            "source": visible(report.source.name),
            "kubernetes": visible(report.source.kubernetes),
            "diagnostics": report.diagnostics_run,
            "objects": report.objects_seen,
            "suppressed": len(report.suppressed),
        },
    }


def _scope(report: Report) -> str:
    return visible(str(report.subject) if report.subject else ",".join(report.namespaces) or report.source.name)


def _rule(code: str, finding: ReportedFinding | None, catalogue: Catalogue) -> dict[str, Any]:
    page = next((page for page in catalogue.diagnostics if page.code == code), None)
    if page is None:
        title = "Object reports a problem that no diagnostic explains" if finding is None else finding.diagnostic
        return {"id": code, "name": code, "shortDescription": {"text": title}}
    sections = page.sections()
    meaning = " ".join(sections.get("What it means", "").split())
    link = _LINK.search(sections.get("References", ""))
    return {
        "id": code,
        "name": page.id,
        "shortDescription": {"text": page.title},
        **({"fullDescription": {"text": meaning}} if meaning else {}),
        "help": {"text": lesson_text(page), "markdown": lesson_markdown(page)},
        **({"helpUri": link[0]} if link else {}),
        "defaultConfiguration": {"level": _LEVELS[page.severity]},
        "properties": {"tags": ["kubernetes", page.id.partition("/")[0], *page.also_known_as]},
    }


def _results(report: Report) -> Iterator[dict[str, Any]]:
    """Of workloads with one sentence, each is a result of its own."""
    for incident in report.incidents:
        for root in (incident.cause, *incident.alike):
            yield _result(report, incident.seen_from(root))


def _result(report: Report, incident: Incident) -> dict[str, Any]:
    cause = report.finding(incident.cause)
    related = [report.finding(name) for name in incident.consequences][:_MOST_RELATED]
    text = Incident(incident.cause, incident.consequences, incident.because)  # each of those alike has its own result
    return {
        "ruleId": cause.code,
        "level": _LEVELS[report.severity_of(incident)],
        "message": {
            "text": f"{visible(cause.about.title)}: {visible(cause.summary)}\n\n{incident_text(report, text)}",
            "markdown": "\n".join(incident_lines(report, text)).rstrip(),
        },
        "locations": [_location(cause.about, cause.place)],
        **_related((finding.about, finding.summary) for finding in related),
        "partialFingerprints": {"findingId/v1": cause.id},
        "properties": {
            "confidence": cause.confidence.value,
            "severity": cause.severity.value,
            **({"since": moment(cause.since.at)} if cause.since else {}),
        },
    }


def _related(places: Iterable[tuple[Ref, str]]) -> dict[str, Any]:
    locations = [{**_location(place), "message": {"text": visible(text)}} for place, text in places]
    return {"relatedLocations": locations} if locations else {}


def _suppressed(report: Report) -> Iterator[dict[str, Any]]:
    shown = {finding.id for finding in report.findings}
    for one in report.suppressed:
        if (finding := one.finding).id not in shown:
            yield {
                "ruleId": finding.code,
                "level": _LEVELS[finding.severity],
                "message": {"text": visible(finding.summary)},
                "locations": [_location(finding.about, finding.place)],
                "partialFingerprints": {"findingId/v1": finding.id},
                "suppressions": [
                    {
                        "kind": "external",
                        "status": "accepted",
                        "justification": suppression_line(report, finding.id),
                    }
                ],
                "properties": {"confidence": finding.confidence.value, "severity": finding.severity.value},
            }


def _open(entry: Unexplained, says: str) -> dict[str, Any]:
    return {
        "ruleId": NOT_EXPLAINED,
        "kind": "open",
        "level": "none",
        "message": {"text": "\n".join(visible(text) for text in (says, *entry.messages))},
        "locations": [_location(entry.about)],
    }


def _location(place: Ref, file: Place | None = None) -> dict[str, Any]:
    """file: where the fault stands in the files that were checked."""
    physical = (
        {
            "physicalLocation": {
                "artifactLocation": {"uri": visible(file.file)},
                "region": {"startLine": file.line, "startColumn": file.column},
            }
        }
        if file is not None
        else {}
    )
    return {
        **physical,
        "logicalLocations": [
            {"name": visible(place.name), "fullyQualifiedName": visible(str(place)), "kind": "resource"}
        ],
    }


def _notifications(report: Report) -> Iterator[dict[str, Any]]:
    """What could not be checked, and suppressions that are not in force."""
    reasons = sorted({(entry.diagnostic, entry.why) for entry in report.not_checked})
    for diagnostic, why in reasons:
        text = f"{diagnostic}: {why}" if diagnostic else why
        yield {"level": "warning", "message": {"text": f"not checked: {visible(text)}"}}
    for text in (*report.problems, *report.unheeded):
        yield {"level": "warning", "message": {"text": visible(text)}}
