"""The current health of an object by its own status, independent of any diagnosis."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from kubedoctor.cluster import (
    CronJob,
    CustomResource,
    DaemonSet,
    Deployment,
    Job,
    KubernetesObject,
    Namespace,
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    ReplicaSet,
    ReplicationController,
    StatefulSet,
    condition,
)
from kubedoctor.cluster.triage import ready, terminating, waiting
from kubedoctor.engine.health.pod_status import pod_status, sidecars_of
from kubedoctor.findings import Severity
from kubedoctor.replay.status.conditions import bad_conditions, bad_phase, is_custom
from kubedoctor.replay.status.stated import StatedCondition, stated_conditions, suspended


class Health(enum.Enum):
    """The health of an object. NOTED: it works, and a notice is about it. IDLE: it has nothing to do, or its kind has no
    state; that does not mean healthy."""

    BROKEN = "broken"
    DEGRADED = "degraded"
    NOTED = "noted"
    HEALTHY = "healthy"
    IDLE = "idle"

    @property
    def symbol(self) -> str:
        """One character that shows it without colour."""
        return {"broken": "✗", "degraded": "!", "noted": "·", "healthy": "✓", "idle": "–"}[self.value]

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return _RANKS[self]


_SUMMARIES = ("Ready", "Available", "Healthy")
"""Conditions of custom kinds that sum an object up. Unknown means that it is not yet known to be healthy."""
_RANKS = {health: rank for rank, health in enumerate(Health)}
_OF_SEVERITY = {Severity.CRITICAL: Health.BROKEN, Severity.WARNING: Health.DEGRADED, Severity.NOTICE: Health.NOTED}


def health_of(severity: Severity) -> Health:
    """The health that a finding implies."""
    return _OF_SEVERITY[severity]


class StatedHealth(msgspec.Struct, frozen=True, gc=False):
    """`ready` as in kubectl's READY column, empty where the kind has none; `status` a word."""

    health: Health
    ready: str = ""
    status: str = ""


def stated_health(obj: KubernetesObject) -> StatedHealth:
    """The state in the object's own status."""
    state_of = _STATES.get(type(obj)) or (_custom if is_custom(obj) else None)
    state: StatedHealth = state_of(obj) if state_of else StatedHealth(Health.IDLE, status=_phase(obj))
    if terminating_object(obj) and not isinstance(obj, Pod):
        return StatedHealth(Health.DEGRADED, state.ready, "Terminating")
    return state


def terminating_object(obj: KubernetesObject) -> bool:
    """Deletion was asked for."""
    return obj.metadata.deletion_timestamp is not None


def _phase(obj: KubernetesObject) -> str:
    return str(getattr(getattr(obj, "status", None), "phase", "") or "")


def _replicas(is_ready: int, desired: int, settled: bool = True) -> StatedHealth:
    if desired == 0 and is_ready == 0:
        return StatedHealth(Health.IDLE, "0/0", "scaled to 0")
    text = f"{is_ready}/{desired}"
    if is_ready == 0:
        return StatedHealth(Health.BROKEN, text, "none ready")
    if is_ready < desired:
        return StatedHealth(Health.DEGRADED, text, "not all ready")
    return (
        StatedHealth(Health.HEALTHY, text, "ready")
        if settled
        else StatedHealth(Health.DEGRADED, text, "rollout not finished")
    )


def _deployment(obj: Deployment) -> StatedHealth:
    desired = obj.spec.desired_replicas
    stuck = any(row.type in ("Progressing", "ReplicaFailure") for row, _ in bad_conditions(obj))
    settled = obj.spec.paused or (obj.status.updated_replicas >= desired and not stuck)
    return _replicas(obj.status.ready_replicas, desired, settled)


def _replica_set(obj: ReplicaSet) -> StatedHealth:
    return _replicas(obj.status.ready_replicas, obj.spec.desired_replicas)


def _replication_controller(obj: ReplicationController) -> StatedHealth:
    ready_replicas = (obj.status or {}).get("readyReplicas", 0)
    return _replicas(ready_replicas if isinstance(ready_replicas, int) else 0, obj.spec.desired_replicas)


def _stateful_set(obj: StatefulSet) -> StatedHealth:
    return _replicas(obj.status.ready_replicas, obj.spec.desired_replicas)


def _daemon_set(obj: DaemonSet) -> StatedHealth:
    return _replicas(obj.status.number_ready, obj.status.desired_number_scheduled)


