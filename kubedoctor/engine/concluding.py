"""What follows from the findings of an examination together."""

from __future__ import annotations

from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.engine.alike import together
from kubedoctor.engine.catalogue import Catalogue
from kubedoctor.engine.causes import fold
from kubedoctor.engine.history import with_history
from kubedoctor.engine.proven import with_proven
from kubedoctor.engine.report import Incident, ReportedFinding


def concluded(
    findings: tuple[ReportedFinding, ...], catalogue: Catalogue, snapshot: Snapshot
) -> tuple[tuple[ReportedFinding, ...], tuple[Incident, ...], tuple[str, ...]]:
    """The findings with their past and the fixes that their consequences have proven, the incidents, and a sentence for
    each relation that failed."""
    findings = with_history(findings, snapshot)
    incidents, failed = fold(findings, catalogue, snapshot)
    findings = with_proven(findings, incidents)
    return findings, together(incidents, findings), failed
