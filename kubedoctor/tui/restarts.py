"""How often the pods of each workload were restarted."""

from __future__ import annotations

from kubedoctor.cluster import KubernetesObject, Pod, Ref, Snapshot, ref
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.triage import all_statuses


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
