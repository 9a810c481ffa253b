"""What policies say to a connection at each of its targets, and what would allow it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
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
from kubedoctor.answers.reach.denials import address_of_other, allowing_change, allowing_fix
from kubedoctor.answers.reach.meant import rule_meant
from kubedoctor.answers.reach.way import API_SERVER_NAME, ReachSource
from kubedoctor.cluster.changes import apply_to_object
from kubedoctor.cluster.kinds.apps import DaemonSet
from kubedoctor.cluster.kinds.core import Namespace, Node
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS, controllers, workload_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished
from kubedoctor.findings import Fix
from kubedoctor.replay.network import (
    ADMIN_KINDS,
    EGRESS,
    EVERY_PORT,
    INGRESS,
    NETWORK_POLICY,
    ConnectionVerdict,
    NetworkPolicyRule,
    Party,
    PolicySet,
    PortSet,
    Side,
    compile_policy,
)
from kubedoctor.replay.network.enforcers import PolicyEnforcer, policy_enforcer
from kubedoctor.replay.network.parties import parse_address
from kubedoctor.replay.network.plugin_policies import PLUGIN_POLICIES, may_decide
from kubedoctor.replay.network.policies import Block
from kubedoctor.replay.network.port_sets import port_range, union
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
        here = Party.of_pod(source.pod, labels_of(source.namespace, after), family_of(found.target))
    verdict = with_admin_policies(policies.values(), after).judge(
        here, party_of(found.target, after), found.target.port, found.target.protocol
    )
    return (verdict.egress if found.direction == EGRESS else verdict.ingress).allowed


def opened(found: Denial, cluster: Cluster) -> str:
    """What else the change connects, as a clause; empty where that is nothing."""
    pairs, clauses = opened_pairs(found, cluster), []
    if pairs:
        first, second = pairs[0]
        clauses.append(f"{first.title} → {second.title}" + (f" and {len(pairs) - 1} more" if len(pairs) > 1 else ""))
    clauses += [f"addresses in {text}" for text in opened_blocks(found, cluster)]
    if ports := opened_ports(found, cluster):
        asked = port_range(found.target.protocol, found.target.port, found.target.port)
        clauses.append("every port" if ports | asked == EVERY_PORT else ports.text)
    return " and ".join(clauses)


def opened_blocks(found: Denial, cluster: Cluster) -> tuple[str, ...]:
    """The blocks of addresses for which the change opens the port, beside the address that it is made for: those of a rule
    that gets one more port."""
    egress, spec = found.direction == EGRESS, found.policy.spec
    peers = [row.to for row in spec.egress or ()] if egress else [row.from_ for row in spec.ingress or ()]
    blocks = [
        peer.ip_block
        for rule in _new_rules(found, cluster)[0]
        for peer in (peers[rule.index] if rule.index < len(peers) else None) or ()
    ]
    return tuple(dict.fromkeys(block.cidr for block in blocks if block is not None))


def opened_ports(found: Denial, cluster: Cluster) -> PortSet:
    """The other ports that the change opens with the one that it is made for: those that its rule has already."""
    rules, known = _new_rules(found, cluster)
    target = party_of(found.target, cluster)
    old = {rule.peers for rule in known}
    ports = union(rule.ports_at(target) for rule in rules if rule.peers not in old)
    return ports - port_range(found.target.protocol, found.target.port, found.target.port)


def _new_rules(found: Denial, cluster: Cluster) -> tuple[list[NetworkPolicyRule], list[NetworkPolicyRule]]:
    """The rules that are others after the change, and all those before it."""
    steps = allowing_change(found, cluster).operations[0].steps
    before, after = (
        compile_policy(row).rules(found.direction) for row in (found.policy, apply_to_object(found.policy, steps))
    )
    known = {(rule.peers, rule.ports) for rule in before}
    return [rule for rule in after if (rule.peers, rule.ports) not in known], list(before)


def opened_pairs(found: Denial, cluster: Cluster) -> list[tuple[Ref, Ref]]:
    """The workloads, source and target, between which the change opens the port in its direction, among the pods that were
    seen; the pair that it is made for is not among them."""
    new, _ = _new_rules(found, cluster)
    policy = compile_policy(found.policy)
    space = found.source.namespace if found.source is not None else ""
    policies = with_admin_policies(policies_between(space, found.target, cluster).values(), cluster)
    seen = [row for row in cluster.snapshot.of_kind("Pod") if isinstance(row, Pod) and not finished(row)]
    family = family_of(found.target)
    parties = [
        (ref(row), _workload_seen(row, cluster), Party.of_pod(row, labels_of(row.namespace, cluster), family))
        for row in seen
        if _readable(row, cluster)
    ]
    isolated = [row for row in parties if policy.selects(row[2])]
    others = [row for row in parties if any(rule.admits_peer(row[2]) for rule in new)]
    outside = address_of_other(found) if found.other is None else ""
    if outside:
        name = Ref("Address", "", outside)
        others.append((name, name, Party.outside(outside)))
    own = [_workload_seen(pod, cluster) if pod is not None else None for pod in (found.source, found.target.pod)]
    asked = tuple(end if end is not None else Ref("Address", "", outside) for end in own)
    pairs: set[tuple[Ref, Ref]] = set()
    for source, target in product(*((isolated, others) if found.direction == EGRESS else (others, isolated))):
        ends = source[1], target[1]
        if ends == asked or ends in pairs or source[0] == target[0]:
            continue
        verdict = policies.judge(source[2], target[2], found.target.port, found.target.protocol)
        side = verdict.egress if found.direction == EGRESS else verdict.ingress
        ports = union(rule.ports_at(target[2]) for rule in new)
        if not side.allowed and ports.holds(found.target.protocol, found.target.port):
            pairs.add(ends)
    return sorted(pairs)


def _workload_seen(pod: Pod, cluster: Cluster) -> Ref:
    """As far as its owners were seen: a request for those of each pod of the cluster would be one too many."""
    owners = [owner for owner in controllers(pod, cluster.snapshot.get) if owner.kind in WORKLOAD_KINDS]
    return owners[-1] if owners else ref(pod)


def _readable(pod: KubernetesObject, cluster: Cluster) -> bool:
    """Whether the labels of its namespace were seen already: a look at what else opens requests nothing."""
    return cluster.snapshot.get(Ref("Namespace", "", pod.namespace)) is not None
