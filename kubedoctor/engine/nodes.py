"""What is the node's and what is only a pod's that runs on it."""

from __future__ import annotations

import msgspec

from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.engine.report import Incident, Report


def of_the_node_itself(report: Report) -> Report:
    """The report on a node without the incidents that only pods on it have: a node is not blamed for their own faults.
    They become `on_it`."""
    assert report.subject is not None
    own: list[Incident] = []
    others: list[Incident] = []
    for incident in report.incidents:
        (own if _concerns(report.subject, incident, report) else others).append(incident)
    if not others:
        return report
    kept = {name for incident in own for name in incident.members}
    return msgspec.structs.replace(
        report,
        incidents=tuple(own),
        findings=tuple(finding for finding in report.findings if finding.id in kept),
        on_it=tuple(report.finding(incident.cause) for incident in others),
    )


def _concerns(node: Ref, incident: Incident, report: Report) -> bool:
    """A finding is about the node, affects or blames it, or quotes it."""
    return any(
        node in (finding.about, *finding.affects, *finding.because_of)
        or any(fact.object == node for fact in finding.evidence)
        for finding in map(report.finding, incident.members)
    )
