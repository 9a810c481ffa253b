"""What a denied connection lacks, in words, the smallest rule that allows it, and what else that rule opens."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import Any, Final

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
from kubedoctor.cluster.changes import Change, apply_to_object, put
from kubedoctor.cluster.kinds.meta import KubernetesObject, LabelSelector
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS, controllers
from kubedoctor.cluster.seen.quoting import Evidence, has_path, quote
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished
from kubedoctor.findings import Fix, command_line, edit_command
from kubedoctor.replay.network import (
    EGRESS,
    EVERY_PORT,
    METADATA_NAME,
    NetworkPolicyRule,
    Party,
    PortSet,
    compile_policy,
)
from kubedoctor.replay.network.policies import Selected
from kubedoctor.replay.network.port_sets import port_range, union
from kubedoctor.replay.network.seen import with_admin_policies

_OF_ONE_REVISION: Final = (
    "pod-template-hash",
    "controller-revision-hash",
    "pod-template-generation",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "controller-uid",
    "job-name",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
)
"""Labels that the next pod of the workload does not have: of its revision, and of its node."""


def in_words(found: Denial | AdminDenial) -> str:
    """What the nearest rule lacks: `ingress rule 1 selects pods of its own namespace only (...)`; of an administrator's
    policy the rule that denies."""
    if isinstance(found, AdminDenial):
        return _by_rule(found)
    side = "egress" if found.direction == EGRESS else "ingress"
    other, port = found.other_title, f"{found.target.protocol} {found.target.port}"
    miss = found.miss
    if miss.rule is None:
        way = "egress to" if found.direction == EGRESS else "ingress from"
        pods = ref(found.isolated).title if found.isolated is not None else "the pods"
        return f"it isolates {pods}, and no policy allows {way} {other}"
    rule = f"{side} rule {miss.rule.index + 1}"
    if miss.peer and miss.port:
        return f"{rule} does not allow protocol {found.target.protocol} on port {found.target.port}"
    if miss.peer:
        return f"{rule} does not allow port {port}"
    if found.other is not None and _peer_without_namespace(found) is not None:
        return (
            f"{rule} selects pods of namespace {found.policy.namespace} only (podSelector without namespaceSelector), "
            f"and {other} is in namespace {found.other.namespace}"
        )
    target = f"address {found.target.address}" if found.direction == EGRESS and found.target.pod is None else other
    selects = _selected_by(found, miss.rule.index)
    return f"{rule} does not match {target}" + (f": it selects {selects}" if selects else "")


def _selected_by(found: Denial, index: int) -> str:
    """What the only peer of a rule selects; empty where it has several, or more than labels."""
    egress, spec = found.direction == EGRESS, found.policy.spec
    rules = [row.to for row in spec.egress or ()] if egress else [row.from_ for row in spec.ingress or ()]
    peers = (rules[index] if index < len(rules) else None) or ()
    if len(peers) != 1:
        return ""
    (peer,) = peers
    if peer.ip_block is not None:
        return f"addresses in {peer.ip_block.cidr}"
    pods, spaces = (_labels(row) for row in (peer.pod_selector, peer.namespace_selector))
    if pods is None or spaces is None:
        return ""
    which = f"pods with {pods}" if pods else "pods"
    if peer.namespace_selector is None:
        return f"{which} of namespace {found.policy.namespace}"
    return f"{which} of namespaces with {spaces}" if spaces else which


def _labels(selector: LabelSelector | None) -> str | None:
    """`app=web,tier=x`; empty for all, None where it has expressions."""
    if selector is None:
        return ""
    if selector.match_expressions:
        return None
    return ",".join(f"{key}={value}" for key, value in sorted((selector.match_labels or {}).items()))


def _by_rule(found: AdminDenial) -> str:
    name = f" ({found.rule.name})" if found.rule.name else ""
    rule = f"{found.direction.lower()} rule {found.rule.index + 1}{name} denies it"
    return f"{rule}; a NetworkPolicy may allow it" if found.baseline else f"{rule}, whatever NetworkPolicies allow"


def deciding_parts(found: Denial | AdminDenial) -> tuple[Evidence, ...]:
    """The field of the nearest rule that does not match, and what isolates the pods."""
    if isinstance(found, AdminDenial):
        rule = f"spec.{found.direction.lower()}[{found.rule.index}]"
        paths = [(f"{rule}.action", "the rule that denies it"), ("spec.priority", "the lowest number decides first")]
        return tuple(quote(found.policy, path, shows) for path, shows in paths if has_path(found.policy, path))
    policy, miss = found.policy, found.miss
    side, peers = ("egress", "to") if found.direction == EGRESS else ("ingress", "from")
    paths = [("spec.policyTypes", f"isolates the {side} of the pods"), ("spec.podSelector", "pods that it isolates")]
    if miss.rule is not None:
        rule = f"spec.{side}[{miss.rule.index}]"
        paths.insert(0, (f"{rule}.{peers}", "does not match") if not miss.peer else (f"{rule}.ports", "lacks the port"))
    quoted = [quote(policy, path, shows) for path, shows in paths if has_path(policy, path)]
    return tuple(quoted[:2]) or (quote(policy, "metadata.name"),)


def allowing_change(found: Denial, cluster: Cluster) -> Change:
    """The port that a rule for this peer alone lacks, the namespace that its peer lacks, else one more rule. It takes nothing
    away: a peer that selects pods of the policy's own namespace stays as it is."""
    about, miss = ref(found.policy), found.miss
    side, peers = ("egress", "to") if found.direction == EGRESS else ("ingress", "from")
    port = {"protocol": found.target.protocol, "port": found.target.port}
    if miss.rule is not None and miss.peer and len(miss.rule.peers or ()) == 1:
        return put(about, ("spec", side, miss.rule.index, "ports", "-"), port)
    index = _peer_without_namespace(found) if miss.port and miss.protocol else None
    if miss.rule is not None and index is not None and not _selects_own(found, index, cluster):
        space = {"matchLabels": {METADATA_NAME: found.other.namespace if found.other is not None else ""}}
        return put(about, ("spec", side, miss.rule.index, peers, index, "namespaceSelector"), space)
    if found.other is None and not address_of_other(found):
        return put(about, ("spec", side, "-"), {"ports": [port]})
    return put(about, ("spec", side, "-"), {peers: [_peer(found)], "ports": [port]})


