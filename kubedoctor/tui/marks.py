"""What is known of objects beside their own status: how bad a report makes them, and how often pods were restarted."""

from __future__ import annotations

import msgspec

from kubedoctor.cluster import KubernetesObject, Pod, Ref, Snapshot, ref
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.triage import all_statuses
from kubedoctor.engine import Report
from kubedoctor.engine.health import Health, health_of
from kubedoctor.tui.incidents.reasons import reason_of
from kubedoctor.tui.look import COMES_FROM
from kubedoctor.tui.pages.ink import kind_word


class Marks(msgspec.Struct, frozen=True):
    """What a report says of each object and its workload: the worst health, the place of the worst incident, and its
    cause in a few words."""

    worst: dict[Ref, Health] = {}
    places: dict[Ref, int] = {}
    causes: dict[Ref, str] = {}


def marks_of(report: Report | None, family: Family) -> Marks:
    """The marks of a report; empty where there is none yet."""
    return Marks(worst_by_object(report, family), *places_and_causes(report, family)) if report else Marks()


def worst_by_object(report: Report, family: Family) -> dict[Ref, Health]:
    """The worst health of each object and its workload, by the findings, and by its own status where no finding
    explains it. Affected objects are degraded at most: whether they are broken depends on their own status. A cause is
    as bad as its worst consequence, whatever its own severity.
    """
    worst: dict[Ref, Health] = {}

    def mark(name: Ref, health: Health) -> None:
        for listed in {name, family.top_seen(name)}:
            worst[listed] = min(worst.get(listed, health), health, key=lambda each: each.rank)

    for finding in report.findings:
        health = health_of(finding.severity)
        mark(finding.about, health)
        if health is not Health.NOTED:
            for name in finding.affects:
                mark(name, Health.DEGRADED)
    for incident in report.incidents:
        worst_of = {root: report.finding(root).severity for root in (incident.cause, *incident.alike)}
        for id_ in incident.consequences:
            root, severity = incident.line_to(id_)[0], report.finding(id_).severity
            worst_of[root] = min(worst_of[root], severity, key=lambda each: each.rank)
        for root, severity in worst_of.items():
            mark(report.finding(root).about, health_of(severity))
    for unexplained in report.unexplained:
        mark(unexplained.about, Health.DEGRADED)
    return worst


def places_and_causes(report: Report, family: Family) -> tuple[dict[Ref, int], dict[Ref, str]]:
    """For each object and its workload the place of the first incident that concerns it, and its cause: `← node worker-b
    not ready`, of the cause itself only the reason."""
    places: dict[Ref, int] = {}
    causes: dict[Ref, str] = {}
    for place, incident in enumerate(report.incidents):
        for id_ in incident.members:
            finding, root = report.finding(id_), report.finding(incident.line_to(id_)[0])
            reason = reason_of(root)
            own = {root.about, family.top_seen(root.about)}
            for name in (finding.about, *finding.affects):
                for listed in (name, family.top_seen(name)):
                    if listed not in places:
                        places[listed] = place
                        causes[listed] = (
                            reason
                            if listed in own
                            else f"{COMES_FROM} {kind_word(root.about.kind)} {visible(root.about.name)} {reason}"
                        )
    return places, causes


def restarts_of(pod: KubernetesObject) -> int:
    """The restarts of all containers of a pod."""
    return sum(status.restart_count for status in all_statuses(pod)) if isinstance(pod, Pod) else 0


class Restarts:
    """The restarts of the pods of each workload, by the topmost owner that was seen."""

    def __init__(self, snapshot: Snapshot, namespace: str, family: Family) -> None:
        self.of_workload: dict[Ref, int] = {}
        self._of_pod: dict[Ref, tuple[Ref, int]] = {}
        for pod in snapshot.of_kind("Pod", namespace):
            if restarts_of(pod):
                self.count(ref(pod), pod, family)

    def count(self, name: Ref, pod: KubernetesObject | None, family: Family) -> set[Ref]:
        """Take over a pod as it is now, None where it is gone; returns the workloads whose number changed."""
        before = self._of_pod.pop(name, None)
        now = (family.top_seen(name), number) if pod is not None and (number := restarts_of(pod)) else None
        if now is not None:
            self._of_pod[name] = now
            self.of_workload[now[0]] = self.of_workload.get(now[0], 0) + now[1]
        if before is not None:
            left = self.of_workload[before[0]] - before[1]
            if left:
                self.of_workload[before[0]] = left
            else:
                del self.of_workload[before[0]]
        return {counted[0] for counted in (before, now) if counted is not None} if before != now else set()
