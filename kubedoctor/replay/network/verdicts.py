"""Whether a connection is allowed, by which rule, and if not, which rule comes nearest to allowing it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.replay.network.parties import Party
from kubedoctor.replay.network.policies import EGRESS, INGRESS, NetworkPolicyRule, Policy, compile_policy


class Side(msgspec.Struct, frozen=True):
    """The verdict of one direction. `isolated_by` is empty where no policy isolates the pod: all is allowed.

    `policy` and `rule` are the first that allow.
    """

    allowed: bool
    isolated_by: tuple[Policy, ...] = ()
    policy: Policy | None = None
    rule: NetworkPolicyRule | None = None


class ConnectionVerdict(msgspec.Struct, frozen=True):
    """The verdicts for the source and the destination; both must allow."""

    egress: Side
    ingress: Side

    @property
    def allowed(self) -> bool:
        return self.egress.allowed and self.ingress.allowed


class Miss(msgspec.Struct, frozen=True):
    """A rule that does not allow a connection, and what does not match; `rule` None: a policy without rules.

    `peer`, `port` and `protocol` are true where they match. A port matches by its number, with any protocol.
    """

    policy: Policy
    rule: NetworkPolicyRule | None = None
    peer: bool = False
    port: bool = False
    protocol: bool = False

    @property
    def wrong(self) -> int:
        """How many of the three do not match."""
        return 3 - self.peer - self.port - self.protocol


_OPEN = Side(allowed=True)


class PolicySet:
    """NetworkPolicies of a whole cluster, to evaluate many connections."""

    def __init__(self, policies: Iterable[NetworkPolicy]) -> None:
        self._by_namespace: dict[str, list[Policy]] = {}
        for policy in policies:
            self._by_namespace.setdefault(policy.namespace, []).append(compile_policy(policy))
        self._known: dict[tuple[str, str, frozenset[tuple[str, str]]], tuple[Policy, ...]] = {}

    @property
    def compiled(self) -> tuple[Policy, ...]:
        """All policies, by namespace."""
        return tuple(policy for policies in self._by_namespace.values() for policy in policies)

    def isolating(self, party: Party, direction: str) -> tuple[Policy, ...]:
        """The policies that isolate a pod in a direction; none for an address outside."""
        if party.pod is None or party.pod.namespace not in self._by_namespace:
            return ()
        key = (direction, party.pod.namespace, frozenset(party.labels.items()))
        policies = self._known.get(key)
        if policies is None:
            policies = tuple(
                policy
                for policy in self._by_namespace[party.pod.namespace]
                if direction in policy.types and policy.selects(party)
            )
            self._known[key] = policies
        return policies

    def judge(self, source: Party, destination: Party, port: int, protocol: str) -> ConnectionVerdict:
        """Whether a new connection is allowed. `port` is the destination pod's, after its Service was resolved."""
        if source.pod is not None and source.pod == destination.pod:
            return ConnectionVerdict(_OPEN, _OPEN)
        return ConnectionVerdict(
            self._side(EGRESS, source, destination, destination, port, protocol),
            self._side(INGRESS, destination, source, destination, port, protocol),
        )

    def _side(self, direction: str, isolated: Party, peer: Party, destination: Party, port: int, protocol: str) -> Side:
        policies = self.isolating(isolated, direction)
        if not policies:
            return _OPEN
        for policy in policies:
            for rule in policy.rules(direction):
                if rule.admits_port(port, protocol, destination) and rule.admits_peer(peer):
                    return Side(True, policies, policy, rule)
        return Side(False, policies)

    def misses(self, direction: str, source: Party, destination: Party, port: int, protocol: str) -> tuple[Miss, ...]:
        """Every rule that could allow the connection and does not, the nearest first; ties keep the policies' order."""
        isolated, peer = (source, destination) if direction == EGRESS else (destination, source)
        misses: list[Miss] = []
        for policy in self.isolating(isolated, direction):
            rules = policy.rules(direction)
            misses += [_miss(policy, rule, peer, destination, port, protocol) for rule in rules]
            if not rules:
                misses.append(Miss(policy))
        return tuple(sorted(misses, key=lambda miss: miss.wrong))


def _miss(policy: Policy, rule: NetworkPolicyRule, peer: Party, destination: Party, port: int, protocol: str) -> Miss:
    """Of a rule's ports the best match counts."""
    fits = [(True, True)]
    if rule.ports is not None:
        fits = [(rule_port.covers(port, destination), rule_port.protocol == protocol) for rule_port in rule.ports]
    port_fits, protocol_fits = max(fits)
    return Miss(policy, rule, rule.admits_peer(peer), port_fits, protocol_fits)
