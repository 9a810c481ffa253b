"""Network policies of administrators (`kubernetes-sigs/network-policy-api`, `apis/v1alpha1` and `apis/v1alpha2`).

They are not in the table of kinds: discovery shows whether a cluster serves them.
"""

from typing import ClassVar

import msgspec

from kubedoctor.cluster.kinds.meta import KubernetesObject, LabelSelector, LabelSelectorRequirement, Part

GROUP = "policy.networking.k8s.io"


class AdminNamespaces(Part):
    """A selector of namespaces; up to v0.1.0 one of `namespaceSelector`, `sameLabels` and `notSameLabels` instead."""

    match_labels: dict[str, str] | None = None
    match_expressions: tuple[LabelSelectorRequirement, ...] | None = None
    namespace_selector: LabelSelector | None = None
    same_labels: tuple[str, ...] | None = None
    not_same_labels: tuple[str, ...] | None = None


class AdminPods(Part):
    """Pods of namespaces; up to v0.1.0 the namespaces stand in `namespaces`."""

    namespace_selector: LabelSelector | None = None
    pod_selector: LabelSelector | None = None
    namespaces: AdminNamespaces | None = None


class AdminSubject(Part):
    namespaces: LabelSelector | None = None
    pods: AdminPods | None = None


class AdminPeer(Part):
    """Exactly one is set. A peer of a newer API, of which none is known, decodes to an empty one."""

    namespaces: AdminNamespaces | None = None
    pods: AdminPods | None = None
    nodes: LabelSelector | None = None
    networks: tuple[str, ...] | None = None
    domain_names: tuple[str, ...] | None = None


class AdminPortNumber(Part):
    protocol: str = ""
    port: int = 0


class AdminPortRange(Part):
    protocol: str = ""
    start: int = 0
    end: int = 0


class AdminPort(Part):
    """A port of v1alpha1: exactly one is set."""

    port_number: AdminPortNumber | None = None
    port_range: AdminPortRange | None = None
    named_port: str | None = None


class DestinationPort(Part):
    number: int | None = None
    range: AdminPortRange | None = None


class ProtocolPorts(Part):
    """`destination_port` None: every port of the protocol."""

    destination_port: DestinationPort | None = None


class AdminProtocol(Part):
    """A protocol of v1alpha2: exactly one is set."""

    tcp: ProtocolPorts | None = None
    udp: ProtocolPorts | None = None
    sctp: ProtocolPorts | None = None
    destination_named_port: str | None = None


class AdminRule(Part):
    """`from_` in ingress rules, `to` in egress rules; `ports` in v1alpha1, `protocols` in v1alpha2."""

    name: str = ""
    action: str = ""
    from_: tuple[AdminPeer, ...] | None = msgspec.field(default=None, name="from")
    to: tuple[AdminPeer, ...] | None = None
    ports: tuple[AdminPort, ...] | None = None
    protocols: tuple[AdminProtocol, ...] | None = None


class AdminPolicySpec(Part):
    """`tier` in a ClusterNetworkPolicy only; a BaselineAdminNetworkPolicy has no priority."""

    tier: str = ""
    priority: int = 0
    subject: AdminSubject = AdminSubject()
    ingress: tuple[AdminRule, ...] | None = None
    egress: tuple[AdminRule, ...] | None = None


class AdminNetworkPolicy(KubernetesObject):
    api_group: ClassVar[str] = GROUP
    spec: AdminPolicySpec = AdminPolicySpec()


class BaselineAdminNetworkPolicy(KubernetesObject):
    api_group: ClassVar[str] = GROUP
    spec: AdminPolicySpec = AdminPolicySpec()


class ClusterNetworkPolicy(KubernetesObject):
    api_group: ClassVar[str] = GROUP
    spec: AdminPolicySpec = AdminPolicySpec()
