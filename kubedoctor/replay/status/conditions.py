"""Which conditions and phases of an object's own status mean trouble: the table for Kubernetes' own kinds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import msgspec

from kubedoctor.cluster.kinds.apps import Deployment
from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.meta import CustomResource, KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import kind_name
from kubedoctor.replay.status.node_problems import node_problems
from kubedoctor.replay.status.stated import StatedCondition, every_condition, stated_conditions, suspended
from kubedoctor.replay.status.vocabulary import SOON, START, patience
from kubedoctor.replay.workloads.deployments import DEADLINE

ROLLOUT = timedelta(seconds=DEADLINE)
"""How long Kubernetes itself waits before it calls a rollout stuck (`progressDeadlineSeconds`)."""


class BadCondition(msgspec.Struct, frozen=True):
    """A condition that means trouble once it has lasted for `after`. `alone`: only for the requested object, because
    healthy clusters have many such objects. `but`: reasons that mean no trouble. `only`: the reasons that do, if not
    all. `at_once`: a pattern of the reasons and messages of what no component repairs by itself: then `after` does not
    count."""

    type: str
    status: tuple[str, ...]
    after: timedelta = SOON
    alone: bool = False
    but: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    at_once: str = ""


_TRUE, _FALSE, _NOT = ("True",), ("False",), ("False", "Unknown")
_REPLICA_FAILURE = BadCondition("ReplicaFailure", _TRUE)

_UNUSABLE_METRIC = (
    r"InvalidSelector|InvalidMetricSourceType|missing request for|no (?:custom|external) metrics API|is forbidden"
    r"|could not find the requested resource"
)
"""Of an autoscaler (`pkg/controller/podautoscaler`, v1.37): not that new pods have no metrics yet."""

_BAD: Mapping[str, tuple[BadCondition, ...]] = {
    "Pod": (
        BadCondition("Ready", _NOT, ROLLOUT),
        BadCondition("PodScheduled", _FALSE, ROLLOUT, but=("SchedulingGated",)),
    ),
    "Node": (
        BadCondition("Ready", _NOT, START),
        BadCondition("NetworkUnavailable", _TRUE, START),
        *(BadCondition(name, _TRUE) for name in ("MemoryPressure", "DiskPressure", "PIDPressure")),
    ),
    "Deployment": (
        _REPLICA_FAILURE,
        BadCondition("Progressing", _FALSE, at_once="ProgressDeadlineExceeded"),
        BadCondition("Available", _FALSE, ROLLOUT),
    ),
    "ReplicaSet": (_REPLICA_FAILURE,),
    "ReplicationController": (_REPLICA_FAILURE,),
    "Job": (BadCondition("Failed", _TRUE, alone=True), BadCondition("FailureTarget", _TRUE, alone=True)),
    # `pkg/controller/podautoscaler`, v1.37: ScalingDisabled is a target scaled to 0; older releases used BackoffBoth.
    "HorizontalPodAutoscaler": (
        BadCondition("ScalingActive", _FALSE, START, but=("ScalingDisabled",), at_once=_UNUSABLE_METRIC),
        BadCondition(
            "AbleToScale",
            _FALSE,
            START,
            but=("BackoffBoth", "BackoffDownscale", "BackoffUpscale"),
            at_once=r"not found|no matches for kind|could not find the requested resource|is forbidden",
        ),
    ),
    # Allowing no disruption is often intended; a controller that cannot compute it is not.
    "PodDisruptionBudget": (BadCondition("DisruptionAllowed", _FALSE, only=("SyncFailed",)),),
    "APIService": (BadCondition("Available", _FALSE),),
    "CustomResourceDefinition": (
        BadCondition("Established", _FALSE),
        BadCondition("NamesAccepted", _FALSE, at_once="Conflict"),
    ),
    "PersistentVolumeClaim": tuple(
        BadCondition(name, _TRUE) for name in ("ControllerResizeError", "NodeResizeError", "ModifyVolumeError")
    ),
    "Service": (BadCondition("LoadBalancerPortsError", _TRUE),),
}


class BadPhase(msgspec.Struct, frozen=True):
    """A phase that means trouble. `alone`: only for the requested object."""

    phase: str
    alone: bool = False


_PHASES: Mapping[str, tuple[BadPhase, ...]] = {
    "Pod": (BadPhase("Failed", alone=True),),
    "PersistentVolumeClaim": (BadPhase("Lost"),),
    "PersistentVolume": (BadPhase("Failed"),),
}


def bad_conditions(obj: KubernetesObject) -> Iterator[tuple[BadCondition, StatedCondition]]:
    """The conditions that mean trouble, however new they are: by upstream's table, for an extension's kind by its
    words, wherever in the status they stand."""
    if is_custom(obj):
        if not suspended(obj):
            yield from _custom_conditions(obj)
        return
    stated = stated_conditions(obj)
    if isinstance(obj, Node):
        yield from ((BadCondition(own.type, (own.status,)), stated[own.type]) for own in node_problems(obj))
    for row in _BAD.get(kind_name(obj), ()):
        condition = stated.get(row.type)
        if condition is None or condition.status not in row.status or (row is _REPLICA_FAILURE and _has_its_pods(obj)):
            continue
        if row.type == "Ready" and isinstance(obj, Pod) and _partly_done(obj):
            continue
        if condition.reason not in row.but and (not row.only or condition.reason in row.only):
            lasting = row.at_once and re.search(row.at_once, f"{condition.reason}: {condition.message}")
            yield msgspec.structs.replace(row, after=timedelta(0)) if lasting else row, condition


def lasting_conditions(
    obj: KubernetesObject, now: datetime
) -> Iterator[tuple[BadCondition, StatedCondition, datetime | None]]:
    """The conditions that mean trouble and have lasted longer than ordinary operation explains, with since when."""
    for row, stated in bad_conditions(obj):
        since = _since(stated, obj)
        if (now - since < row.after) if since is not None else row.after > SOON:
            continue  # Of unknown age may be new: every object of an API server has a time.
        yield row, stated, since


def _since(stated: StatedCondition, obj: KubernetesObject) -> datetime | None:
    """An object's defaults (Gateway API) may state a condition since 1970."""
    times = [time for time in (stated.since, obj.metadata.creation_timestamp) if time is not None]
    return max(times, default=None) if is_custom(obj) else next(iter(times), None)