def _job(obj: Job) -> StatedHealth:
    completions = f"{obj.status.succeeded}/{1 if obj.spec.completions is None else obj.spec.completions}"
    if any(bad_conditions(obj)):
        return StatedHealth(Health.BROKEN, completions, "Failed")
    complete = condition(obj.status.conditions, "Complete")
    if complete is not None and complete.status == "True":
        return StatedHealth(Health.HEALTHY, completions, "Complete")
    if obj.spec.suspend:
        return StatedHealth(Health.IDLE, completions, "Suspended")
    return StatedHealth(Health.DEGRADED if obj.status.failed else Health.HEALTHY, completions, "Running")


def _cron_job(obj: CronJob) -> StatedHealth:
    if obj.spec.suspend:
        return StatedHealth(Health.IDLE, "–", "Suspended")
    return StatedHealth(Health.HEALTHY, "–", obj.spec.schedule)


def _node(obj: Node) -> StatedHealth:
    bad = [row.type for row, _ in bad_conditions(obj)]
    if "Ready" in bad or condition(obj.status.conditions, "Ready") is None:
        return StatedHealth(Health.BROKEN, status="NotReady")
    if obj.spec.unschedulable:
        return StatedHealth(Health.DEGRADED, status="Ready, cordoned")
    return StatedHealth(Health.DEGRADED if bad else Health.HEALTHY, status=", ".join(bad) or "Ready")


def _namespace(obj: Namespace) -> StatedHealth:
    return StatedHealth(Health.HEALTHY, status=obj.status.phase or "Active")


def _claim(obj: PersistentVolumeClaim) -> StatedHealth:
    return _by_phase(obj, obj.status.phase, {"Bound": Health.HEALTHY, "Pending": Health.DEGRADED})


def _volume(obj: PersistentVolume) -> StatedHealth:
    return _by_phase(obj, obj.status.phase, {"Bound": Health.HEALTHY})


def _by_phase(obj: KubernetesObject, phase: str, healths: Mapping[str, Health]) -> StatedHealth:
    return StatedHealth(Health.BROKEN if bad_phase(obj) else healths.get(phase, Health.IDLE), status=phase)


def _custom(obj: KubernetesObject) -> StatedHealth:
    """By the conditions that mean trouble, else by the first that sums the object up; a suspended object is not in
    trouble."""
    if isinstance(obj, CustomResource) and suspended(obj):
        return StatedHealth(Health.IDLE, status="Suspended")
    for _, stated in bad_conditions(obj):
        return StatedHealth(Health.DEGRADED, status=_word(stated))
    for stated in stated_conditions(obj).values():
        if stated.type in _SUMMARIES:
            good = stated.status == "True"
            return StatedHealth(
                Health.HEALTHY if good else Health.DEGRADED, status=stated.type if good else _word(stated)
            )
    return StatedHealth(Health.IDLE)


def _word(stated: StatedCondition) -> str:
    """The reason, where it is more specific than the type."""
    if stated.reason not in ("", stated.type):
        return stated.reason
    return stated.type if stated.status == "True" else f"not {stated.type}"


def _pod(pod: Pod) -> StatedHealth:
    status = pod_status(pod)
    sidecars = sidecars_of(pod)
    ready_containers = sum(container.ready for container in pod.status.container_statuses or ())
    ready_containers += sum(
        container.ready for container in pod.status.init_container_statuses or () if container.name in sidecars
    )
    count = f"{ready_containers}/{len(pod.spec.containers) + len(sidecars)}"
    if pod.status.phase == "Succeeded":
        return StatedHealth(Health.IDLE, count, status)
    if terminating(pod):
        return StatedHealth(Health.DEGRADED, count, status)
    if ready(pod):
        return StatedHealth(Health.HEALTHY, count, status)
    broken = pod.status.phase == "Failed" or waiting(pod) or not pod.spec.node_name
    return StatedHealth(Health.BROKEN if broken else Health.DEGRADED, count, status)


_STATES: dict[type[KubernetesObject], Callable[[Any], StatedHealth]] = {
    Pod: _pod,
    Deployment: _deployment,
    ReplicaSet: _replica_set,
    ReplicationController: _replication_controller,
    StatefulSet: _stateful_set,
    DaemonSet: _daemon_set,
    Job: _job,
    CronJob: _cron_job,
    Node: _node,
    Namespace: _namespace,
    PersistentVolumeClaim: _claim,
    PersistentVolume: _volume,
    CustomResource: _custom,
}
