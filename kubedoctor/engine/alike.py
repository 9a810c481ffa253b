"""Incidents that say the same of many workloads are one: 186 Deployments for which the same nodes have no room."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS
from kubedoctor.engine.report import Incident, ReportedFinding

_NUMBER = re.compile(r"\d[\d.]*(?:m|k|[KMGTPE]i?)?")


def together(incidents: Iterable[Incident], findings: Iterable[ReportedFinding]) -> tuple[Incident, ...]:
    """The incidents in their order; those whose causes are alike are joined to the first of them."""
    by_id = {finding.id: finding for finding in findings}
    groups: dict[tuple[str, ...], list[Incident]] = {}
    for incident in incidents:
        groups.setdefault(_likeness(by_id[incident.cause]), []).append(incident)
    return tuple(group[0] if len(group) == 1 else _joined(group) for group in groups.values())


def _joined(group: list[Incident]) -> Incident:
    return Incident(
        cause=group[0].cause,
        consequences=tuple(name for incident in group for name in incident.consequences),
        because=tuple(name for incident in group for name in incident.because),
        alike=tuple(incident.cause for incident in group[1:]),
        links=tuple(link for incident in group for link in incident.links),
        circle=group[0].circle,
    )


def _likeness(finding: ReportedFinding) -> tuple[str, ...]:
    """Equal for findings about workloads with the same sentence but for the workload's own name and the amounts."""
    if finding.about.kind not in ("Pod", *WORKLOAD_KINDS):
        return (finding.id,)
    sentence = re.sub(rf"(?<![\w-]){re.escape(finding.about.name)}(?![\w-])", "", finding.summary)
    return (finding.code, finding.severity.value, finding.aspect, _NUMBER.sub("", sentence))
