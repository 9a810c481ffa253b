"""Network policies, ingresses, endpoint slices."""

import msgspec

from kubedoctor.cluster.kinds.core import LoadBalancerStatus
from kubedoctor.cluster.kinds.meta import KubernetesObject, LabelSelector, ManagedMeta, ObjectReference, Part


class IPBlock(Part):
    cidr: str = ""
    except_: tuple[str, ...] | None = msgspec.field(default=None, name="except")


class NetworkPolicyPeer(Part):
    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    ip_block: IPBlock | None = None


class NetworkPolicyPort(Part):
    """`port` is a number, a container port's name, or None: every port. `protocol` None is TCP."""

    protocol: str | None = None
    port: int | str | None = None
    end_port: int | None = None


class NetworkPolicyIngressRule(Part):
    from_: tuple[NetworkPolicyPeer, ...] | None = msgspec.field(default=None, name="from")
    ports: tuple[NetworkPolicyPort, ...] | None = None


class NetworkPolicyEgressRule(Part):
    to: tuple[NetworkPolicyPeer, ...] | None = None
    ports: tuple[NetworkPolicyPort, ...] | None = None


class NetworkPolicySpec(Part):
    pod_selector: LabelSelector | None = None
    policy_types: tuple[str, ...] | None = None
    ingress: tuple[NetworkPolicyIngressRule, ...] | None = None
    egress: tuple[NetworkPolicyEgressRule, ...] | None = None


class NetworkPolicy(KubernetesObject):
    metadata: ManagedMeta = ManagedMeta()
    spec: NetworkPolicySpec = NetworkPolicySpec()


class ServiceBackendPort(Part):
    name: str = ""
    number: int = 0


class IngressServiceBackend(Part):
    name: str = ""
    port: ServiceBackendPort = ServiceBackendPort()


class IngressBackend(Part):
    service: IngressServiceBackend | None = None
    resource: ObjectReference | None = None


class HTTPIngressPath(Part):
    path: str = ""
    path_type: str | None = None
    backend: IngressBackend = IngressBackend()


class HTTPIngressRule(Part):
    paths: tuple[HTTPIngressPath, ...] | None = None


class IngressRule(Part):
    host: str = ""
    http: HTTPIngressRule | None = None


class IngressTLS(Part):
    hosts: tuple[str, ...] | None = None
    secret_name: str = ""


class IngressSpec(Part):
    ingress_class_name: str | None = None
    default_backend: IngressBackend | None = None
    rules: tuple[IngressRule, ...] | None = None
    tls: tuple[IngressTLS, ...] | None = None


class IngressStatus(Part):
    load_balancer: LoadBalancerStatus = LoadBalancerStatus()


class Ingress(KubernetesObject):
    metadata: ManagedMeta = ManagedMeta()
    spec: IngressSpec = IngressSpec()
    status: IngressStatus = IngressStatus()


class IngressClassSpec(Part):
    controller: str = ""


class IngressClass(KubernetesObject):
    spec: IngressClassSpec = IngressClassSpec()


class EndpointConditions(Part):
    """None means: ready (for `ready`), the same as ready (for `serving`), not terminating."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class HintedPlace(Part):
    name: str = ""


class EndpointHints(Part):
    """Where clients are that should use the endpoint."""

    for_zones: tuple[HintedPlace, ...] | None = None
    for_nodes: tuple[HintedPlace, ...] | None = None


class Endpoint(Part):
    addresses: tuple[str, ...] | None = None
    conditions: EndpointConditions = EndpointConditions()
    target_ref: ObjectReference | None = None
    node_name: str | None = None
    hostname: str | None = None
    zone: str | None = None
    hints: EndpointHints | None = None

    @property
    def is_ready(self) -> bool:
        return self.conditions.ready is not False

    @property
    def serves_to_the_end(self) -> bool:
        """It terminates and still serves."""
        serving = self.conditions.serving
        return bool(self.conditions.terminating) and (self.is_ready if serving is None else serving)


class EndpointPort(Part):
    name: str | None = None
    port: int | None = None
    protocol: str | None = None


class EndpointSlice(KubernetesObject):
    address_type: str = ""
    endpoints: tuple[Endpoint, ...] | None = None
    ports: tuple[EndpointPort, ...] | None = None


class ServiceCIDRSpec(Part):
    cidrs: tuple[str, ...] | None = None


class ServiceCIDR(KubernetesObject):
    """A range from which Services get their addresses (`networking.k8s.io`, v1.33)."""

    spec: ServiceCIDRSpec = ServiceCIDRSpec()
