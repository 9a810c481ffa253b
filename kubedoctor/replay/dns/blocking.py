"""Pods whose queries to the cluster's DNS are blocked by policies, and the smallest change that allows them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec

from kubedoctor.cluster.changes import Change, put
from kubedoctor.cluster.kinds.core import Namespace
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished, terminating
from kubedoctor.replay.dns.servers import Resolvers, Server, uses_cluster_dns
from kubedoctor.replay.network import (
    ADMIN_KINDS,
    EGRESS,
    INGRESS,
    METADATA_NAME,
    NETWORK_POLICY,
    Miss,
    Party,
    Policy,
    PolicySet,
)
from kubedoctor.replay.network.policies import Selected
from kubedoctor.replay.network.seen import with_admin_policies


class Blocked(msgspec.Struct, frozen=True):
    """Pods that cannot resolve names.

    policy: the one whose rule comes nearest to allowing it, else an isolating policy. miss: that rule, or none.
    direction: whether egress of the pods or ingress at the DNS servers is not allowed.
    reaches_by_name: whether some of the pods may send to targets that are usually reached by name: to pods, or
    everywhere.
    source: one of the pods. policies: all policies that were evaluated, for another evaluation.
    """

    policy: NetworkPolicy
    pods: tuple[Pod, ...]
    direction: str
    miss: Miss
    server: Server
    reaches_by_name: bool
    source: Party
    policies: tuple[NetworkPolicy, ...]

    @property
    def about_dns(self) -> bool:
        """Whether the nearest rule lists the DNS servers' port, whichever protocol it allows."""
        return _about_dns(self.miss, self.server)


def blocked_pods(policy: NetworkPolicy, dns: Resolvers, cluster: Cluster) -> Iterator[Blocked]:
    """One result for each nearest policy of the pods that this policy isolates."""
    namespaces = {policy.namespace, dns.service.namespace}
    selecting = PolicySet((policy,)).compiled[0]
    cluster.together(
        *(partial(cluster.all, NetworkPolicy, name) for name in sorted(namespaces)),
        lambda: _candidates(selecting, dns, cluster),
        lambda: cluster.maybe.get(Namespace, "", policy.namespace),
        *(partial(cluster.maybe.all, kind) for kind in ADMIN_KINDS),
    )
    policies = tuple(namespaced for name in sorted(namespaces) for namespaced in cluster.all(NetworkPolicy, name))
    policy_set = with_admin_policies(policies, cluster)
    by_source: dict[tuple[str, Ref], tuple[Blocked, list[Pod]]] = {}
    for source, pods in _alike(_concerned(selecting, dns, cluster), cluster):
        nearest = _nearest(source, dns, policy_set)
        if nearest is None:
            continue
        direction, miss, server = nearest
        name = miss.policy.ref
        about = next((candidate for candidate in policies if ref(candidate) == name), policy)
        by_name = _reaches_by_name(source, policy_set)
        first, members = by_source.setdefault(
            (direction, name), (Blocked(about, (), direction, miss, server, by_name, source, policies), [])
        )
        members.extend(pods)
        if by_name and not first.reaches_by_name:
            by_source[direction, name] = (msgspec.structs.replace(first, reaches_by_name=True), members)
    for blocked, members in by_source.values():
        yield msgspec.structs.replace(
            blocked, pods=tuple(sorted(members, key=lambda member: (member.namespace, member.name)))
        )


def _candidates(policy: Policy, dns: Resolvers, cluster: Cluster) -> tuple[KubernetesObject, ...]:
    if _guards_servers(policy, dns):
        return cluster.all(Pod)
    if EGRESS not in policy.types or policy.pods.selects_nothing:
        return ()
    if policy.pods.is_empty:
        return cluster.all(Pod, policy.ref.namespace)
    return cluster.labelled(Pod, policy.ref.namespace, policy.pods.text)


def _guards_servers(policy: Policy, dns: Resolvers) -> bool:
    return INGRESS in policy.types and any(policy.selects(server.party) for server in dns.servers)


