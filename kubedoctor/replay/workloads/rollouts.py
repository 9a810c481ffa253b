"""`kubectl rollout status` (`k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go`, v1.37)."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from typing import Final

import msgspec

from kubedoctor.cluster.kinds.apps import DaemonSet, Deployment, StatefulSet
from kubedoctor.cluster.kinds.meta import condition
from kubedoctor.cluster.relations.workloads import REVISION

_INTEGER: Final = re.compile(r"[+-]?[0-9]+", re.ASCII)


class RolloutStage(enum.Enum):
    """Where a rollout stands."""

    UNOBSERVED = "unobserved"
    UPDATING = "updating"
    OLD_PODS = "old-pods"
    UNAVAILABLE = "unavailable"
    UNREADY = "unready"
    PARTITION = "partition"
    REVISION = "revision"
    COMPLETE = "complete"
    PARTITION_COMPLETE = "partition-complete"
    DEADLINE = "deadline"
    OTHER_REVISION = "other-revision"
    NO_REVISION = "no-revision"
    OTHER_STRATEGY = "other-strategy"


_FAILED: Final = (
    RolloutStage.DEADLINE,
    RolloutStage.OTHER_REVISION,
    RolloutStage.NO_REVISION,
    RolloutStage.OTHER_STRATEGY,
)


class Rollout(msgspec.Struct, frozen=True):
    """`have` of `want` pods; of `OLD_PODS` and `UNREADY` only `want` counts: the pods that are still in the way.

    revision: what the status names (a StatefulSet's), or the text that is no revision.
    """

    kind: str
    name: str
    stage: RolloutStage
    have: int = 0
    want: int = 0
    revision: str = ""

    @property
    def done(self) -> bool:
        """Waiting longer changes nothing."""
        return self.stage in (RolloutStage.COMPLETE, RolloutStage.PARTITION_COMPLETE, RolloutStage.OTHER_STRATEGY)

    @property
    def failed(self) -> bool:
        """kubectl reports an error."""
        return self.stage in _FAILED

    @property
    def text(self) -> str:
        """What kubectl prints, with the line feed of its messages; errors have none."""
        return _TEXTS[self.stage](self)


_KINDS: Final = {"Deployment": "deployment", "DaemonSet": "daemon set", "StatefulSet": "statefulset"}


def _waiting(rollout: Rollout, what: str) -> str:
    return f'Waiting for {_KINDS[rollout.kind]} "{rollout.name}" rollout to finish: {what}...\n'


def _complete(rollout: Rollout) -> str:
    if rollout.kind == "StatefulSet":
        return f"statefulset rolling update complete {rollout.have} pods at revision {rollout.revision}...\n"
    return f'{_KINDS[rollout.kind]} "{rollout.name}" successfully rolled out\n'


_TEXTS: Final[dict[RolloutStage, Callable[[Rollout], str]]] = {
    RolloutStage.UNOBSERVED: lambda it: f"Waiting for {_KINDS[it.kind]} spec update to be observed...\n",
    RolloutStage.UPDATING: lambda it: _waiting(
        it, f"{it.have} out of {it.want} new {'replicas' if it.kind == 'Deployment' else 'pods'} have been updated"
    ),
    RolloutStage.OLD_PODS: lambda it: _waiting(it, f"{it.want} old replicas are pending termination"),
    RolloutStage.UNAVAILABLE: lambda it: _waiting(
        it, f"{it.have} of {it.want} updated {'replicas' if it.kind == 'Deployment' else 'pods'} are available"
    ),
    RolloutStage.UNREADY: lambda it: f"Waiting for {it.want} pods to be ready...\n",
    RolloutStage.PARTITION: lambda it: (
        f"Waiting for partitioned roll out to finish: {it.have} out of {it.want} new pods have been updated...\n"
    ),
    RolloutStage.PARTITION_COMPLETE: lambda it: (
        f"partitioned roll out complete: {it.have} new pods have been updated...\n"
    ),
    RolloutStage.REVISION: lambda it: (
        f"waiting for statefulset rolling update to complete {it.have} pods at revision {it.revision}...\n"
    ),
    RolloutStage.COMPLETE: _complete,
    RolloutStage.DEADLINE: lambda it: f'deployment "{it.name}" exceeded its progress deadline',
    RolloutStage.OTHER_REVISION: lambda it: (
        f"desired revision ({it.want}) is different from the running revision ({it.have})"
    ),
    RolloutStage.NO_REVISION: lambda it: (
        f'cannot get the revision of deployment "{it.name}": strconv.ParseInt: parsing "{it.revision}": invalid syntax'
    ),
    RolloutStage.OTHER_STRATEGY: lambda _: "rollout status is only available for RollingUpdate strategy type",
}


def rollout_of(workload: Deployment | DaemonSet | StatefulSet, revision: int = 0) -> Rollout:
    """How far the rollout is; `revision` is a Deployment's that is asked for, 0 for the newest."""
    if isinstance(workload, Deployment):
        return _deployment(workload, revision)
    if isinstance(workload, DaemonSet):
        return _daemon_set(workload)
    return _stateful_set(workload)


def _deployment(deployment: Deployment, asked: int) -> Rollout:
    def at(stage: RolloutStage, have: int = 0, want: int = 0, revision: str = "") -> Rollout:
        return Rollout("Deployment", deployment.name, stage, have, want, revision)

    if asked > 0:
        running = deployment.annotations.get(REVISION, "0")
        if not _INTEGER.fullmatch(running):
            return at(RolloutStage.NO_REVISION, revision=running)
        if int(running) != asked:
            return at(RolloutStage.OTHER_REVISION, int(running), asked)
    status, replicas = deployment.status, deployment.spec.replicas
    if deployment.metadata.generation > status.observed_generation:
        return at(RolloutStage.UNOBSERVED)
    progressing = condition(status.conditions, "Progressing")
    if progressing is not None and progressing.reason == "ProgressDeadlineExceeded":
        return at(RolloutStage.DEADLINE)
    if replicas is not None and status.updated_replicas < replicas:
        return at(RolloutStage.UPDATING, status.updated_replicas, replicas)
    if status.replicas > status.updated_replicas:
        return at(RolloutStage.OLD_PODS, want=status.replicas - status.updated_replicas)
    if status.available_replicas < status.updated_replicas:
        return at(RolloutStage.UNAVAILABLE, status.available_replicas, status.updated_replicas)
    return at(RolloutStage.COMPLETE)


def _daemon_set(daemon_set: DaemonSet) -> Rollout:
    def at(stage: RolloutStage, have: int = 0, want: int = 0) -> Rollout:
        return Rollout("DaemonSet", daemon_set.name, stage, have, want)

    status = daemon_set.status
    if daemon_set.spec.update_strategy.type != "RollingUpdate":
        return at(RolloutStage.OTHER_STRATEGY)
    if daemon_set.metadata.generation > status.observed_generation:
        return at(RolloutStage.UNOBSERVED)
    if status.updated_number_scheduled < status.desired_number_scheduled:
        return at(RolloutStage.UPDATING, status.updated_number_scheduled, status.desired_number_scheduled)
    if status.number_available < status.desired_number_scheduled:
        return at(RolloutStage.UNAVAILABLE, status.number_available, status.desired_number_scheduled)
    return at(RolloutStage.COMPLETE)


def _stateful_set(stateful_set: StatefulSet) -> Rollout:
    def at(stage: RolloutStage, have: int = 0, want: int = 0, revision: str = "") -> Rollout:
        return Rollout("StatefulSet", stateful_set.name, stage, have, want, revision)

    status, replicas = stateful_set.status, stateful_set.spec.replicas
    strategy = stateful_set.spec.update_strategy
    if strategy.type != "RollingUpdate":
        return at(RolloutStage.OTHER_STRATEGY)
    if not status.observed_generation or stateful_set.metadata.generation > status.observed_generation:
        return at(RolloutStage.UNOBSERVED)
    if replicas is not None and status.ready_replicas < replicas:
        return at(RolloutStage.UNREADY, want=replicas - status.ready_replicas)
    if strategy.rolling_update is not None:
        partition = strategy.rolling_update.partition
        if replicas is not None and partition is not None and status.updated_replicas < replicas - partition:
            return at(RolloutStage.PARTITION, status.updated_replicas, replicas - partition)
        return at(RolloutStage.PARTITION_COMPLETE, status.updated_replicas)
    if status.update_revision != status.current_revision:
        return at(RolloutStage.REVISION, status.updated_replicas, revision=status.update_revision)
    return at(RolloutStage.COMPLETE, status.current_replicas, revision=status.current_revision)
