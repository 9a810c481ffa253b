"""Pods and what they are made of."""

from __future__ import annotations

from typing import Any

import msgspec

from kubedoctor.cluster.meta import (
    Condition,
    KubernetesObject,
    LabelSelector,
    LocalReference,
    ObjectMeta,
    Part,
    Time,
)
from kubedoctor.cluster.redaction import redact_arguments, redact_text, redact_value


class ResourceClaimUse(Part):
    name: str = ""
    request: str = ""


class ResourceRequirements(Part):
    """Quantities as text, as the API server holds them."""

    limits: dict[str, str] | None = None
    requests: dict[str, str] | None = None
    claims: tuple[ResourceClaimUse, ...] | None = None


class ContainerPort(Part):
    container_port: int = 0
    name: str = ""
    protocol: str = "TCP"
    host_port: int = 0
    host_ip: str = msgspec.field(default="", name="hostIP")


class KeySelector(Part):
    """A key of a ConfigMap or Secret."""

    name: str = ""
    key: str = ""
    optional: bool | None = None


class FieldReference(Part):
    field_path: str = ""


class EnvVarSource(Part):
    config_map_key_ref: KeySelector | None = None
    secret_key_ref: KeySelector | None = None
    field_ref: FieldReference | None = None


class EnvVar(Part):
    """A variable; a value that looks like a secret is redacted while it is decoded."""

    name: str = ""
    value: str = ""
    value_from: EnvVarSource | None = None

    def __post_init__(self) -> None:
        if self.value:
            kept = redact_value(self.name, self.value)
            if kept != self.value:
                msgspec.structs.force_setattr(self, "value", kept)


class OptionalReference(Part):
    name: str = ""
    optional: bool | None = None


class EnvFromSource(Part):
    prefix: str = ""
    config_map_ref: OptionalReference | None = None
    secret_ref: OptionalReference | None = None


class HTTPGetAction(Part):
    """`port` is a number or the name of a container port."""

    path: str = ""
    port: int | str = 0
    host: str = ""
    scheme: str = "HTTP"


class TCPSocketAction(Part):
    port: int | str = 0
    host: str = ""


class ExecAction(Part):
    command: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.command:
            msgspec.structs.force_setattr(self, "command", redact_arguments(self.command))


class GRPCAction(Part):
    port: int = 0
    service: str | None = None


class Probe(Part):
    """A probe; times in seconds."""

    http_get: HTTPGetAction | None = None
    tcp_socket: TCPSocketAction | None = None
    exec: ExecAction | None = None
    grpc: GRPCAction | None = None
    initial_delay_seconds: int = 0
    timeout_seconds: int = 1
    period_seconds: int = 10
    success_threshold: int = 1
    failure_threshold: int = 3
    termination_grace_period_seconds: int | None = None


class LifecycleHandler(Part):
    exec: ExecAction | None = None
    http_get: HTTPGetAction | None = None
    tcp_socket: TCPSocketAction | None = None


class Lifecycle(Part):
    post_start: LifecycleHandler | None = None
    pre_stop: LifecycleHandler | None = None


class Capabilities(Part):
    add: tuple[str, ...] | None = None
    drop: tuple[str, ...] | None = None


class SecurityContext(Part):
    """Of a container or a pod; a pod has no capabilities, a container no fs_group."""

    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    read_only_root_filesystem: bool | None = None
    privileged: bool | None = None
    allow_privilege_escalation: bool | None = None
    capabilities: Capabilities | None = None
    fs_group: int | None = None
    seccomp_profile: dict[str, Any] | None = None
    app_armor_profile: dict[str, Any] | None = None


class VolumeMount(Part):
    name: str = ""
    mount_path: str = ""
    sub_path: str = ""
    read_only: bool | None = None
    bind_mount_options: tuple[str, ...] | None = None


class VolumeDevice(Part):
    name: str = ""
    device_path: str = ""


class ContainerRestartRule(Part):
    action: str = ""


class Container(Part):
    name: str = ""
    image: str = ""
    image_pull_policy: str = ""
    command: tuple[str, ...] | None = None
    args: tuple[str, ...] | None = None
    working_dir: str = ""
    env: tuple[EnvVar, ...] | None = None
    env_from: tuple[EnvFromSource, ...] | None = None
    ports: tuple[ContainerPort, ...] | None = None
    resources: ResourceRequirements | None = None
    restart_policy: str = ""
    restart_policy_rules: tuple[ContainerRestartRule, ...] | None = None
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    startup_probe: Probe | None = None
    lifecycle: Lifecycle | None = None
    security_context: SecurityContext | None = None
    volume_mounts: tuple[VolumeMount, ...] | None = None
    volume_devices: tuple[VolumeDevice, ...] | None = None
    termination_message_policy: str = ""

    @property
    def restarts_always(self) -> bool:
        """A sidecar: an init container with `restartPolicy: Always` (1.28 and later)."""
        return self.restart_policy == "Always"

    def __post_init__(self) -> None:
        if self.command:
            msgspec.structs.force_setattr(self, "command", redact_arguments(self.command))
        if self.args:
            msgspec.structs.force_setattr(self, "args", redact_arguments(self.args))


