"""Network policies of administrators, compiled: AdminNetworkPolicy, BaselineAdminNetworkPolicy, ClusterNetworkPolicy.

Source: `kubernetes-sigs/network-policy-api`, `apis/v1alpha1` and `apis/v1alpha2`; `kubernetes-sigs/kube-network-policies`
v1.1.0, `pkg/networkpolicy`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from kubedoctor.cluster.grammar.selectors import Selector, selector_from_map
from kubedoctor.cluster.kinds.admin_policies import (
    AdminNamespaces,
    AdminNetworkPolicy,
    AdminPeer,
    AdminPods,
    AdminPort,
    AdminProtocol,
    AdminRule,
    AdminSubject,
    BaselineAdminNetworkPolicy,
    ClusterNetworkPolicy,
)
from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.meta import LabelSelector
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.replay.network.parties import Party
from kubedoctor.replay.network.policies import (
    ALLOW,
    DENY,
    EGRESS,
    PASS,
    Block,
    Compared,
    Everyone,
    NetworkPolicyRule,
    Peer,
    Port,
    Selected,
    network_of,
    selector_in,
)

AnyAdminPolicy = AdminNetworkPolicy | BaselineAdminNetworkPolicy | ClusterNetworkPolicy
ADMIN_KINDS: tuple[type[AnyAdminPolicy], ...] = (AdminNetworkPolicy, BaselineAdminNetworkPolicy, ClusterNetworkPolicy)

ADMIN = "AdminNetworkPolicy"
CLUSTER_ADMIN = "ClusterNetworkPolicy/Admin"
NETWORK_POLICY = "NetworkPolicy"
CLUSTER_BASELINE = "ClusterNetworkPolicy/Baseline"
BASELINE = "BaselineAdminNetworkPolicy"
TIERS = (ADMIN, CLUSTER_ADMIN, NETWORK_POLICY, CLUSTER_BASELINE, BASELINE)
"""In the order in which they are asked."""
BASELINE_TIERS = (CLUSTER_BASELINE, BASELINE)
"""Asked only where no NetworkPolicy isolates the pod."""

_EVERYTHING = selector_from_map(None)
_ACTIONS = {"Allow": ALLOW, "Accept": ALLOW, "Deny": DENY, "Pass": PASS}


class AdminPolicy(msgspec.Struct, frozen=True):
    """A policy of an administrator. `subject` None: no pod. The lower priority number comes first."""

    ref: Ref
    tier: str
    priority: int
    subject: Selected | None
    ingress: tuple[NetworkPolicyRule, ...]
    egress: tuple[NetworkPolicyRule, ...]

    def rules(self, direction: str) -> tuple[NetworkPolicyRule, ...]:
        return self.egress if direction == EGRESS else self.ingress

    def selects(self, party: Party) -> bool:
        return self.subject is not None and self.subject.matches(party)


def compile_admin_policy(policy: AnyAdminPolicy, nodes: Sequence[Node] = ()) -> AdminPolicy:
    """Never raises: an invalid selector selects nothing. nodes: those whose addresses `nodes` peers stand for."""
    spec = policy.spec
    return AdminPolicy(
        ref(policy),
        _tier(policy),
        spec.priority if not isinstance(policy, BaselineAdminNetworkPolicy) else 0,
        _subject(spec.subject),
        tuple(_rules(spec.ingress or (), nodes)),
        tuple(_rules(spec.egress or (), nodes)),
    )


def _tier(policy: AnyAdminPolicy) -> str:
    if isinstance(policy, AdminNetworkPolicy):
        return ADMIN
    if isinstance(policy, BaselineAdminNetworkPolicy):
        return BASELINE
    return CLUSTER_BASELINE if policy.spec.tier == "Baseline" else CLUSTER_ADMIN


def _subject(subject: AdminSubject) -> Selected | None:
    if subject.namespaces is not None:
        return Selected("", selector_in(subject.namespaces), _EVERYTHING)
    if subject.pods is not None:
        spaces = subject.pods.namespace_selector
        return Selected("", _EVERYTHING if spaces is None else selector_in(spaces), _pods(subject.pods))
    return None


def _rules(rules: Iterable[AdminRule], nodes: Sequence[Node]) -> Iterator[NetworkPolicyRule]:
    """A rule with an action that is not known here is left out: what it does cannot be said."""
    for index, rule in enumerate(rules):
        action = _ACTIONS.get(rule.action)
        if action is None:
            continue
        peers = [_peers(peer, action, nodes) for peer in rule.from_ or rule.to or ()]
        if any(isinstance(peer, Everyone) for found in peers for peer in found):
            action = DENY
        yield NetworkPolicyRule.of(
            index, tuple(peer for found in peers for peer in found), _rule_ports(rule), action, rule.name
        )


def _peers(peer: AdminPeer, action: str, nodes: Sequence[Node]) -> tuple[Peer, ...]:
    """Domain names match no address here: which they have is not known."""
    if peer.namespaces is not None:
        return (_in_namespaces(peer.namespaces, _EVERYTHING),)
    if peer.pods is not None:
        if peer.pods.namespaces is not None:
            return (_in_namespaces(peer.pods.namespaces, _pods(peer.pods)),)
        spaces = peer.pods.namespace_selector
        return (Selected("", _EVERYTHING if spaces is None else selector_in(spaces), _pods(peer.pods)),)
    if peer.networks is not None:
        return tuple(Block(network_of(cidr), ()) for cidr in peer.networks)
    if peer.nodes is not None:
        return tuple(_addresses(selector_in(peer.nodes), nodes))
    if peer.domain_names is not None or action == ALLOW:
        return ()
    return (Everyone(),)


def _in_namespaces(spaces: AdminNamespaces, pods: Selector) -> Peer:
    if spaces.same_labels:
        return Compared(spaces.same_labels, True, pods)
    if spaces.not_same_labels:
        return Compared(spaces.not_same_labels, False, pods)
    chosen = spaces.namespace_selector or LabelSelector(
        match_labels=spaces.match_labels, match_expressions=spaces.match_expressions
    )
    return Selected("", selector_in(chosen), pods)


def _pods(pods: AdminPods) -> Selector:
    return _EVERYTHING if pods.pod_selector is None else selector_in(pods.pod_selector)


def _addresses(selector: Selector, nodes: Sequence[Node]) -> Iterator[Block]:
    for node in nodes:
        if selector.matches(node.labels):
            for row in node.status.addresses or ():
                if (network := network_of(row.address)) is not None:
                    yield Block(network, ())


def _rule_ports(rule: AdminRule) -> tuple[Port, ...] | None:
    """None where the rule lists none: every port."""
    if rule.ports:
        return tuple(_port(port) for port in rule.ports)
    if rule.protocols:
        return tuple(_protocol(entry) for entry in rule.protocols)
    return None


def _port(port: AdminPort) -> Port:
    if port.port_number is not None:
        number = port.port_number
        return Port(number.protocol or "TCP", number.port, number.port)
    if port.port_range is not None:
        return Port(port.port_range.protocol or "TCP", port.port_range.start, port.port_range.end)
    return Port("", 1, 0, port.named_port or "")


def _protocol(entry: AdminProtocol) -> Port:
    for protocol, ports in (("TCP", entry.tcp), ("UDP", entry.udp), ("SCTP", entry.sctp)):
        if ports is None:
            continue
        chosen = ports.destination_port
        if chosen is None:
            return Port(protocol, 0, 65535)
        if chosen.range is not None:
            return Port(protocol, chosen.range.start, chosen.range.end)
        return Port(protocol, chosen.number or 0, chosen.number or 0)
    return Port("", 1, 0, entry.destination_named_port or "")
