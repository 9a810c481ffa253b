"""NetworkPolicies, compiled: selectors and address blocks are parsed once.

Source: `staging/src/k8s.io/api/networking/v1/types.go` and `pkg/apis/networking/v1/defaults.go`, v1.37.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import msgspec

from kubedoctor.cluster.grammar.selectors import Selector, SelectorError, selector_from_map, selector_of
from kubedoctor.cluster.kinds.meta import LabelSelector
from kubedoctor.cluster.kinds.networking import IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.replay.network.parties import Party, without_leading_zeros
from kubedoctor.replay.network.port_sets import EVERY_PORT, PortSet, port_range, union

INGRESS = "Ingress"
EGRESS = "Egress"
ALLOW = "Allow"
DENY = "Deny"
PASS = "Pass"

_EVERYTHING = selector_from_map(None)
_NOTHING = selector_of(None)


class Network(msgspec.Struct, frozen=True):
    """A block of addresses: version 4 or 6, the network's number, its mask."""

    version: int
    number: int
    mask: int

    def holds(self, address: tuple[int, int]) -> bool:
        return address[0] == self.version and address[1] & self.mask == self.number


class Block(msgspec.Struct, frozen=True):
    """An `ipBlock`; it matches pods too, by their address, as most network plug-ins do."""

    network: Network | None
    exceptions: tuple[Network, ...]

    def matches(self, party: Party, subject: Party | None = None) -> bool:
        address = party.address
        return (
            address is not None
            and self.network is not None
            and self.network.holds(address)
            and not any(exception.holds(address) for exception in self.exceptions)
        )


class Selected(msgspec.Struct, frozen=True):
    """Pods by their labels and their namespace's; `namespaces` None means the policy's own namespace."""

    namespace: str
    namespaces: Selector | None
    pods: Selector

    def matches(self, party: Party, subject: Party | None = None) -> bool:
        if party.pod is None:
            return False
        if self.namespaces is None:
            if party.pod.namespace != self.namespace:
                return False
        elif not self.namespaces.matches(party.namespace_labels):
            return False
        return self.pods.matches(party.labels)


class Compared(msgspec.Struct, frozen=True):
    """Pods of namespaces whose labels of these keys are the same as those of the policy's subject, or are not: each
    namespace must have every key."""

    keys: tuple[str, ...]
    same: bool
    pods: Selector

    def matches(self, party: Party, subject: Party | None = None) -> bool:
        if party.pod is None or subject is None or not self.pods.matches(party.labels):
            return False
        theirs, ours = party.namespace_labels, subject.namespace_labels
        if not all(key in theirs and key in ours for key in self.keys):
            return False
        return all(theirs[key] == ours[key] for key in self.keys) is self.same


class Everyone(msgspec.Struct, frozen=True):
    """A peer of a kind that is not known here, in a rule that denies: no peer may pass it."""

    def matches(self, party: Party, subject: Party | None = None) -> bool:
        return True


Peer = Block | Selected | Compared | Everyone


class Port(msgspec.Struct, frozen=True):
    """Ports of one protocol: a range, or a name that the destination pod resolves. `protocol` empty: of any, which only
    a name may be."""

    protocol: str
    first: int
    last: int
    name: str = ""

    @property
    def numbers(self) -> PortSet:
        """Of a port without a name."""
        return port_range(self.protocol, self.first, self.last)

    def covers(self, number: int, destination: Party) -> bool:
        """Whether the port number matches, for any protocol."""
        if self.name:
            return (self.name, self.protocol, number) in destination.ports
        return self.first <= number <= self.last


class NetworkPolicyRule(msgspec.Struct, frozen=True):
    """One rule. `index` is its place in the policy; peers and ports are None where the rule names none: all.

    action, name: those of an administrator's rule; a NetworkPolicy only allows. numbered, named: what the ports say by
    number, and those that each destination resolves.
    """

    index: int
    peers: tuple[Peer, ...] | None
    ports: tuple[Port, ...] | None
    numbered: PortSet
    named: tuple[Port, ...] = ()
    action: str = ALLOW
    name: str = ""

    @classmethod
    def of(
        cls,
        index: int,
        peers: tuple[Peer, ...] | None,
        ports: tuple[Port, ...] | None,
        action: str = ALLOW,
        name: str = "",
    ) -> NetworkPolicyRule:
        numbered = EVERY_PORT if ports is None else union(port.numbers for port in ports if not port.name)
        return cls(index, peers, ports, numbered, tuple(port for port in ports or () if port.name), action, name)

    def admits_peer(self, party: Party, subject: Party | None = None) -> bool:
        """Whether a peer matches. subject: the pod that the rule's policy selects, where that decides."""
        return self.peers is None or any(peer.matches(party, subject) for peer in self.peers)

    def ports_at(self, destination: Party) -> PortSet:
        """The ports that match at a destination."""
        found = self.numbered
        for port in self.named:
            for name, protocol, number in destination.ports:
                if name == port.name and port.protocol in ("", protocol):
                    found |= port_range(protocol, number, number)
        return found


