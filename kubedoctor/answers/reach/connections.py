"""Connections that programs try, and the policies that deny them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final, NamedTuple

import msgspec

from kubedoctor.cluster.kinds.core import Namespace, Service, ServicePort
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.services import pods_selected_by
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished, ready, terminating
from kubedoctor.replay.network import (
    ADMIN_KINDS,
    BASELINE_TIERS,
    EGRESS,
    INGRESS,
    NETWORK_POLICY,
    AnyAdminPolicy,
    Miss,
    Party,
    PolicySet,
    Side,
)
from kubedoctor.replay.network.enforcers import none_enforces
from kubedoctor.replay.network.policies import NetworkPolicyRule, Selected
from kubedoctor.replay.network.seen import admin_policies, with_admin_policies
from kubedoctor.replay.services.hosts import is_address, service_named, service_with_address
from kubedoctor.replay.services.ports import find_port

API_SERVER: Final = Ref("Service", "default", "kubernetes")


class ConnectionTarget(NamedTuple):
    """Where a connection ends. `pod`: None for an address that is no pod's; `address`: as text. `port`: of the pod, after
    its Service was resolved. `service`: by which it was named, if by one."""

    pod: Pod | None
    address: str
    port: int
    protocol: str
    service: Service | None = None

    @property
    def title(self) -> str:
        """`Service shop/db`, `Pod shop/db-0`, or the address."""
        if self.service is not None:
            return ref(self.service).title
        return ref(self.pod).title if self.pod is not None else self.address


class Outsider(NamedTuple):
    """Who connects without being a pod: a node, the API server. address: empty where it is not known."""

    title: str
    address: str = ""


class Denial(msgspec.Struct, frozen=True):
    """A connection that policies deny. `policy`: the one whose rule comes nearest to allowing it, else an isolating one.
    `direction`: whether egress of the source or ingress of the target is denied. source: None for an outsider."""

    source: Pod | None
    target: ConnectionTarget
    policy: NetworkPolicy
    direction: str
    miss: Miss
    outsider: Outsider | None = None

    @property
    def other(self) -> Pod | None:
        """The pod at the end that the policy does not isolate; None for an address."""
        return self.target.pod if self.direction == EGRESS else self.source

    @property
    def isolated(self) -> Pod | None:
        """The pod that the policy isolates."""
        return self.source if self.direction == EGRESS else self.target.pod

    @property
    def other_title(self) -> str:
        return self.target.title if self.direction == EGRESS else self.source_title

    @property
    def source_title(self) -> str:
        if self.source is not None:
            return ref(self.source).title
        return self.outsider.title if self.outsider is not None else "the source"


class AdminDenial(msgspec.Struct, frozen=True):
    """A connection that a rule of an administrator's policy denies. baseline: NetworkPolicies override it."""

    source: Pod
    target: ConnectionTarget
    policy: AnyAdminPolicy
    direction: str
    rule: NetworkPolicyRule
    baseline: bool = False

    @property
    def source_title(self) -> str:
        return ref(self.source).title


def targets(pod: Pod, host: str, port: int, cluster: Cluster, protocol: str = "TCP") -> tuple[ConnectionTarget, ...]:
    """Where a pod's connection to a host name or an address ends; empty where that is not known."""
    service = service_of_host(pod, host, cluster)
    if service is not None:
        return tuple(targets_behind(service, port, protocol, cluster))
    if not is_address(host) or not port:
        return ()
    for other in cluster.maybe.all(Pod):
        if not finished(other) and host in (other.status.pod_ip, *(ip.ip for ip in other.status.pod_ips or ())):
            return (ConnectionTarget(other, host, port, protocol),)
    return (ConnectionTarget(None, host, port, protocol),)


def service_of_host(pod: Pod, host: str, cluster: Cluster) -> Service | None:
    """The Service that a host name or an address means in a pod."""
    if is_address(host):
        return service_with_address(host, cluster.maybe.all(Service))
    namespaces = [space.name for space in cluster.maybe.all(Namespace)] if host.count(".") == 1 else []
    named = service_named(host, pod.namespace, namespaces)
    return cluster.maybe.get(Service, named.namespace, named.name) if named is not None else None


def targets_behind(service: Service, port: int, protocol: str, cluster: Cluster) -> Iterator[ConnectionTarget]:
    """Where connections to a port of a Service end: the pods behind it, and the addresses of a Service without a selector."""
    ports = service.spec.ports or ()
    chosen = [entry for entry in ports if (entry.port == port or not port) and (entry.protocol or "TCP") == protocol]
    if not chosen:
        return
    entry = chosen[0]
    for pod in pods_selected_by(service, cluster.maybe):
        number = find_port(pod, entry)
        if number is not None and not finished(pod) and not terminating(pod):
            yield ConnectionTarget(pod, pod.status.pod_ip, number, protocol, service)
    if not service.spec.selector:
        yield from _addresses(service, entry, protocol, cluster)


def _addresses(service: Service, entry: ServicePort, protocol: str, cluster: Cluster) -> Iterator[ConnectionTarget]:
    for slice_ in cluster.maybe.slices_of(service.namespace, service.name):
        number = next((port.port for port in slice_.ports or () if (port.name or "") == entry.name and port.port), None)
        for endpoint in slice_.endpoints or ():
            for address in endpoint.addresses or ():
                if number is not None:
                    yield ConnectionTarget(None, address, number, protocol, service)


