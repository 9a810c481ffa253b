"""What an object's own status says of its health: before, and apart from, any diagnosis."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

import msgspec

from kubedoctor.cluster import (
    Condition,
    ContainerStatus,
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
from kubedoctor.cluster.triage import finished, ready, terminating, waiting
from kubedoctor.findings import Severity


class Health(enum.Enum):
    """How an object fares. IDLE: nothing is asked of it, or its kind has no state; that is no praise."""

    BROKEN = "broken"
    DEGRADED = "degraded"
    HEALTHY = "healthy"
    IDLE = "idle"

    @property
    def symbol(self) -> str:
        """One character that tells it without colour."""
        return {"broken": "✗", "degraded": "!", "healthy": "✓", "idle": "–"}[self.value]

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return _RANKS[self]


_RANKS = {health: rank for rank, health in enumerate(Health)}
_OF_SEVERITY = {Severity.CRITICAL: Health.BROKEN, Severity.WARNING: Health.DEGRADED}


def health_of(severity: Severity) -> Health:
    """The mark of a finding; a notice does not make anything ill."""
    return _OF_SEVERITY.get(severity, Health.HEALTHY)


class State(msgspec.Struct, frozen=True, gc=False):
    """`ready` as in kubectl's READY column, empty where the kind has none; `status` a word."""

    health: Health
    ready: str = ""
    status: str = ""


def state_of(obj: KubernetesObject) -> State:
    """The state that the object's own status tells."""
    known = _STATES.get(type(obj))
    state: State = known(obj) if known else State(Health.IDLE, status=_phase(obj))
    if terminating_object(obj) and not isinstance(obj, Pod):
        return State(Health.DEGRADED, state.ready, "Terminating")
    return state


def terminating_object(obj: KubernetesObject) -> bool:
    """Deletion was asked for."""
    return obj.metadata.deletion_timestamp is not None


def _phase(obj: KubernetesObject) -> str:
    return str(getattr(getattr(obj, "status", None), "phase", "") or "")


def _replicas(is_ready: int, wanted: int, settled: bool = True) -> State:
    if wanted == 0 and is_ready == 0:
        return State(Health.IDLE, "0/0", "scaled to zero")
    text = f"{is_ready}/{wanted}"
    if is_ready == 0:
        return State(Health.BROKEN, text, "none ready")
    if is_ready < wanted:
        return State(Health.DEGRADED, text, "not all ready")
    return State(Health.HEALTHY, text, "ready") if settled else State(Health.DEGRADED, text, "rollout not finished")


def _deployment(obj: Deployment) -> State:
    wanted = obj.spec.wanted
    stuck = _is(obj.status.conditions, "Progressing", "False") or _is(obj.status.conditions, "ReplicaFailure", "True")
    settled = obj.spec.paused or (obj.status.updated_replicas >= wanted and not stuck)
    return _replicas(obj.status.ready_replicas, wanted, settled)


def _replica_set(obj: ReplicaSet) -> State:
    return _replicas(obj.status.ready_replicas, obj.spec.wanted)


def _replication_controller(obj: ReplicationController) -> State:
    ready_replicas = (obj.status or {}).get("readyReplicas", 0)
    return _replicas(ready_replicas if isinstance(ready_replicas, int) else 0, obj.spec.wanted)


def _stateful_set(obj: StatefulSet) -> State:
    return _replicas(obj.status.ready_replicas, obj.spec.wanted)


def _daemon_set(obj: DaemonSet) -> State:
    return _replicas(obj.status.number_ready, obj.status.desired_number_scheduled)


def _job(obj: Job) -> State:
    done = f"{obj.status.succeeded}/{1 if obj.spec.completions is None else obj.spec.completions}"
    if _is(obj.status.conditions, "Failed", "True") or _is(obj.status.conditions, "FailureTarget", "True"):
        return State(Health.BROKEN, done, "Failed")
    if _is(obj.status.conditions, "Complete", "True"):
        return State(Health.HEALTHY, done, "Complete")
    if obj.spec.suspend:
        return State(Health.IDLE, done, "Suspended")
    return State(Health.DEGRADED if obj.status.failed else Health.HEALTHY, done, "Running")


def _cron_job(obj: CronJob) -> State:
    if obj.spec.suspend:
        return State(Health.IDLE, "–", "Suspended")
    return State(Health.HEALTHY, "–", obj.spec.schedule)


