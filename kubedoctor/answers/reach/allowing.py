"""The smallest rule that allows a denied connection, proven by replay, and what else that rule opens."""

from __future__ import annotations

from functools import partial
from itertools import product

from kubedoctor.answers.proof import Holds, prove, proven
from kubedoctor.answers.reach.connections import (
    AdminDenial,
    Denial,
    denial,
    family_of,
    labels_of,
    party_of,
    policies_between,
)
from kubedoctor.answers.reach.denials import address_of_other, allowing_change
from kubedoctor.cluster.changes import apply_to_object
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS, controllers
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished
from kubedoctor.findings import Fix, command_line, edit_command
from kubedoctor.replay.network import EGRESS, EVERY_PORT, NetworkPolicyRule, Party, PortSet, compile_policy
from kubedoctor.replay.network.port_sets import port_range, union
from kubedoctor.replay.network.seen import with_admin_policies


def allowing_fix(found: Denial | AdminDenial, cluster: Cluster, allowed: Holds | None = None, other: str = "") -> Fix:
    """The smallest rule that allows the connection, proven by replay, and what else it opens. allowed: what has to hold then, where that is not
    the whole connection. other: what stands for the other end, where that is not its pod."""
    if isinstance(found, AdminDenial):
        return _before_the_rule(found)
    change = allowing_change(found, cluster)
    way = "egress to" if found.direction == EGRESS else "ingress from"
    line = command_line(change, found.policy)
    end = other or found.other_title
    port = f"{found.target.protocol} {found.target.port}"
    everyone = found.other is None and not address_of_other(found)
    also = " (and from everywhere: its address is not known)" if everyone else ""
    if not everyone and (more := opened(found, cluster)):
        also = f" (also opens {more})"
    fix = Fix(f"Allow {way} {end} on {port}{also}", line)

    def holds(after: Cluster) -> bool:
        return found.source is not None and denial(found.source, (found.target,), after) is None

    return proven(fix, prove(change, cluster, allowed or holds))


def _before_the_rule(found: AdminDenial) -> Fix:
    end = f"{found.target.protocol} {found.target.port} of {found.target.title}"
    if found.baseline:
        space = found.source.namespace if found.direction == EGRESS or found.target.pod is None else ""
        where = space or (found.target.pod.namespace if found.target.pod is not None else "")
        return Fix(f"Create a NetworkPolicy in namespace {where} that allows {found.source_title} to {end}")
    rule = f"{found.direction.lower()} rule {found.rule.index + 1}"
    return Fix(f"Add a rule before {rule} that allows or passes {end}", edit_command(ref(found.policy)))


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
    """The workloads, source and target, between which the change opens the port in its direction, among the pods of both
    ends' namespaces and all others that were seen; the pair that it is made for is not among them."""
    spaces = sorted({found.policy.namespace, *([found.other.namespace] if found.other is not None else [])})
    cluster.together(*(partial(cluster.maybe.all, Pod, name) for name in spaces))
    new, _ = _new_rules(found, cluster)
    policy = compile_policy(found.policy)
    space = found.source.namespace if found.source is not None else ""
    policies = with_admin_policies(policies_between(space, found.target, cluster).values(), cluster)
    seen = [row for row in cluster.snapshot.of_kind("Pod") if isinstance(row, Pod) and not finished(row)]
    family = family_of(found.target)
    outside = address_of_other(found) if found.other is None else ""
    parties = [
        (ref(row), _workload_seen(row, cluster), Party.of_pod(row, labels_of(row.namespace, cluster), family))
        for row in seen
        if _readable(row, cluster) and not (row.spec.host_network and outside and row.status.pod_ip == outside)
    ]
    isolated = [row for row in parties if policy.selects(row[2])]
    others = [row for row in parties if any(rule.admits_peer(row[2]) for rule in new)]
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