def denial(source: Pod, reached: tuple[ConnectionTarget, ...], cluster: Cluster) -> Denial | AdminDenial | None:
    """The denial of the first target where policies deny every one of them, and something enforces policies. Policies
    that cannot be read are a gap; those of administrators count where they were seen."""
    denials = []
    for target in reached:
        found = _denied(source, target, cluster)
        if found is None:
            return None
        denials.append(found)
    return denials[0] if denials and not none_enforces(cluster) else None


def denied_to_outsider(
    outsider: Outsider, party: Party, reached: tuple[ConnectionTarget, ...], cluster: Cluster
) -> Denial | None:
    """Like `denial`, for a source that is no pod: NetworkPolicies of the targets' namespaces alone."""
    denials = []
    for target in reached:
        policies = policies_between("", target, cluster)
        policy_set, there = PolicySet(policies.values()), party_of(target, cluster)
        if policy_set.judge(party, there, target.port, target.protocol).allowed:
            return None
        denials.append(denial_of(None, target, INGRESS, (party, there), policy_set, policies, outsider))
    return denials[0] if denials and not none_enforces(cluster) else None


def _denied(source: Pod, target: ConnectionTarget, cluster: Cluster) -> Denial | AdminDenial | None:
    policies = policies_between(source.namespace, target, cluster)
    admin = admin_policies(cluster)
    if not policies and not admin:
        return None
    if any(cluster.maybe.get(Namespace, "", name) is None for name in _namespaces(source.namespace, target)):
        return None  # Its labels may be what a rule selects.
    here = Party.of_pod(source, labels_of(source.namespace, cluster))
    there = party_of(target, cluster)
    policy_set = with_admin_policies(policies.values(), cluster)
    verdict = policy_set.judge(here, there, target.port, target.protocol)
    if verdict.allowed:
        return None
    direction, side = (INGRESS, verdict.ingress) if verdict.egress.allowed else (EGRESS, verdict.egress)
    if side.tier != NETWORK_POLICY:
        return _by_administrator(source, target, direction, side, admin)
    return denial_of(source, target, direction, (here, there), policy_set, policies)


def _by_administrator(
    source: Pod, target: ConnectionTarget, direction: str, side: Side, admin: tuple[AnyAdminPolicy, ...]
) -> AdminDenial | None:
    policy = next((row for row in admin if side.policy is not None and ref(row) == side.policy.ref), None)
    if policy is None or side.rule is None:
        return None
    return AdminDenial(source, target, policy, direction, side.rule, baseline=side.tier in BASELINE_TIERS)


def foresee_policies(pod: Pod, cluster: Cluster) -> None:
    """Fetch what may decide about the pod's connections, in one round. A kind that the cluster does not serve is no gap."""
    maybe = cluster.maybe
    kinds = (partial(maybe.all, kind) for kind in ADMIN_KINDS)
    cluster.together(partial(maybe.all, NetworkPolicy, pod.namespace), *kinds)


def _namespaces(source: str, target: ConnectionTarget) -> list[str]:
    return sorted({source, *([target.pod.namespace] if target.pod is not None else [])} - {""})


def policies_between(source: str, target: ConnectionTarget, cluster: Cluster) -> Mapping[Ref, NetworkPolicy]:
    """The policies of both ends' namespaces; `source` is one, empty for a node."""
    names = _namespaces(source, target)
    return {ref(row): row for name in names for row in cluster.maybe.all(NetworkPolicy, name)}


def party_of(target: ConnectionTarget, cluster: Cluster) -> Party:
    """A target as policies see it."""
    if target.pod is None:
        return Party.outside(target.address)
    return Party.of_pod(target.pod, labels_of(target.pod.namespace, cluster), family_of(target))


def family_of(target: ConnectionTarget) -> int:
    """The IP family of the connection, 4 or 6; 0 where the address is not known."""
    return 6 if ":" in target.address else 4 if target.address else 0


def denial_of(
    source: Pod | None,
    target: ConnectionTarget,
    direction: str,
    parties: tuple[Party, Party],
    policy_set: PolicySet,
    policies: Mapping[Ref, NetworkPolicy],
    outsider: Outsider | None = None,
) -> Denial:
    """A denial by NetworkPolicies that isolate one end, with the nearest rule. parties: source and target."""
    here, there = parties
    misses = policy_set.misses(direction, here, there, target.port, target.protocol)
    other = there if direction == EGRESS else here
    nearest = min(misses, key=lambda miss: (miss.rule is None, not miss.port, miss.wrong, not _meant(miss, other)))
    return Denial(source, target, policies[nearest.policy.ref], direction, nearest, outsider)


def _meant(miss: Miss, other: Party) -> bool:
    """A peer of the rule has the labels of the other end, in another namespace."""
    peers = miss.rule.peers if miss.rule is not None else None
    return any(
        isinstance(peer, Selected) and not peer.pods.is_empty and peer.pods.matches(other.labels)
        for peer in peers or ()
    )


def labels_of(namespace: str, cluster: Cluster) -> Mapping[str, str]:
    """The labels of a namespace; none where it cannot be seen."""
    space = cluster.maybe.get(Namespace, "", namespace)
    return (space.metadata.labels or {}) if space is not None else {}


def is_ready(target: ConnectionTarget) -> bool:
    """Whether the target could answer: a pod that is not ready may be why a connection fails."""
    return target.pod is None or ready(target.pod)
