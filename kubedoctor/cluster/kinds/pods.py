"""Pods. Containers, volumes and affinity have modules of their own."""

import msgspec

from kubedoctor.cluster.grammar.redaction import redact_text
from kubedoctor.cluster.kinds.affinity import Affinity, Toleration, TopologySpreadConstraint
from kubedoctor.cluster.kinds.containers import Container, ContainerStatus, ResourceRequirements, SecurityContext
from kubedoctor.cluster.kinds.meta import Condition, KubernetesObject, LocalReference, ObjectMeta, Part, Time
from kubedoctor.cluster.kinds.volumes import Volume


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


class HostAlias(Part):
    """A row of a pod's /etc/hosts."""

    ip: str = ""
    hostnames: tuple[str, ...] | None = None


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
    enable_service_links: bool | None = None
    host_pid: bool | None = msgspec.field(default=None, name="hostPID")
    host_ipc: bool | None = msgspec.field(default=None, name="hostIPC")
    hostname: str = ""
    subdomain: str = ""
    host_aliases: tuple[HostAlias, ...] | None = None
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
        if self.message and (redacted := redact_text(self.message)) != self.message:
            msgspec.structs.force_setattr(self, "message", redacted)


class Pod(KubernetesObject):
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class PodTemplate(Part):
    """The template of the pods that a workload creates."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()
