"""Fixes that the findings of symptoms have, shown where their cause is: proven ones, and a rollback."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from kubedoctor.engine.report import Incident, ReportedFinding
from kubedoctor.findings.commands.lines import rollout


def with_proven(findings: tuple[ReportedFinding, ...], incidents: Iterable[Incident]) -> tuple[ReportedFinding, ...]:
    """A cause gets the proven fixes of its consequences that change the same object as the cause is about, and those
    that it gives itself without a proof. They come first and replace unproven fixes with the same command. A rollback of
    the same object comes last."""
    by_id = {finding.id: finding for finding in findings}
    for incident in incidents:
        cause = by_id[incident.cause]
        own = {fix.command for fix in cause.fixes if fix.command}
        proven = {
            fix.command: fix
            for name in incident.consequences
            for fix in by_id[name].fixes
            if fix.verified and fix.command and (fix.changes == cause.about or fix.command in own)
        }
        undo = rollout("undo", cause.about)
        back = [
            fix
            for name in incident.consequences
            for fix in by_id[name].fixes
            if fix.command == undo and undo not in own
        ]
        if proven or back:
            kept = (fix for fix in cause.fixes if fix.verified or fix.command not in proven)
            fixes = tuple(dict.fromkeys((*proven.values(), *kept, *back[:1])))
            by_id[cause.id] = msgspec.structs.replace(cause, fixes=fixes)
    return tuple(by_id[finding.id] for finding in findings)
