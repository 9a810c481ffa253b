"""Core kinds other than pods and storage."""

import base64
import binascii
from datetime import datetime
from typing import Any

import msgspec

from kubedoctor.cluster.grammar.certificates import certificate_names, certificate_validities
from kubedoctor.cluster.grammar.redaction import redact_file, redact_text
from kubedoctor.cluster.kinds.apps import Scaled
from kubedoctor.cluster.kinds.meta import (
    Condition,
    KubernetesObject,
    LocalReference,
    ManagedMeta,
    ObjectReference,
    Part,
    Time,
)
from kubedoctor.cluster.kinds.pods import PodTemplate


class Taint(Part):
    key: str = ""
    value: str = ""
    effect: str = ""
    time_added: Time | None = None


class NodeSpec(Part):
    unschedulable: bool = False
    taints: tuple[Taint, ...] | None = None
    provider_id: str = msgspec.field(default="", name="providerID")
    pod_cidr: str = msgspec.field(default="", name="podCIDR")
    pod_cidrs: tuple[str, ...] | None = msgspec.field(default=None, name="podCIDRs")


class NodeAddress(Part):
    type: str = ""
    address: str = ""


class NodeSystemInfo(Part):
    boot_id: str = msgspec.field(default="", name="bootID")
    kubelet_version: str = ""
    container_runtime_version: str = ""
    kernel_version: str = ""
    os_image: str = ""
    architecture: str = ""
    operating_system: str = ""


class NodeStatus(Part):
    capacity: dict[str, str] | None = None
    allocatable: dict[str, str] | None = None
    conditions: tuple[Condition, ...] | None = None
    addresses: tuple[NodeAddress, ...] | None = None
    node_info: NodeSystemInfo = NodeSystemInfo()
    declared_features: tuple[str, ...] | None = None


class Node(KubernetesObject):
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class NamespaceStatus(Part):
    phase: str = ""
    conditions: tuple[Condition, ...] | None = None


class NamespaceSpec(Part):
    finalizers: tuple[str, ...] | None = None


class Namespace(KubernetesObject):
    spec: NamespaceSpec = NamespaceSpec()
    status: NamespaceStatus = NamespaceStatus()


class ServicePort(Part):
    """`target_port` is a number, the name of a container port, or None: the same as `port`."""

    name: str = ""
    protocol: str = "TCP"
    port: int = 0
    target_port: int | str | None = None
    node_port: int = 0
    app_protocol: str | None = None


class ServiceSpec(Part):
    type: str = "ClusterIP"
    selector: dict[str, str] | None = None
    ports: tuple[ServicePort, ...] | None = None
    cluster_ip: str = msgspec.field(default="", name="clusterIP")
    cluster_ips: tuple[str, ...] | None = msgspec.field(default=None, name="clusterIPs")
    external_ips: tuple[str, ...] | None = msgspec.field(default=None, name="externalIPs")
    external_name: str = ""
    ip_families: tuple[str, ...] | None = None
    load_balancer_class: str | None = None
    load_balancer_source_ranges: tuple[str, ...] | None = None
    health_check_node_port: int = 0
    external_traffic_policy: str = ""
    internal_traffic_policy: str | None = None
    publish_not_ready_addresses: bool = False
    session_affinity: str = ""
    traffic_distribution: str | None = None
    allocate_load_balancer_node_ports: bool | None = None

    @property
    def is_headless(self) -> bool:
        """It has no address of its own: its name resolves to the pods' addresses."""
        return self.cluster_ip == "None"


class LoadBalancerIngress(Part):
    ip: str = ""
    hostname: str = ""


class LoadBalancerStatus(Part):
    ingress: tuple[LoadBalancerIngress, ...] | None = None


class ServiceStatus(Part):
    load_balancer: LoadBalancerStatus = LoadBalancerStatus()
    conditions: tuple[Condition, ...] | None = None


class Service(KubernetesObject):
    metadata: ManagedMeta = ManagedMeta()
    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus = ServiceStatus()


class Endpoints(KubernetesObject):
    """The predecessor of EndpointSlice, for bundles that contain it."""

    subsets: tuple[dict[str, Any], ...] | None = None


class ConfigMap(KubernetesObject):
    """Values under keys that look like secrets are redacted while they are decoded."""

    metadata: ManagedMeta = ManagedMeta()
    data: dict[str, str] | None = None
    binary_data: dict[str, Any] | None = None
    immutable: bool | None = None

    def __post_init__(self) -> None:
        if self.data:
            redacted = {key: redact_file(key, value) for key, value in self.data.items()}
            msgspec.structs.force_setattr(self, "data", redacted)
        if self.binary_data:
            msgspec.structs.force_setattr(self, "binary_data", dict.fromkeys(self.binary_data, ""))


