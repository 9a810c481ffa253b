"""The verdict of a moment, for those who wait until objects are healthy."""

from __future__ import annotations

import enum
from collections.abc import Hashable, Iterable, Iterator

import msgspec

from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.apps import DaemonSet, Deployment, StatefulSet
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.engine.over_time.comparison import lasting
from kubedoctor.engine.report import Report, ReportedFinding
from kubedoctor.findings import Severity
from kubedoctor.replay.workloads.rollouts import rollout_of


class Verdict(enum.Enum):
    """broken: a finding that counts. waiting: a rollout is not over, or a workload is not ready and no cause is known.
    unknown: a problem that nothing explains, or something that could not be checked. gone: the object is no more.
    unreachable: the cluster cannot be read."""

    HEALTHY = "healthy"
    BROKEN = "broken"
    WAITING = "waiting"
    UNKNOWN = "unknown"
    GONE = "gone"
    UNREACHABLE = "unreachable"


class WatchedMoment(msgspec.Struct, frozen=True):
    """A verdict in a sentence. key: equal as long as nothing changed that a person waits for: counters and ages do not
    count. more: incidents beside the first, whose cause is `cause`."""

    verdict: Verdict
    sentence: str
    key: Hashable
    cause: ReportedFinding | None = None
    more: int = 0


def moment_of(
    report: Report, snapshot: Snapshot, subjects: Iterable[Ref], fail_on: Severity, *, allow_gaps: bool
) -> WatchedMoment:
    """What a report says of its subjects."""
    family = Family(snapshot)
    counting = [one for one in report.incidents if report.severity_of(one).rank <= fail_on.rank]
    if counting:
        causes = [report.finding(one.cause) for one in counting]
        key = tuple(sorted((cause.code, lasting(cause.about, family), cause.aspect) for cause in causes))
        first = causes[0]
        return WatchedMoment(
            Verdict.BROKEN, f"{first.about.title}: {first.summary} ({first.code})", key, first, len(causes) - 1
        )
    waiting = [*_rollouts(subjects, snapshot), *(f"{one.about.title}: {one.says}" for one in report.not_ready)]
    if waiting:
        return WatchedMoment(Verdict.WAITING, waiting[0], waiting[0], more=len(waiting) - 1)
    if report.unexplained:
        first_open = report.unexplained[0]
        sentence = f"{first_open.about.title}: {first_open.says}"
        open_key = tuple(sorted(lasting(one.about, family) for one in report.unexplained))
        return WatchedMoment(Verdict.UNKNOWN, sentence, open_key, more=len(report.unexplained) - 1)
    if not report.all_checked and not allow_gaps:
        return WatchedMoment(Verdict.UNKNOWN, "no problems found, but not everything could be checked", "gaps")
    notices = f", {counted(len(report.incidents), 'notice')}" if report.incidents else ""
    return WatchedMoment(Verdict.HEALTHY, f"no problems found{notices}", "healthy")


def _rollouts(subjects: Iterable[Ref], snapshot: Snapshot) -> Iterator[str]:
    """What `kubectl rollout status` waits for."""
    for name in subjects:
        workload = snapshot.get(name)
        if isinstance(workload, Deployment | DaemonSet | StatefulSet):
            rollout = rollout_of(workload)
            if not rollout.done:
                text = rollout.text.strip().rstrip(".")
                yield f"{name.title}: {text[0].lower()}{text[1:]}"