def _node(obj: Node) -> State:
    if not _is(obj.status.conditions, "Ready", "True"):
        return State(Health.BROKEN, status="NotReady")
    if obj.spec.unschedulable:
        return State(Health.DEGRADED, status="Ready, cordoned")
    pressed = [one.type for one in obj.status.conditions or () if one.type != "Ready" and one.status == "True"]
    return State(Health.DEGRADED, status=", ".join(pressed)) if pressed else State(Health.HEALTHY, status="Ready")


def _namespace(obj: Namespace) -> State:
    return State(Health.HEALTHY, status=obj.status.phase or "Active")


def _claim(obj: PersistentVolumeClaim) -> State:
    phase = obj.status.phase
    return State(
        {"Bound": Health.HEALTHY, "Lost": Health.BROKEN, "Pending": Health.DEGRADED}.get(phase, Health.IDLE),
        status=phase,
    )


def _volume(obj: PersistentVolume) -> State:
    phase = obj.status.phase
    return State({"Bound": Health.HEALTHY, "Failed": Health.BROKEN}.get(phase, Health.IDLE), status=phase)


def _custom(obj: CustomResource) -> State:
    conditions = (obj.status or {}).get("conditions")
    for one in conditions if isinstance(conditions, list) else ():
        if isinstance(one, dict) and one.get("type") in ("Ready", "Available", "Healthy"):
            good = one.get("status") == "True"
            word = str(one.get("type") if good else one.get("reason") or f"not {one.get('type')}")
            return State(Health.HEALTHY if good else Health.DEGRADED, status=word)
    return State(Health.IDLE)


def _pod(pod: Pod) -> State:
    status = pod_status(pod)
    sidecars = {one.name for one in pod.spec.init_containers or () if one.restarts_always}
    up = sum(one.ready for one in pod.status.container_statuses or ())
    up += sum(one.ready for one in pod.status.init_container_statuses or () if one.name in sidecars)
    count = f"{up}/{len(pod.spec.containers) + len(sidecars)}"
    if pod.status.phase == "Succeeded":
        return State(Health.IDLE, count, status)
    if terminating(pod):
        return State(Health.DEGRADED, count, status)
    if ready(pod):
        return State(Health.HEALTHY, count, status)
    broken = pod.status.phase == "Failed" or waiting(pod) or not pod.spec.node_name
    return State(Health.BROKEN if broken else Health.DEGRADED, count, status)


def pod_status(pod: Pod) -> str:
    """As in kubectl's STATUS column (`pkg/printers/internalversion`, printPod, v1.37)."""
    word = pod.status.reason or pod.status.phase
    gated = condition(pod.status.conditions, "PodScheduled")
    if gated is not None and gated.reason == "SchedulingGated":
        word = gated.reason
    initializing = _initializing(pod)
    if initializing:
        word = initializing
    if not initializing or _is(pod.status.conditions, "Initialized", "True"):
        word = _containers_word(pod, word)
    if terminating(pod) and pod.status.reason == "NodeLost":
        return "Unknown"
    return "Terminating" if terminating(pod) and not finished(pod) else word


def _initializing(pod: Pod) -> str:
    sidecars = {one.name for one in pod.spec.init_containers or () if one.restarts_always}
    for number, one in enumerate(pod.status.init_container_statuses or ()):
        state = one.state
        if state and state.terminated and state.terminated.exit_code == 0:
            continue
        if one.name in sidecars and one.started:
            continue
        if state and state.terminated:
            return f"Init:{_ended(one)}"
        if state and state.waiting and state.waiting.reason not in ("", "PodInitializing"):
            return f"Init:{state.waiting.reason}"
        return f"Init:{number}/{len(pod.spec.init_containers or ())}"
    return ""


def _containers_word(pod: Pod, word: str) -> str:
    running, failed = False, ""
    for one in reversed(pod.status.container_statuses or ()):
        state = one.state
        if state and state.waiting and state.waiting.reason:
            word = state.waiting.reason
        elif state and state.terminated:
            word = _ended(one)
            failed = word if state.terminated.exit_code else failed
        elif one.ready and state and state.running:
            running = True
    if word != "Completed":
        return word
    if running and ready(pod):
        return "Running"
    return failed or ("NotReady" if running else word)


def _ended(one: ContainerStatus) -> str:
    ended = one.state.terminated if one.state else None
    if ended is None:
        return ""
    return ended.reason or (f"Signal:{ended.signal}" if ended.signal else f"ExitCode:{ended.exit_code}")


def _is(conditions: tuple[Condition, ...] | None, kind: str, status: str) -> bool:
    one = condition(conditions, kind)
    return one is not None and one.status == status


_STATES: dict[type[KubernetesObject], Callable[[Any], State]] = {
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