_CERTIFICATES = ("tls.crt", "crt.pem", "cert")
"""Keys of a server's certificate: of Kubernetes, of Linkerd's issuer, of Istio's older Secrets."""


def _pem(written: object) -> str:
    """A value of a Secret as text; empty where it is no base64."""
    try:
        return base64.b64decode(written if isinstance(written, str) else "").decode("ascii", "replace")
    except (binascii.Error, ValueError):
        return ""


class Secret(KubernetesObject):
    """A Secret's type and the names of its keys: the values are blanked while they are decoded. Of a certificate, which a
    server shows to every client, the last moment of its validity and its names are kept; None where they were not read."""

    metadata: ManagedMeta = ManagedMeta()
    type: str = ""
    data: dict[str, Any] | None = None
    string_data: dict[str, Any] | None = None
    immutable: bool | None = None
    certificate_until: Time | None = None
    certificate_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.data:
            written = next((self.data[key] for key in _CERTIFICATES if self.data.get(key)), None)
            if written:
                pem = _pem(written)
                until = next((validity.end for validity in certificate_validities(pem)), None)
                msgspec.structs.force_setattr(self, "certificate_until", until)
                msgspec.structs.force_setattr(self, "certificate_names", certificate_names(pem))
            msgspec.structs.force_setattr(self, "data", dict.fromkeys(self.data, ""))
        if self.string_data:
            msgspec.structs.force_setattr(self, "string_data", dict.fromkeys(self.string_data, ""))


class ServiceAccount(KubernetesObject):
    secrets: tuple[ObjectReference, ...] | None = None
    image_pull_secrets: tuple[LocalReference, ...] | None = None
    automount_service_account_token: bool | None = None


class EventSeries(Part):
    count: int = 0
    last_observed_time: Time | None = None


class EventSource(Part):
    component: str = ""
    host: str = ""


class Event(KubernetesObject):
    """An event. Components that use events.k8s.io leave count and the two timestamps null."""

    involved_object: ObjectReference = ObjectReference()
    reason: str = ""
    message: str = ""
    type: str = ""
    count: int | None = None
    action: str = ""
    first_timestamp: Time | None = None
    last_timestamp: Time | None = None
    event_time: Time | None = None
    series: EventSeries | None = None
    source: EventSource = EventSource()
    reporting_component: str = ""

    def __post_init__(self) -> None:
        redacted = redact_text(self.message)
        if redacted != self.message:
            msgspec.structs.force_setattr(self, "message", redacted)

    @property
    def seen_at(self) -> datetime | None:
        """When it was last seen, whichever API wrote it."""
        if self.series and self.series.last_observed_time:
            return self.series.last_observed_time
        return self.last_timestamp or self.event_time or self.first_timestamp or self.metadata.creation_timestamp

    @property
    def times(self) -> int:
        """How often it was seen, at least once."""
        return max(self.count or 1, self.series.count if self.series else 1)


class ResourceQuotaSpec(Part):
    hard: dict[str, str] | None = None
    scopes: tuple[str, ...] | None = None
    scope_selector: dict[str, Any] | None = None


class ResourceQuotaStatus(Part):
    hard: dict[str, str] | None = None
    used: dict[str, str] | None = None


class ResourceQuota(KubernetesObject):
    metadata: ManagedMeta = ManagedMeta()
    spec: ResourceQuotaSpec = ResourceQuotaSpec()
    status: ResourceQuotaStatus = ResourceQuotaStatus()


class LimitRangeItem(Part):
    type: str = ""
    max: dict[str, str] | None = None
    min: dict[str, str] | None = None
    default: dict[str, str] | None = None
    default_request: dict[str, str] | None = None
    max_limit_request_ratio: dict[str, str] | None = None


class LimitRangeSpec(Part):
    limits: tuple[LimitRangeItem, ...] | None = None


class LimitRange(KubernetesObject):
    metadata: ManagedMeta = ManagedMeta()
    spec: LimitRangeSpec = LimitRangeSpec()


class ReplicationControllerSpec(Scaled):
    selector: dict[str, str] | None = None
    template: PodTemplate | None = None


class ReplicationController(KubernetesObject):
    spec: ReplicationControllerSpec = ReplicationControllerSpec()
    status: dict[str, Any] | None = None