class Toleration(Part):
    key: str = ""
    operator: str = ""
    value: str = ""
    effect: str = ""
    toleration_seconds: int | None = None


class NodeSelectorRequirement(Part):
    key: str = ""
    operator: str = ""
    values: tuple[str, ...] | None = None


class NodeSelectorTerm(Part):
    match_expressions: tuple[NodeSelectorRequirement, ...] | None = None
    match_fields: tuple[NodeSelectorRequirement, ...] | None = None


class NodeSelector(Part):
    node_selector_terms: tuple[NodeSelectorTerm, ...] | None = None


class PreferredSchedulingTerm(Part):
    weight: int = 0
    preference: NodeSelectorTerm = NodeSelectorTerm()


class NodeAffinity(Part):
    required_during_scheduling_ignored_during_execution: NodeSelector | None = None
    preferred_during_scheduling_ignored_during_execution: tuple[PreferredSchedulingTerm, ...] | None = None


class PodAffinityTerm(Part):
    label_selector: LabelSelector | None = None
    namespaces: tuple[str, ...] | None = None
    namespace_selector: LabelSelector | None = None
    topology_key: str = ""
    match_label_keys: tuple[str, ...] | None = None
    mismatch_label_keys: tuple[str, ...] | None = None


class WeightedPodAffinityTerm(Part):
    weight: int = 0
    pod_affinity_term: PodAffinityTerm = PodAffinityTerm()


class PodAffinity(Part):
    """Affinity or anti-affinity between pods."""

    required_during_scheduling_ignored_during_execution: tuple[PodAffinityTerm, ...] | None = None
    preferred_during_scheduling_ignored_during_execution: tuple[WeightedPodAffinityTerm, ...] | None = None


class Affinity(Part):
    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAffinity | None = None


class TopologySpreadConstraint(Part):
    max_skew: int = 1
    topology_key: str = ""
    when_unsatisfiable: str = "DoNotSchedule"
    label_selector: LabelSelector | None = None
    min_domains: int | None = None
    node_affinity_policy: str | None = None
    node_taints_policy: str | None = None
    match_label_keys: tuple[str, ...] | None = None


class KeyToPath(Part):
    key: str = ""
    path: str = ""


class ConfigMapSource(Part):
    """Of a volume or of a projected volume's source."""

    name: str = ""
    optional: bool | None = None
    items: tuple[KeyToPath, ...] | None = None


class SecretSource(Part):
    """A Secret in a volume; a projected source calls it `name`, a volume `secretName`."""

    secret_name: str = ""
    name: str = ""
    optional: bool | None = None
    items: tuple[KeyToPath, ...] | None = None


class ClaimSource(Part):
    claim_name: str = ""
    read_only: bool | None = None


class HostPathSource(Part):
    path: str = ""
    type: str | None = None


class EmptyDirSource(Part):
    medium: str = ""
    size_limit: str | None = None


class CSISource(Part):
    driver: str = ""
    read_only: bool | None = None
    volume_attributes: dict[str, str] | None = None


class ProjectedItem(Part):
    config_map: ConfigMapSource | None = None
    secret: SecretSource | None = None


class ProjectedSource(Part):
    sources: tuple[ProjectedItem, ...] | None = None


class Volume(Part):
    """A volume of a pod; sources without a field here are present in the API but decide nothing."""

    name: str = ""
    config_map: ConfigMapSource | None = None
    secret: SecretSource | None = None
    persistent_volume_claim: ClaimSource | None = None
    host_path: HostPathSource | None = None
    empty_dir: EmptyDirSource | None = None
    csi: CSISource | None = None
    projected: ProjectedSource | None = None
    ephemeral: dict[str, Any] | None = None
    nfs: dict[str, Any] | None = None
    gce_persistent_disk: dict[str, Any] | None = None
    aws_elastic_block_store: dict[str, Any] | None = None
    iscsi: dict[str, Any] | None = None
    rbd: dict[str, Any] | None = None
    azure_disk: dict[str, Any] | None = None
    azure_file: dict[str, Any] | None = None
    cinder: dict[str, Any] | None = None
    portworx_volume: dict[str, Any] | None = None
    vsphere_volume: dict[str, Any] | None = None