def bad_phase(obj: KubernetesObject) -> BadPhase | None:
    """The phase of the object, if it means trouble."""
    phase = getattr(getattr(obj, "status", None), "phase", "")
    return next((row for row in _PHASES.get(kind_name(obj), ()) if row.phase == phase), None)


def is_custom(obj: KubernetesObject) -> bool:
    """Whether an extension defines the kind."""
    return isinstance(obj, CustomResource) or bool(obj.api_group)


def _custom_conditions(obj: KubernetesObject) -> Iterator[tuple[BadCondition, StatedCondition]]:
    told = set()
    for condition in every_condition(obj):
        after = patience(condition.type, condition.status, condition.reason, condition.message)
        if after is not None and (condition.type, condition.place, condition.message) not in told:
            told.add((condition.type, condition.place, condition.message))
            yield BadCondition(condition.type, (condition.status,), after), condition


def _partly_done(pod: Pod) -> bool:
    """Of a pod that is not started again: some containers have done their work, and all others are ready."""
    statuses = pod.status.container_statuses or ()
    ends = [status.state.terminated for status in statuses if not status.ready and status.state is not None]
    done = bool(ends) and all(end is not None and end.exit_code == 0 for end in ends)
    return done and pod.spec.restart_policy in ("Never", "OnFailure")


def _has_its_pods(obj: KubernetesObject) -> bool:
    """A ReplicaSet that is scaled to 0 may keep its last failure, and its Deployment repeats it
    (`pkg/controller/deployment/progress.go`, getReplicaFailures, v1.37)."""
    if isinstance(obj, Deployment):
        replicas = obj.spec.desired_replicas
        return obj.status.updated_replicas >= replicas and obj.status.available_replicas >= replicas
    return getattr(getattr(obj, "spec", None), "replicas", None) == 0
