"""Since when each finding is true, and the newest change before."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from kubedoctor.answers.timeline.changed import NewestChange, newest_change
from kubedoctor.answers.timeline.onset import Onset, onset
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.engine.report import ReportedFinding
from kubedoctor.findings.commands.lines import roll_back
from kubedoctor.findings.model import Fix, Severity

SOON: Final = timedelta(minutes=15)
"""A fault that began so soon after a rollout of the same workload may end with it."""


def with_history(findings: tuple[ReportedFinding, ...], snapshot: Snapshot) -> tuple[ReportedFinding, ...]:
    """The findings with what the objects that were seen tell of their past; nothing is fetched for it."""
    family = Family(snapshot)
    return tuple(_with_history(finding, family) for finding in findings)


def _with_history(finding: ReportedFinding, family: Family) -> ReportedFinding:
    since = onset(finding.about, finding.affects, finding.evidence, family.snapshot)
    changed = newest_change(finding.about, finding.affects, finding.evidence, since, family)
    if since is None and changed is None:
        return finding
    fixes = (*finding.fixes, *_rollback(finding, since, changed))
    return msgspec.structs.replace(finding, since=since, changed=changed, fixes=fixes)


def _rollback(finding: ReportedFinding, since: Onset | None, changed: NewestChange | None) -> tuple[Fix, ...]:
    """The way back, where pods fail since a rollout: it is quicker than a repair."""
    if since is None or changed is None or not changed.rollout or changed.about != finding.about:
        return ()
    back = roll_back(finding.about, instead=bool(finding.fixes))
    if (
        finding.severity is not Severity.CRITICAL
        or since.at - changed.at > SOON
        or any(fix.verified or fix.command == back.command for fix in finding.fixes)
    ):
        return ()
    return (back,)