class SchedulingGate(Part):
    name: str = ""


class ReadinessGate(Part):
    condition_type: str = ""


class PodResourceClaim(Part):
    name: str = ""
    resource_claim_name: str | None = None
    resource_claim_template_name: str | None = None


class PodDNSConfigOption(Part):
    name: str = ""
    value: str | None = None


class PodDNSConfig(Part):
    nameservers: tuple[str, ...] | None = None
    searches: tuple[str, ...] | None = None
    options: tuple[PodDNSConfigOption, ...] | None = None


class PodOS(Part):
    name: str = ""


class PodSpec(Part):
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] | None = None
    ephemeral_containers: tuple[Container, ...] | None = None
    volumes: tuple[Volume, ...] | None = None
    node_name: str = ""
    node_selector: dict[str, str] | None = None
    affinity: Affinity | None = None
    tolerations: tuple[Toleration, ...] | None = None
    topology_spread_constraints: tuple[TopologySpreadConstraint, ...] | None = None
    scheduler_name: str = ""
    scheduling_gates: tuple[SchedulingGate, ...] | None = None
    priority: int | None = None
    priority_class_name: str = ""
    preemption_policy: str | None = None
    restart_policy: str = "Always"
    service_account_name: str = ""
    automount_service_account_token: bool | None = None
    image_pull_secrets: tuple[LocalReference, ...] | None = None
    host_network: bool | None = None
    host_users: bool | None = None
    host_pid: bool | None = msgspec.field(default=None, name="hostPID")
    host_ipc: bool | None = msgspec.field(default=None, name="hostIPC")
    hostname: str = ""
    subdomain: str = ""
    dns_policy: str = ""
    dns_config: PodDNSConfig | None = None
    security_context: SecurityContext | None = None
    termination_grace_period_seconds: int | None = None
    active_deadline_seconds: int | None = None
    readiness_gates: tuple[ReadinessGate, ...] | None = None
    resource_claims: tuple[PodResourceClaim, ...] | None = None
    resources: ResourceRequirements | None = None
    overhead: dict[str, str] | None = None
    runtime_class_name: str | None = None
    os: PodOS | None = None


class ContainerStateRunning(Part):
    started_at: Time | None = None


class ContainerStateWaiting(Part):
    reason: str = ""
    message: str = ""

    def __post_init__(self) -> None:
        if self.message and (kept := redact_text(self.message)) != self.message:
            msgspec.structs.force_setattr(self, "message", kept)


class ContainerStateTerminated(Part):
    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""
    started_at: Time | None = None
    finished_at: Time | None = None

    def __post_init__(self) -> None:
        if self.message and (kept := redact_text(self.message)) != self.message:
            msgspec.structs.force_setattr(self, "message", kept)


class ContainerState(Part):
    """One of the three is set; none means waiting to start."""

    running: ContainerStateRunning | None = None
    waiting: ContainerStateWaiting | None = None
    terminated: ContainerStateTerminated | None = None


class ContainerStatus(Part):
    name: str = ""
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    image: str = ""
    image_id: str = msgspec.field(default="", name="imageID")
    container_id: str = msgspec.field(default="", name="containerID")
    state: ContainerState | None = None
    last_state: ContainerState | None = None
    resources: ResourceRequirements | None = None
    allocated_resources: dict[str, str] | None = None


class PodIP(Part):
    ip: str = ""


class PodStatus(Part):
    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: tuple[Condition, ...] | None = None
    container_statuses: tuple[ContainerStatus, ...] | None = None
    init_container_statuses: tuple[ContainerStatus, ...] | None = None
    ephemeral_container_statuses: tuple[ContainerStatus, ...] | None = None
    pod_ip: str = msgspec.field(default="", name="podIP")
    pod_ips: tuple[PodIP, ...] | None = msgspec.field(default=None, name="podIPs")
    host_ip: str = msgspec.field(default="", name="hostIP")
    start_time: Time | None = None
    qos_class: str = ""
    nominated_node_name: str = ""
    resize: str = ""
    resources: ResourceRequirements | None = None
    allocated_resources: dict[str, str] | None = None

    def __post_init__(self) -> None:
        if self.message and (kept := redact_text(self.message)) != self.message:
            msgspec.structs.force_setattr(self, "message", kept)


class Pod(KubernetesObject):
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class PodTemplate(Part):
    """The pod that a workload makes."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()
