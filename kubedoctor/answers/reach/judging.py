"""What policies say to a connection at each of its targets, and what would allow it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Final, NamedTuple

import msgspec

from kubedoctor.answers.proof import Holds
from kubedoctor.answers.reach.connections import (
    ConnectionTarget,
    Denial,
    denial_of,
    labels_of,
    party_of,
    policies_between,
)
from kubedoctor.answers.reach.denials import allowing_change, allowing_fix
from kubedoctor.answers.reach.meant import rule_meant
from kubedoctor.answers.reach.way import API_SERVER_NAME, ReachSource
from kubedoctor.cluster.changes import apply_to_object
from kubedoctor.cluster.kinds.apps import DaemonSet
from kubedoctor.cluster.kinds.core import Namespace, Node
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.workloads import workload_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished
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
    compile_policy,
)
from kubedoctor.replay.network.enforcers import PolicyEnforcer, policy_enforcer
from kubedoctor.replay.network.parties import parse_address
from kubedoctor.replay.network.policies import Block
from kubedoctor.replay.network.port_sets import union
from kubedoctor.replay.network.seen import with_admin_policies

NOT_REPLAYED: Final = (
    ("CiliumNetworkPolicy", "cilium.io"),
    ("CiliumClusterwideNetworkPolicy", "cilium.io"),
    ("NetworkPolicy", "crd.projectcalico.org"),
    ("GlobalNetworkPolicy", "crd.projectcalico.org"),
)
"""Policies of network plug-ins themselves, which decide beside Kubernetes' own."""


class JudgedTarget(NamedTuple):
    """denials: by NetworkPolicies, one for each direction that denies. connectivity: all ports of the pair.
    unsure: an address decides that is not known."""

    target: ConnectionTarget
    verdict: ConnectionVerdict
    denials: tuple[Denial, ...]
    connectivity: PortSet
    unsure: bool = False


class Judgement(msgspec.Struct, frozen=True):
    """enforcer: None where no network plug-in is recognised. others: policies that exist and are not replayed.
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
        *(partial(maybe.custom, kind, group) for kind, group in NOT_REPLAYED),
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
    others = tuple(ref(row) for kind, group in NOT_REPLAYED for row in maybe.custom(kind, group))
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
    return Judgement(tuple(judged), policy_enforcer(maybe.all(DaemonSet)), others, unseen, not_looked)


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
    fix = allowing_fix(found, cluster, allowed, _asked_about(found, source, by_workload, cluster))
    also = opened(found, cluster)
    return msgspec.structs.replace(fix, summary=f"{fix.summary} (also opens {also})") if also else fix


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
        here = Party.of_pod(source.pod, labels_of(source.namespace, after))
    verdict = with_admin_policies(policies.values(), after).judge(
        here, party_of(found.target, after), found.target.port, found.target.protocol
    )
    return (verdict.egress if found.direction == EGRESS else verdict.ingress).allowed


def opened(found: Denial, cluster: Cluster) -> str:
    """What else the change connects, as a clause; empty where that is nothing."""
    pairs = opened_pairs(found, cluster)
    if not pairs:
        return ""
    first, second = pairs[0]
    clause = f"{first.title} → {second.title}"
    return clause if len(pairs) == 1 else f"{clause} and {len(pairs) - 1} more"


def opened_pairs(found: Denial, cluster: Cluster) -> list[tuple[Ref, Ref]]:
    """The workloads, source and target, between which the change opens the port in its direction, among the pods that were
    seen; the pair that it is made for is not among them."""
    change = allowing_change(found)
    before, after = (
        compile_policy(found.policy),
        compile_policy(apply_to_object(found.policy, change.operations[0].steps)),
    )
    known = {(rule.peers, rule.ports) for rule in before.rules(found.direction)}
    new = [rule for rule in after.rules(found.direction) if (rule.peers, rule.ports) not in known]
    space = found.source.namespace if found.source is not None else ""
    policies = with_admin_policies(policies_between(space, found.target, cluster).values(), cluster)
    seen = [row for row in cluster.snapshot.of_kind("Pod") if isinstance(row, Pod) and not finished(row)]
    parties = [(row, Party.of_pod(row, labels_of(row.namespace, cluster))) for row in seen if _readable(row, cluster)]
    isolated = [row for row in parties if after.selects(row[1])]
    others = [row for row in parties if any(rule.admits_peer(row[1]) for rule in new)]
    own = found.source, found.target.pod
    asked = tuple(workload_of(pod, cluster) if pod is not None else None for pod in own)
    pairs: set[tuple[Ref, Ref]] = set()
    for source, target in product(*((isolated, others) if found.direction == EGRESS else (others, isolated))):
        ends = workload_of(source[0], cluster), workload_of(target[0], cluster)
        if ends == asked or ends in pairs or ref(source[0]) == ref(target[0]):
            continue
        verdict = policies.judge(source[1], target[1], found.target.port, found.target.protocol)
        side = verdict.egress if found.direction == EGRESS else verdict.ingress
        ports = union(rule.ports_at(target[1]) for rule in new)
        if not side.allowed and ports.holds(found.target.protocol, found.target.port):
            pairs.add(ends)
    return sorted(pairs)


def _readable(pod: KubernetesObject, cluster: Cluster) -> bool:
    """Whether the labels of its namespace were seen already: a look at what else opens requests nothing."""
    return cluster.snapshot.get(Ref("Namespace", "", pod.namespace)) is not None
