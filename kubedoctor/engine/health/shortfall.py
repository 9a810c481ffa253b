"""Workloads whose status reports missing pods while no pod is starting or ending: their pods are not created.

A StatefulSet, a DaemonSet and a Job have no condition for it (a Deployment has ReplicaFailure), and the API server's
answer is only in events, which expire.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.apps import DaemonSet, Job, StatefulSet
from kubedoctor.cluster.kinds.meta import KubernetesObject, condition
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import kind_name
from kubedoctor.cluster.seen.quoting import Evidence, has_path, quote
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.triage import ready, terminating
from kubedoctor.replay.workloads.missing_pods import lacks_pods

SETTLED = timedelta(minutes=1)
"""A controller creates missing pods within seconds; its next try after a refusal may be later, and fails in the same
way."""


def shortfall(obj: KubernetesObject, snapshot: Snapshot) -> tuple[str, tuple[Evidence, ...]] | None:
    """The clause and the two numbers, where pods are missing and no existing pod is starting or ending."""
    missing = _missing(obj)
    if missing is None or not _old(obj.metadata.creation_timestamp, snapshot.taken_at):
        return None
    if any(_is_moving(pod, snapshot.taken_at) for pod in _pods(obj, snapshot)):
        return None
    clause, paths = missing
    return clause, tuple(quote(obj, path) for path in paths if has_path(obj, path))


def _missing(obj: KubernetesObject) -> tuple[str, tuple[str, ...]] | None:
    """The missing pods by the controller's last status, if that is about the current spec."""
    if isinstance(obj, StatefulSet | DaemonSet) and obj.status.observed_generation < obj.metadata.generation:
        return None
    if isinstance(obj, StatefulSet) and lacks_pods(obj):
        clause = f"{obj.status.replicas} of {counted(obj.spec.desired_replicas, 'pod')} exist"
        return clause, ("spec.replicas", "status.replicas")
    if isinstance(obj, DaemonSet) and lacks_pods(obj):
        desired, current = obj.status.desired_number_scheduled, obj.status.current_number_scheduled
        paths = ("status.desiredNumberScheduled", "status.currentNumberScheduled")
        return f"pods exist on {current} of {counted(desired, 'node')}", paths
    if isinstance(obj, Job) and obj.status.start_time is not None and not obj.spec.suspend:
        status = obj.status
        begun = status.active or status.succeeded or status.failed or status.conditions
        if not begun and obj.spec.completions != 0 and obj.spec.parallelism != 0:
            return "the Job has started, but no pod was created", ("status.startTime",)
    return None


def _pods(obj: KubernetesObject, snapshot: Snapshot) -> Iterable[KubernetesObject]:
    return snapshot.index("Pod", "owner").get((kind_name(obj), obj.metadata.namespace, obj.metadata.name), ())


def _is_moving(pod: KubernetesObject, now: datetime) -> bool:
    """Whether the pod is starting or ending: a StatefulSet waits for each of its pods, and replaces a pod only after it
    is gone."""
    if not isinstance(pod, Pod) or terminating(pod) or not ready(pod):
        return True
    ready_condition = condition(pod.status.conditions, "Ready")
    return ready_condition is None or not _old(
        ready_condition.last_transition_time or pod.metadata.creation_timestamp, now
    )


def _old(since: datetime | None, now: datetime) -> bool:
    """Whether the object is old enough; an object of unknown age may be new."""
    return since is not None and now - since > SETTLED
