"""Workloads that are not ready, without a finding or a trouble of their own: they may still start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.apps import DaemonSet, Deployment, ReplicaSet, StatefulSet
from kubedoctor.cluster.kinds.core import ReplicationController
from kubedoctor.cluster.kinds.meta import KubernetesObject, condition
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.triage import finished, ready, terminating
from kubedoctor.engine.health.states import Health, stated_health

_REPLICATED = (Deployment, ReplicaSet, StatefulSet, DaemonSet, ReplicationController)


class Waiting(msgspec.Struct, frozen=True):
    """A workload that is not ready. `says`: a clause without its name. `pods`: those of its pods that are not ready."""

    about: Ref
    says: str
    pods: tuple[Ref, ...]


def not_ready(objects: Iterable[KubernetesObject], family: Family, explained: set[Ref]) -> Iterator[Waiting]:
    """The topmost workloads that are not ready. `explained`: what findings and the unexplained trouble are about, with the
    topmost workload of each."""
    waiting: dict[Ref, list[Pod]] = {}
    for obj in objects:
        if obj.metadata.creation_timestamp is None and not _has_conditions(obj):
            continue  # A manifest, of which no cluster has told anything.
        if isinstance(obj, Pod):
            if not (ready(obj) or finished(obj) or terminating(obj)):
                waiting.setdefault(family.top(ref(obj)), []).append(obj)
        elif isinstance(obj, _REPLICATED) and obj.metadata.deletion_timestamp is None:
            name, clause = ref(obj), _replicas(obj)
            unexplained = clause and name not in explained and family.top(name) == name
            if unexplained and not _explained_by_pods(name, family, explained):
                yield Waiting(name, clause, tuple(ref(pod) for pod in family.pods(name) if not ready(pod)))
    for top, pods in waiting.items():
        if top in explained or isinstance(family.snapshot.get(top), _REPLICATED):
            continue
        if top.kind in ("Job", "CronJob"):  # Its pods need not be ready, but must start.
            pods = [pod for pod in pods if pod.status.phase == "Pending"]
        if any(ref(pod) not in explained and not _on(pod, explained) for pod in pods):
            says = "not ready" if top.kind == "Pod" else _pods_wait(len(pods))
            yield Waiting(top, says, tuple(map(ref, pods)))


def _has_conditions(obj: KubernetesObject) -> bool:
    return isinstance(obj, Pod | Deployment) and bool(obj.status.conditions)


def _replicas(obj: KubernetesObject) -> str:
    stated = stated_health(obj)
    if stated.health not in (Health.BROKEN, Health.DEGRADED) or stated.status not in ("none ready", "not all ready"):
        return ""
    if isinstance(obj, Deployment):
        available = condition(obj.status.conditions, "Available")
        if stated.health is Health.DEGRADED and available is not None and available.status == "True":
            return ""  # A rollout may replace some of the pods at a time.
    return f"{stated.ready} ready"


def _explained_by_pods(workload: Ref, family: Family, explained: set[Ref]) -> bool:
    """Whether each of its pods that is not ready has a finding or is on a node that has."""
    pods = [pod for pod in family.pods(workload) if not ready(pod) and not finished(pod)]
    return bool(pods) and all(ref(pod) in explained or _on(pod, explained) for pod in pods)


def _on(pod: Pod, explained: set[Ref]) -> bool:
    return bool(pod.spec.node_name) and Ref("Node", "", pod.spec.node_name) in explained


def _pods_wait(number: int) -> str:
    return f"{counted(number, 'pod')} {'is' if number == 1 else 'are'} not ready"
