"""Workloads: apps and batch."""

from typing import Any

from kubedoctor.cluster.kinds.meta import (
    Condition,
    KubernetesObject,
    LabelSelector,
    ManagedMeta,
    ObjectMeta,
    ObjectReference,
    Part,
    Time,
)
from kubedoctor.cluster.kinds.pods import PodTemplate


class RollingUpdate(Part):
    """Numbers or percentages; `partition` is a StatefulSet's."""

    max_unavailable: int | str | None = None
    max_surge: int | str | None = None
    partition: int | None = None


class UpdateStrategy(Part):
    type: str = ""
    rolling_update: RollingUpdate | None = None


class Scaled(Part):
    """The spec of a workload that has a number of pods."""

    replicas: int | None = None

    @property
    def desired_replicas(self) -> int:
        """How many pods it should have: 1 if it does not say."""
        return 1 if self.replicas is None else self.replicas


class DeploymentSpec(Scaled):
    selector: LabelSelector | None = None
    template: PodTemplate = PodTemplate()
    strategy: UpdateStrategy = UpdateStrategy()
    paused: bool = False
    progress_deadline_seconds: int | None = None
    min_ready_seconds: int = 0
    revision_history_limit: int | None = None


class DeploymentStatus(Part):
    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    unavailable_replicas: int = 0
    conditions: tuple[Condition, ...] | None = None


class Deployment(KubernetesObject):
    metadata: ManagedMeta = ManagedMeta()
    spec: DeploymentSpec = DeploymentSpec()
    status: DeploymentStatus = DeploymentStatus()


class ReplicaSetSpec(Scaled):
    selector: LabelSelector | None = None
    template: PodTemplate = PodTemplate()
    min_ready_seconds: int = 0


class ReplicaSetStatus(Part):
    observed_generation: int = 0
    replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    fully_labeled_replicas: int = 0
    conditions: tuple[Condition, ...] | None = None


class ReplicaSet(KubernetesObject):
    spec: ReplicaSetSpec = ReplicaSetSpec()
    status: ReplicaSetStatus = ReplicaSetStatus()


class ClaimTemplate(Part):
    metadata: ObjectMeta = ObjectMeta()
    spec: dict[str, Any] | None = None


class StatefulSetOrdinals(Part):
    """`start`: the number of the first pod (1.26)."""

    start: int = 0


class StatefulSetSpec(Scaled):
    selector: LabelSelector | None = None
    template: PodTemplate = PodTemplate()
    service_name: str = ""
    pod_management_policy: str = ""
    ordinals: StatefulSetOrdinals | None = None
    update_strategy: UpdateStrategy = UpdateStrategy()
    volume_claim_templates: tuple[ClaimTemplate, ...] | None = None
    min_ready_seconds: int = 0


class StatefulSetStatus(Part):
    observed_generation: int = 0
    replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    current_replicas: int = 0
    updated_replicas: int = 0
    current_revision: str = ""
    update_revision: str = ""
    conditions: tuple[Condition, ...] | None = None


class StatefulSet(KubernetesObject):
    metadata: ManagedMeta = ManagedMeta()
    spec: StatefulSetSpec = StatefulSetSpec()
    status: StatefulSetStatus = StatefulSetStatus()


class DaemonSetSpec(Part):
    selector: LabelSelector | None = None
    template: PodTemplate = PodTemplate()
    update_strategy: UpdateStrategy = UpdateStrategy()
    min_ready_seconds: int = 0


class DaemonSetStatus(Part):
    observed_generation: int = 0
    desired_number_scheduled: int = 0
    current_number_scheduled: int = 0
    number_ready: int = 0
    number_available: int = 0
    number_unavailable: int = 0
    number_misscheduled: int = 0
    updated_number_scheduled: int = 0
    conditions: tuple[Condition, ...] | None = None


class DaemonSet(KubernetesObject):
    metadata: ManagedMeta = ManagedMeta()
    spec: DaemonSetSpec = DaemonSetSpec()
    status: DaemonSetStatus = DaemonSetStatus()


class ControllerRevision(KubernetesObject):
    revision: int = 0
    data: Any = None


class JobSpec(Part):
    """`active_deadline_seconds` and `ttl_seconds_after_finished` in seconds."""

    parallelism: int | None = None
    completions: int | None = None
    backoff_limit: int | None = None
    backoff_limit_per_index: int | None = None
    active_deadline_seconds: int | None = None
    ttl_seconds_after_finished: int | None = None
    suspend: bool | None = None
    selector: LabelSelector | None = None
    template: PodTemplate = PodTemplate()
    completion_mode: str | None = None
    pod_failure_policy: dict[str, Any] | None = None


class JobStatus(Part):
    active: int = 0
    ready: int | None = None
    succeeded: int = 0
    failed: int = 0
    failed_indexes: str | None = None
    start_time: Time | None = None
    completion_time: Time | None = None
    conditions: tuple[Condition, ...] | None = None


class Job(KubernetesObject):
    spec: JobSpec = JobSpec()
    status: JobStatus = JobStatus()


class JobTemplate(Part):
    metadata: ObjectMeta = ObjectMeta()
    spec: JobSpec = JobSpec()


class CronJobSpec(Part):
    schedule: str = ""
    time_zone: str | None = None
    suspend: bool | None = None
    concurrency_policy: str = ""
    starting_deadline_seconds: int | None = None
    job_template: JobTemplate = JobTemplate()


class CronJobStatus(Part):
    active: tuple[ObjectReference, ...] | None = None
    last_schedule_time: Time | None = None
    last_successful_time: Time | None = None


class CronJob(KubernetesObject):
    metadata: ManagedMeta = ManagedMeta()
    spec: CronJobSpec = CronJobSpec()
    status: CronJobStatus = CronJobStatus()
