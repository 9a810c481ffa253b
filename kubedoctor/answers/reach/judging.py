"""What policies say to a connection at each of its targets, and what would allow it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import msgspec

from kubedoctor.answers.proof import Holds
from kubedoctor.answers.reach.connections import (
    ConnectionTarget,
    Denial,
    denial_of,
    family_of,
    labels_of,
    party_of,
    policies_between,
)
from kubedoctor.answers.reach.denials import allowing_fix
from kubedoctor.answers.reach.meant import rule_meant
from kubedoctor.answers.reach.way import API_SERVER_NAME, ReachSource
from kubedoctor.cluster.kinds.apps import DaemonSet
from kubedoctor.cluster.kinds.core import Namespace, Node
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.workloads import workload_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.findings import Fix
from kubedoctor.replay.network import (
    ADMIN_KINDS,
    EGRESS,
    INGRESS,
    NETWORK_POLICY,
    ConnectionVerdict,
    Party,
    PolicySet,
    PortSet,
    Side,
)
from kubedoctor.replay.network.enforcers import PolicyEnforcer, policy_enforcer
from kubedoctor.replay.network.parties import parse_address
from kubedoctor.replay.network.plugin_policies import PLUGIN_POLICIES, may_decide
from kubedoctor.replay.network.policies import Block
from kubedoctor.replay.network.seen import with_admin_policies


class JudgedTarget(NamedTuple):
    """denials: by NetworkPolicies, one for each direction that denies. connectivity: all ports of the pair.
    unsure: an address decides that is not known."""

    target: ConnectionTarget
    verdict: ConnectionVerdict
    denials: tuple[Denial, ...]
    connectivity: PortSet
    unsure: bool = False


class Judgement(msgspec.Struct, frozen=True):
    """enforcer: None where no network plug-in is recognised. others: policies that may be for one end and are not replayed.
    unseen: namespaces whose labels could not be read. not_looked: why kinds of extensions could not be read."""

    targets: tuple[JudgedTarget, ...]
    enforcer: PolicyEnforcer | None
    others: tuple[Ref, ...]
    unseen: tuple[str, ...] = ()
    not_looked: str = ""

    @property
    def allowed(self) -> tuple[JudgedTarget, ...]:
        return tuple(row for row in self.targets if row.verdict.allowed)

    @property
    def denied(self) -> tuple[JudgedTarget, ...]:
        return tuple(row for row in self.targets if not row.verdict.allowed and not row.unsure)


def extension_readings(cluster: Cluster) -> tuple[Callable[[], object], ...]:
    """What is read whatever the connection is: policies of extensions, and who enforces policies."""
    maybe = cluster.maybe
    return (
        *(partial(maybe.all, kind) for kind in ADMIN_KINDS),
        *(partial(maybe.custom, kind, group) for kind, group in PLUGIN_POLICIES),
        partial(maybe.all, DaemonSet),
    )


def judgement(source: ReachSource, targets: tuple[ConnectionTarget, ...], cluster: Cluster) -> Judgement:
    """Each target, with the policies of both ends' namespaces and the administrators' ones."""
    maybe = cluster.maybe
    spaces = sorted({source.namespace, *(target.pod.namespace for target in targets if target.pod is not None)} - {""})
    cluster.together(
        *(partial(maybe.all, NetworkPolicy, name) for name in spaces),
        *(partial(maybe.get, Namespace, "", name) for name in spaces),
        *extension_readings(cluster),
    )
    known = set(cluster.gaps)
    admin = [policy for kind in ADMIN_KINDS for policy in maybe.all(kind)]
    ends = [pod for pod in (source.pod, *(target.pod for target in targets)) if pod is not None]
    others = {
        ref(row).title: ref(row)
        for kind, group in PLUGIN_POLICIES
        for row in maybe.custom(kind, group)
        if any(may_decide(row, pod) for pod in ends)
    }
    not_looked = next((gap.why for gap in sorted(cluster.gaps - known, key=str)), "")
    cluster.gaps.intersection_update(known)  # One sentence stands for all these kinds.
    nodes = maybe.all(Node) if admin else ()
    unseen = tuple(name for name in spaces if maybe.get(Namespace, "", name) is None)
    judged = []
    for target in targets:
        policies = policies_between(source.namespace, target, cluster)
        policy_set = PolicySet(policies.values(), admin, nodes)
        there = party_of(target, cluster)
        verdict = policy_set.judge(source.party, there, target.port, target.protocol)
        denials = [
            denial_of(source.pod, target, direction, (source.party, there), policy_set, policies, source.outsider)
            for direction, side in ((EGRESS, verdict.egress), (INGRESS, verdict.ingress))
            if not side.allowed and side.tier == NETWORK_POLICY
        ]
        ports = policy_set.connectivity(source.party, there)
        # The API server's own port is another than its Service's.
        unsure = is_only_named(target) and (
            _by_address(verdict.egress, target)
            or (target.address == API_SERVER_NAME and bool(verdict.egress.tier) and bool(ports))
        )
        judged.append(JudgedTarget(target, verdict, tuple(denials), ports, unsure))
    return Judgement(tuple(judged), policy_enforcer(maybe.all(DaemonSet)), tuple(others.values()), unseen, not_looked)


def is_only_named(target: ConnectionTarget) -> bool:
    """Whether the target is a name outside of the cluster, whose address is not known."""
    return target.pod is None and parse_address(target.address) is None


def _by_address(side: Side, target: ConnectionTarget) -> bool:
    """Whether a block of addresses might allow the connection if the address were known."""
    anywhere = Party()
    return not side.allowed and any(
        rule.ports_at(anywhere).holds(target.protocol, target.port)
        and any(isinstance(peer, Block) for peer in rule.peers or ())
        for policy in side.isolated_by
        for rule in policy.egress
    )


def allowing_fixes(
    judged: JudgedTarget, source: ReachSource, cluster: Cluster, *, by_workload: bool = False
) -> Iterator[Fix]:
    """One for each direction that NetworkPolicies deny, each proven for its own direction. by_workload: the target was
    named by its workload."""
    for found in judged.denials:

        def allowed(after: Cluster, found: Denial = found) -> bool:
            return _direction_allowed(found, source, after)

        meant = rule_meant(found, cluster, allowed)
        if meant is not None:
            fix = msgspec.structs.replace(meant.fix, summary=f"{meant.fix.summary}: {meant.clause}")
            meant = meant._replace(fix=fix)
        allowing = _allowing(found, source, by_workload, cluster, allowed)
        yield from meant.beside(allowing) if meant is not None else (allowing,)


def _allowing(found: Denial, source: ReachSource, by_workload: bool, cluster: Cluster, allowed: Holds) -> Fix:
    """A rule of its own for the connection."""
    if is_only_named(found.target) and not (found.miss.rule is not None and found.miss.peer):
        where = f"the addresses of {found.target.address} on {found.target.protocol} {found.target.port}"
        return Fix(f"Allow egress to {where} (ipBlock)", changes=ref(found.policy))
    return allowing_fix(found, cluster, allowed, _asked_about(found, source, by_workload, cluster))


def _asked_about(found: Denial, source: ReachSource, by_workload: bool, cluster: Cluster) -> str:
    """The other end as it was asked about: a workload, not one pod of it."""
    if found.direction == INGRESS:
        return source.name.title
    pod = found.target.pod
    return workload_of(pod, cluster).title if by_workload and pod is not None else ""


def _direction_allowed(found: Denial, source: ReachSource, after: Cluster) -> bool:
    policies = policies_between(source.namespace, found.target, after)
    here = source.party
    if source.pod is not None:
        here = Party.of_pod(source.pod, labels_of(source.namespace, after), family_of(found.target))
    verdict = with_admin_policies(policies.values(), after).judge(
        here, party_of(found.target, after), found.target.port, found.target.protocol
    )
    return (verdict.egress if found.direction == EGRESS else verdict.ingress).allowed