def _concerned(policy: Policy, dns: Resolvers, cluster: Cluster) -> Iterator[Pod]:
    """The pods whose lookups this policy may block: those it selects, and all pods where it selects DNS servers."""
    everywhere = _guards_servers(policy, dns)
    for pod in _candidates(policy, dns, cluster):
        if not isinstance(pod, Pod) or finished(pod) or terminating(pod) or not uses_cluster_dns(pod):
            continue
        if everywhere or policy.pods.matches(pod.metadata.labels):
            yield pod


def _reaches_by_name(source: Party, policies: PolicySet) -> bool:
    return any(
        rule.peers is None or any(isinstance(peer, Selected) for peer in rule.peers)
        for policy in policies.isolating(source, EGRESS)
        for rule in policy.egress
    )


def _alike(pods: Iterator[Pod], cluster: Cluster) -> Iterator[tuple[Party, list[Pod]]]:
    """Pods of one namespace with the same labels, which all policies treat alike, except for address blocks."""
    groups: dict[tuple[str, frozenset[tuple[str, str]]], list[Pod]] = {}
    for pod in pods:
        groups.setdefault((pod.namespace, frozenset(pod.labels.items())), []).append(pod)
    for (namespace, _), members in groups.items():
        space = cluster.maybe.get(Namespace, "", namespace)
        yield Party.of_pod(members[0], space.labels if space is not None else {}), members


def _nearest(source: Party, dns: Resolvers, policies: PolicySet) -> tuple[str, Miss, Server] | None:
    verdicts = dns.verdicts(source, policies)
    if verdicts is None:
        return None
    best: tuple[tuple[bool, bool, int], str, Miss, Server] | None = None
    for server, verdict in zip(dns.servers, verdicts, strict=True):
        direction, side = (INGRESS, verdict.ingress) if verdict.egress.allowed else (EGRESS, verdict.egress)
        if side.tier != NETWORK_POLICY:
            continue  # An administrator's policy denies it, whatever NetworkPolicies allow.
        for miss in policies.misses(direction, source, server.party, server.port, "UDP"):
            # Where no rule is about DNS, the policy for all pods is the one to correct.
            rank = (not _about_dns(miss, server), not miss.policy.pods.is_empty, miss.wrong)
            if best is None or rank < best[0]:
                best = (rank, direction, miss, server)
    return None if best is None else best[1:]


def _about_dns(miss: Miss, server: Server) -> bool:
    ports = miss.rule.ports if miss.rule is not None else None
    ports_of_dns = {server.port, 53}
    return ports is not None and any(
        port.name in ("dns", "dns-tcp") if port.name else port.first == port.last and port.first in ports_of_dns
        for port in ports
    )


def allowing_change(blocked: Blocked, dns: Resolvers) -> Change:
    """The protocol that a DNS rule lacks, else one more rule for the DNS servers and their port."""
    side = "egress" if blocked.direction == EGRESS else "ingress"
    miss = blocked.miss
    if miss.rule is not None and blocked.about_dns and miss.peer and miss.port and not miss.protocol:
        port = {"protocol": "UDP", "port": blocked.server.port}
        return put(ref(blocked.policy), ("spec", side, miss.rule.index, "ports", "-"), port)
    return put(ref(blocked.policy), ("spec", side, "-"), _rule(blocked, dns))


def resolves(blocked: Blocked, dns: Resolvers, cluster: Cluster) -> bool:
    """Whether the blocked pods may query the DNS servers after the change."""
    names = sorted({blocked.policy.namespace, dns.service.namespace})
    policies = with_admin_policies([policy for name in names for policy in cluster.all(NetworkPolicy, name)], cluster)
    return dns.verdicts(blocked.source, policies) is None


def _rule(blocked: Blocked, dns: Resolvers) -> dict[str, Any]:
    ports = [{"protocol": protocol, "port": blocked.server.port} for protocol in ("UDP", "TCP")]
    if blocked.direction == INGRESS:
        return {"from": [{"namespaceSelector": {}}], "ports": ports}
    if blocked.server.party.pod is None:
        return {"ports": ports}  # No selector matches a server on its node's network.
    space = {"matchLabels": {METADATA_NAME: dns.service.namespace}}
    peers: list[dict[str, Any]] = [
        {"namespaceSelector": space, "podSelector": {"matchLabels": dict(dns.service.spec.selector or {})}}
    ]
    return {"to": peers, "ports": ports}
