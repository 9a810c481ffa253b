"""Since when each finding is true, and the newest change before."""

from __future__ import annotations

import msgspec

from kubedoctor.answers.timeline.changed import newest_change
from kubedoctor.answers.timeline.onset import onset
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.engine.report import ReportedFinding


def with_history(findings: tuple[ReportedFinding, ...], snapshot: Snapshot) -> tuple[ReportedFinding, ...]:
    """The findings with what the objects that were seen tell of their past; nothing is fetched for it."""
    family = Family(snapshot)
    return tuple(_with_history(finding, family) for finding in findings)


def _with_history(finding: ReportedFinding, family: Family) -> ReportedFinding:
    since = onset(finding.about, finding.affects, finding.evidence, family.snapshot)
    changed = newest_change(finding.about, finding.affects, finding.evidence, since, family)
    if since is None and changed is None:
        return finding
    return msgspec.structs.replace(finding, since=since, changed=changed)
