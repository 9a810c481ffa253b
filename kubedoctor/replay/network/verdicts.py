"""Whether a connection is allowed, by which rule, and if not, which rule comes nearest to allowing it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.replay.network.admin import (
    NETWORK_POLICY,
    TIERS,
    AdminPolicy,
    AnyAdminPolicy,
    compile_admin_policy,
)
from kubedoctor.replay.network.parties import Party
from kubedoctor.replay.network.policies import (
    ALLOW,
    EGRESS,
    INGRESS,
    PASS,
    NetworkPolicyRule,
    Policy,
    compile_policy,
)
from kubedoctor.replay.network.port_sets import EVERY_PORT, NO_PORT, PortSet, port_range, union

AnyPolicy = Policy | AdminPolicy


class Side(msgspec.Struct, frozen=True):
    """The verdict of one direction.

    tier: which kind of policies decided; empty where none did, and all is allowed. isolated_by: the NetworkPolicies that
    isolate the pod, where they decided. policy, rule: the first that decided; None where no rule of the isolating
    policies allows.
    """

    allowed: bool
    isolated_by: tuple[Policy, ...] = ()
    policy: AnyPolicy | None = None
    rule: NetworkPolicyRule | None = None
    tier: str = ""


class PolicyTier(msgspec.Struct, frozen=True):
    """The policies of one tier that apply to a pod, and their rules in order. final: what no rule matches is denied."""

    tier: str
    final: bool
    policies: tuple[AnyPolicy, ...]
    rules: tuple[tuple[AnyPolicy, NetworkPolicyRule], ...]


class Decision(msgspec.Struct, frozen=True):
    """What becomes of some ports of a connection in one direction. stage: who decides; None where nothing does, and all
    is allowed. policy, rule: as in Side."""

    ports: PortSet
    allowed: bool
    stage: PolicyTier | None = None
    policy: AnyPolicy | None = None
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
    """The policies of a whole cluster, to evaluate many connections. nodes: those that administrators' policies name."""

    def __init__(
        self,
        policies: Iterable[NetworkPolicy],
        admin: Iterable[AnyAdminPolicy] = (),
        nodes: Sequence[Node] = (),
    ) -> None:
        self._by_namespace: dict[str, list[Policy]] = {}
        for policy in policies:
            self._by_namespace.setdefault(policy.namespace, []).append(compile_policy(policy))
        compiled = (compile_admin_policy(policy, nodes) for policy in admin)
        self.admin = tuple(sorted(compiled, key=lambda policy: (policy.priority, policy.ref)))
        self._known: dict[tuple[str, str, frozenset[tuple[str, str]]], tuple[Policy, ...]] = {}
        self._stages: dict[tuple[Any, ...], tuple[PolicyTier, ...]] = {}

    @property
    def compiled(self) -> tuple[Policy, ...]:
        """All NetworkPolicies, by namespace."""
        return tuple(policy for policies in self._by_namespace.values() for policy in policies)

    @property
    def rules(self) -> Iterator[NetworkPolicyRule]:
        """Every rule of every policy."""
        for policy in self.compiled:
            yield from (*policy.ingress, *policy.egress)
        for admin in self.admin:
            yield from (*admin.ingress, *admin.egress)

    def isolating(self, party: Party, direction: str) -> tuple[Policy, ...]:
        """The NetworkPolicies that isolate a pod in a direction; none for an address outside."""
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

    def stages(self, party: Party, direction: str) -> tuple[PolicyTier, ...]:
        """What applies to a pod in a direction, in the order in which it is asked; nothing for an address outside."""
        if party.pod is None:
            return ()
        labels = frozenset(party.labels.items())
        spaces = frozenset(party.namespace_labels.items()) if self.admin else None
        key = (direction, party.pod.namespace, labels, spaces)
        if (stages := self._stages.get(key)) is None:
            stages = self._stages[key] = tuple(self._stages_of(party, direction))
        return stages

    def _stages_of(self, party: Party, direction: str) -> Iterator[PolicyTier]:
        admin = [policy for policy in self.admin if policy.selects(party)]
        isolating = self.isolating(party, direction)
        for tier in TIERS if admin else (NETWORK_POLICY,):
            chosen = isolating if tier == NETWORK_POLICY else [policy for policy in admin if policy.tier == tier]
            if chosen:
                rules = tuple((policy, rule) for policy in chosen for rule in policy.rules(direction))
                yield PolicyTier(tier, tier == NETWORK_POLICY, tuple(chosen), rules)

    def decide(
        self,
        stages: Iterable[PolicyTier],
        destination: Party,
        asked: PortSet,
        meets: Callable[[NetworkPolicyRule], bool],
    ) -> Iterator[Decision]:
        """What becomes of each port that is asked about. meets: whether a rule's peers hold the other end."""
        undecided = asked
        for stage in stages:
            passed = NO_PORT
            for policy, rule in stage.rules:
                ports = rule.ports_at(destination) & undecided
                if not ports or not meets(rule):
                    continue
                undecided -= ports
                if rule.action == PASS:
                    passed |= ports
                else:
                    yield Decision(ports, rule.action == ALLOW, stage, policy, rule)
                if not undecided:
                    break
            if stage.final and undecided:
                yield Decision(undecided, False, stage)
                undecided = NO_PORT
            undecided |= passed
            if not undecided:
                return
        yield Decision(undecided, True)

    def connectivity(self, source: Party, destination: Party) -> PortSet:
        """The ports of a destination that a source may connect to."""
        if _unpoliced(source, destination):
            return EVERY_PORT
        allowed = EVERY_PORT
        for direction, isolated, other in ((EGRESS, source, destination), (INGRESS, destination, source)):
            if direction == EGRESS or not _on_same_node(source, destination):
                decisions = self.decide(self.stages(isolated, direction), destination, allowed, _meets(other, isolated))
                allowed = union(decision.ports for decision in decisions if decision.allowed)
        return allowed

    def judge(self, source: Party, destination: Party, port: int, protocol: str) -> ConnectionVerdict:
        """Whether a new connection is allowed. `port` is the destination pod's, after its Service was resolved."""
        if _unpoliced(source, destination):
            return ConnectionVerdict(_OPEN, _OPEN)
        asked = port_range(protocol, port, port)
        return ConnectionVerdict(
            self._side(EGRESS, source, destination, destination, asked),
            _OPEN
            if _on_same_node(source, destination)
            else self._side(INGRESS, destination, source, destination, asked),
        )

    def _side(self, direction: str, isolated: Party, other: Party, destination: Party, asked: PortSet) -> Side:
        stages = self.stages(isolated, direction)
        if not stages:
            return _OPEN
        decision = next(self.decide(stages, destination, asked, _meets(other, isolated)))
        if decision.stage is None:
            return _OPEN
        isolating = tuple(policy for policy in decision.stage.policies if isinstance(policy, Policy))
        return Side(decision.allowed, isolating, decision.policy, decision.rule, decision.stage.tier)

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


def _unpoliced(source: Party, destination: Party) -> bool:
    """A pod and itself."""
    return source.pod is not None and source.pod == destination.pod


def _on_same_node(source: Party, destination: Party) -> bool:
    """A node reaches its own pods, as its kubelet must for probes; policies do not see that."""
    return source.on_node_network and destination.pod is not None and source.node == destination.node


def _meets(other: Party, isolated: Party) -> Callable[[NetworkPolicyRule], bool]:
    return lambda rule: rule.admits_peer(other, isolated)