class Policy(msgspec.Struct, frozen=True):
    """A policy. A direction that it does not isolate has no rules here, even if the object lists some."""

    ref: Ref
    pods: Selector
    types: frozenset[str]
    ingress: tuple[NetworkPolicyRule, ...]
    egress: tuple[NetworkPolicyRule, ...]

    def rules(self, direction: str) -> tuple[NetworkPolicyRule, ...]:
        return self.egress if direction == EGRESS else self.ingress

    def selects(self, party: Party) -> bool:
        return party.pod is not None and party.pod.namespace == self.ref.namespace and self.pods.matches(party.labels)


def compile_policy(policy: NetworkPolicy) -> Policy:
    """Never raises: an invalid selector selects nothing."""
    spec = policy.spec
    types = frozenset(spec.policy_types or ((INGRESS, EGRESS) if spec.egress else (INGRESS,)))
    ingress = [(rule.from_, rule.ports) for rule in spec.ingress or ()] if INGRESS in types else []
    egress = [(rule.to, rule.ports) for rule in spec.egress or ()] if EGRESS in types else []
    return Policy(
        ref=ref(policy),
        pods=_EVERYTHING if spec.pod_selector is None else selector_in(spec.pod_selector),
        types=types,
        ingress=tuple(_rule(at, *rule, policy.namespace) for at, rule in enumerate(ingress)),
        egress=tuple(_rule(at, *rule, policy.namespace) for at, rule in enumerate(egress)),
    )


def _rule(
    index: int,
    peers: Sequence[NetworkPolicyPeer] | None,
    ports: Sequence[NetworkPolicyPort] | None,
    namespace: str,
) -> NetworkPolicyRule:
    return NetworkPolicyRule.of(
        index,
        tuple(_peer(peer, namespace) for peer in peers) if peers else None,
        tuple(_port(port) for port in ports) if ports else None,
    )


def _peer(peer: NetworkPolicyPeer, namespace: str) -> Peer:
    if peer.ip_block is not None:
        return _block(peer.ip_block)
    if peer.pod_selector is None and peer.namespace_selector is None:
        return Block(None, ())
    return Selected(
        namespace,
        None if peer.namespace_selector is None else selector_in(peer.namespace_selector),
        _EVERYTHING if peer.pod_selector is None else selector_in(peer.pod_selector),
    )


def _port(port: NetworkPolicyPort) -> Port:
    protocol = port.protocol or "TCP"
    if port.port is None or port.port == "":
        return Port(protocol, 0, 65535)
    if isinstance(port.port, str):
        return Port(protocol, 0, 0, port.port)
    return Port(protocol, port.port, port.port if port.end_port is None else port.end_port)


def _block(block: IPBlock) -> Block:
    exceptions = (network_of(exception) for exception in block.except_ or ())
    return Block(network_of(block.cidr), tuple(exception for exception in exceptions if exception is not None))


def network_of(text: str) -> Network | None:
    """None for a text that is not an address block: it matches nothing. Bits beyond the prefix do not count."""
    try:
        network = ipaddress.ip_network(without_leading_zeros(text), strict=False)
    except ValueError:
        return None
    base = network.network_address
    if isinstance(base, ipaddress.IPv6Address) and base.ipv4_mapped is not None and network.prefixlen >= 96:
        network = ipaddress.ip_network(f"{base.ipv4_mapped}/{network.prefixlen - 96}")
    return Network(network.version, int(network.network_address), int(network.netmask))


def selector_in(selector: LabelSelector) -> Selector:
    try:
        return selector_of(selector)
    except SelectorError:
        return _NOTHING
