"""Few words for a finding, where a list or a chain has no room for its sentence."""

from __future__ import annotations

import re

from kubedoctor.cluster.grammar.text import visible
from kubedoctor.engine import ReportedFinding

_STATE = re.compile(r"[A-Z][a-z0-9]+(?:[A-Z][A-Za-z0-9]*)+|OOMKilled|Pending|Evicted|NotReady")
_KINDS_BEFORE = ("node-", "job-", "cronjob-", "daemonset-", "pod-")
MOST_OF_REASON = 40
_EVERYDAY = frozenset(
    {
        "Completed",
        "ContainersNotReady",
        "Error",
        "KubeletNotReady",
        "MinimumReplicasUnavailable",
        "NodeStatusUnknown",
        "Unhealthy",
        "Unschedulable",
    }
)
"""Reasons that say less than the name of the problem."""


def reason_of(finding: ReportedFinding) -> str:
    """A few words: the state that Kubernetes names where it is quoted (`CrashLoopBackOff`), else the name of the
    diagnostic."""
    for fact in finding.evidence:
        state = fact.value if fact.path.endswith((".reason", ".phase")) and isinstance(fact.value, str) else ""
        if _STATE.fullmatch(state) and state not in _EVERYDAY:
            return visible(state, MOST_OF_REASON)
    problem = finding.diagnostic.rpartition("/")[2]
    for start in _KINDS_BEFORE:
        if problem.startswith(start) and finding.about.kind.lower() == start[:-1]:
            problem = problem.removeprefix(start)
    return visible(problem.replace("-", " "), MOST_OF_REASON)