def _selects_own(found: Denial, index: int, cluster: Cluster) -> bool:
    """Whether the peer selects a pod of the policy's own namespace, which it would not with a namespaceSelector; also where
    that was not seen."""
    peer = (found.miss.rule.peers or ())[index] if found.miss.rule is not None else None
    if not isinstance(peer, Selected) or not cluster.has_all(Pod, found.policy.namespace):
        return True
    return any(
        peer.pods.matches(pod.labels)
        for pod in cluster.maybe.all(Pod, found.policy.namespace)
        if not finished(pod) and not pod.spec.host_network
    )


def address_of_other(found: Denial) -> str:
    """Of the other end, where that is no pod."""
    if found.direction == EGRESS:
        return found.target.address
    return found.outsider.address if found.outsider is not None else ""


def _peer(found: Denial) -> dict[str, Any]:
    """The other end, and nothing but it: its pods by the labels that each of them has."""
    pod = found.other
    if pod is None or pod.spec.host_network:
        address = pod.status.pod_ip if pod is not None else address_of_other(found)
        return {"ipBlock": {"cidr": f"{address}/{128 if ':' in address else 32}"}}
    service = found.target.service if found.direction == EGRESS else None
    labels = dict((service.spec.selector if service is not None else None) or _lasting(pod))
    peer: dict[str, Any] = {"podSelector": {"matchLabels": labels} if labels else {}}
    if pod.namespace != found.policy.namespace:
        peer["namespaceSelector"] = {"matchLabels": {METADATA_NAME: pod.namespace}}
    return peer


def _lasting(pod: Pod) -> dict[str, str]:
    return {key: value for key, value in pod.labels.items() if key not in _OF_ONE_REVISION}


def _peer_without_namespace(found: Denial) -> int | None:
    """The index of a peer of the nearest rule that selects the pod at the other end by its labels, but in the policy's
    own namespace only."""
    pod = found.other
    if found.miss.rule is None or pod is None or pod.namespace == found.policy.namespace or pod.spec.host_network:
        return None
    for index, peer in enumerate(found.miss.rule.peers or ()):
        if isinstance(peer, Selected) and peer.namespaces is None and _has_labels_of(peer, pod):
            return index
    return None


def _has_labels_of(peer: Selected, pod: Pod) -> bool:
    """An empty selector is meant for the whole namespace, not for this pod."""
    return not peer.pods.is_empty and peer.pods.matches(pod.labels)


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
