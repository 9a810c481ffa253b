"""The rule that was written for a denied connection and misses it by a typing error, a label that a namespace lacks, or the
name of a port: found by changing it and asking again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from kubedoctor.answers.proof import Holds, prove, proven
from kubedoctor.answers.reach.connections import Denial, denial, labels_of
from kubedoctor.cluster.changes import Change, edit, labels_instead, put
from kubedoctor.cluster.grammar.nearest import NearMiss, misspellings, nearest_labels
from kubedoctor.cluster.kinds.core import Namespace
from kubedoctor.cluster.kinds.meta import LabelSelector
from kubedoctor.cluster.kinds.networking import NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.seen.quoting import Evidence, quote
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished
from kubedoctor.findings import Fix, command_line
from kubedoctor.replay.network import EGRESS
from kubedoctor.replay.network.overlaps import address_of, network_of
from kubedoctor.replay.network.policies import INGRESS, selector_in
from kubedoctor.replay.services.ports import declared_ports
from kubedoctor.replay.services.proxy import cluster_ips

Peers = tuple[NetworkPolicyPeer, ...]
Ports = tuple[NetworkPolicyPort, ...]


_NAMES_ITS_NAMESPACE = frozenset({"kubernetes.io/metadata.name", "name", "namespace", "ns"})
"""Labels that only the namespace of that name should have."""


class MeantRule(NamedTuple):
    """clause: what is wrong with the rule. fix: makes it allow the connection. probably: it was written for this
    connection; else only a person knows whether it should let it in, and a rule of its own comes first."""

    clause: str
    evidence: Evidence
    fix: Fix
    probably: bool = True

    def beside(self, allowing: Fix) -> tuple[Fix, ...]:
        """Both fixes, in the order in which to try them."""
        return (self.fix, allowing) if self.probably else (allowing, self.fix)


class _Idea(NamedTuple):
    """A change that may be all that is missing."""

    clause: str
    policy: NetworkPolicy
    path: str
    text: str
    change: Change
    about: Namespace | None = None


def rule_meant(found: Denial, cluster: Cluster, allowed: Holds | None = None) -> MeantRule | None:
    """None where no single change of this kind allows the connection. allowed: what has to hold then, where that is not
    the whole connection."""

    def holds(after: Cluster) -> bool:
        return found.source is not None and denial(found.source, (found.target,), after) is None

    for idea in sorted(_ideas(found, cluster), key=lambda idea: idea.about is not None):
        trial = prove(idea.change, cluster, allowed or holds)
        if trial.holds:
            changed = idea.about if idea.about is not None else idea.policy
            fix = proven(Fix(idea.text, command_line(idea.change, changed)), trial)
            probably = idea.about is None
            means = "was probably meant for this connection" if probably else "would match with another label"
            return MeantRule(idea.clause, quote(idea.policy, idea.path, means), fix, probably)
    return None


def _ideas(found: Denial, cluster: Cluster) -> Iterator[_Idea]:
    isolated = found.isolated
    if isolated is None:
        return
    for policy in cluster.maybe.all(NetworkPolicy, isolated.namespace):
        types = policy.spec.policy_types or ((INGRESS, EGRESS) if policy.spec.egress else (INGRESS,))
        if found.direction not in types:
            continue
        if not _matches(policy.spec.pod_selector, isolated.labels):
            yield from _of_subject(policy, isolated, cluster)
            continue
        yield from _of_peers(policy, found, cluster)
        yield from _of_ports(policy, found)


def _of_subject(policy: NetworkPolicy, isolated: Pod, cluster: Cluster) -> Iterator[_Idea]:
    """It selects no pod, but for a typing error the one that is isolated."""
    near = _near(policy.spec.pod_selector, isolated.labels)
    pods = cluster.maybe.all(Pod, policy.namespace)
    if (
        near is None
        or _is_blind(cluster)
        or any(_matches(policy.spec.pod_selector, pod.labels) for pod in pods if not finished(pod))
    ):
        return
    change = edit(ref(policy), *labels_instead(("spec", "podSelector", "matchLabels"), near))
    yield _Idea(
        f"{ref(policy).title} would allow it, but its podSelector matches no pod; did you mean {near.text}?",
        policy,
        "spec.podSelector",
        f"Change podSelector of {ref(policy).title} to {near.text}",
        change,
    )


def _of_peers(policy: NetworkPolicy, found: Denial, cluster: Cluster) -> Iterator[_Idea]:
    """A peer that matches nothing, and is like the other end."""
    other = found.other
    if other is None:
        return
    side, field = ("egress", "to") if found.direction == EGRESS else ("ingress", "from")
    spaces, pods = cluster.maybe.all(Namespace), cluster.maybe.all(Pod)
    if _is_blind(cluster):
        return
    for at, (peers, _) in enumerate(_rules(policy, found.direction)):
        for number, peer in enumerate(peers):
            path = f"spec.{side}[{at}].{field}[{number}]"
            place = ("spec", side, at, field, number)
            rule = f"{side} rule {at + 1} of {ref(policy).title}"
            near = _near(peer.pod_selector, other.labels)
            if near is not None and not any(_matches(peer.pod_selector, pod.labels) for pod in pods):
                yield _Idea(
                    f"{rule} selects pods that do not exist; did you mean {near.text}?",
                    policy,
                    f"{path}.podSelector",
                    f"Change podSelector of {rule} to {near.text}",
                    edit(ref(policy), *labels_instead((*place, "podSelector", "matchLabels"), near)),
                )
            wanted = peer.namespace_selector
            if wanted is None or any(_matches(wanted, space.labels) for space in spaces):
                continue
            space = next((space for space in spaces if space.name == other.namespace), None)
            labels = labels_of(other.namespace, cluster)
            near = _near(wanted, labels)
            if near is not None:
                yield _Idea(
                    f"{rule} selects namespaces that do not exist; did you mean {near.text}?",
                    policy,
                    f"{path}.namespaceSelector",
                    f"Change namespaceSelector of {rule} to {near.text}",
                    edit(ref(policy), *labels_instead((*place, "namespaceSelector", "matchLabels"), near)),
                )
            elif space is not None and len(wanted.match_labels or {}) == 1 and not wanted.match_expressions:
                (key, value), *_ = (wanted.match_labels or {}).items()
                if key in labels or key in _NAMES_ITS_NAMESPACE:
                    continue
                clause = f"{rule} selects namespaces labelled {key}={value}, and no Namespace has this label"
                text = f"If Namespace {space.name} belongs to these, label it with {key}={value}"
                label = put(ref(space), ("metadata", "labels", key), value)
                yield _Idea(clause, policy, f"{path}.namespaceSelector", text, label, space)


def _of_ports(policy: NetworkPolicy, found: Denial) -> Iterator[_Idea]:
    """A rule names a port that the pod does not have."""
    pod = found.target.pod
    if pod is None:
        return
    side = "egress" if found.direction == EGRESS else "ingress"
    names = {port.name for _, port in declared_ports(pod) if port.name}
    for at, (_, ports) in enumerate(_rules(policy, found.direction)):
        for number, port in enumerate(ports):
            if (
                not isinstance(port.port, str)
                or port.port in names
                or (port.protocol or "TCP") != found.target.protocol
            ):
                if _is_of_the_service(port, found):
                    yield _Idea(
                        f"{side} rule {at + 1} of {ref(policy).title} allows port {port.port} of {found.target.title}, and"
                        f" policies apply to the port of its pods, {found.target.port}",
                        policy,
                        f"spec.{side}[{at}].ports[{number}].port",
                        f"Change port {port.port} of {side} rule {at + 1} to {found.target.port}",
                        put(ref(policy), ("spec", side, at, "ports", number, "port"), found.target.port),
                    )
                continue
            near = next(iter(misspellings(port.port, names)), "")
            right: str | int = near or found.target.port
            yield _Idea(
                f"{side} rule {at + 1} of {ref(policy).title} allows port {port.port}, and no container of"
                f" {ref(pod).title} has a port of this name{f'; did you mean {near}?' if near else ''}",
                policy,
                f"spec.{side}[{at}].ports[{number}].port",
                f"Change port {port.port} of {side} rule {at + 1} to {right}",
                put(ref(policy), ("spec", side, at, "ports", number, "port"), right),
            )


def _is_of_the_service(port: NetworkPolicyPort, found: Denial) -> bool:
    """Whether it is the number by which the program calls the Service."""
    service = found.target.service
    if service is None or port.end_port or port.port == found.target.port:
        return False
    return any(
        entry.port == port.port and (entry.protocol or "TCP") == (port.protocol or "TCP") == found.target.protocol
        for entry in service.spec.ports or ()
    )


def address_allowed(found: Denial, cluster: Cluster) -> tuple[str, Evidence] | None:
    """A rule that allows the address of the Service, and not those of its pods: a clause, and the rule."""
    service, isolated = found.target.service, found.isolated
    if service is None or isolated is None or found.direction != EGRESS:
        return None
    addresses = [address for text in cluster_ips(service) if (address := address_of(text)) is not None]
    for policy in cluster.maybe.all(NetworkPolicy, isolated.namespace):
        if not _matches(policy.spec.pod_selector, isolated.labels):
            continue
        for at, (peers, _) in enumerate(_rules(policy, EGRESS)):
            for number, peer in enumerate(peers):
                network = network_of(peer.ip_block.cidr) if peer.ip_block is not None else None
                if network is not None and any(address in network for address in addresses):
                    clause = (
                        f"egress rule {at + 1} of {ref(policy).title} allows {network}, which has the address of"
                        f" {found.target.title}, and policies apply to the pods behind it"
                    )
                    path = f"spec.egress[{at}].to[{number}].ipBlock.cidr"
                    return clause, quote(policy, path, "has the address of the Service")
    return None


def _rules(policy: NetworkPolicy, direction: str) -> list[tuple[Peers, Ports]]:
    if direction == EGRESS:
        return [(rule.to or (), rule.ports or ()) for rule in policy.spec.egress or ()]
    return [(rule.from_ or (), rule.ports or ()) for rule in policy.spec.ingress or ()]


def _is_blind(cluster: Cluster) -> bool:
    """That nothing matches a selector is not known where objects were not seen."""
    return any(gap.kind in ("Pod", "Namespace") for gap in cluster.gaps)


def _near(selector: LabelSelector | None, labels: Mapping[str, str]) -> NearMiss | None:
    """The labels that a selector was probably meant to have; None where it has more than labels."""
    if selector is None or not selector.match_labels or selector.match_expressions:
        return None
    return nearest_labels(selector.match_labels, [labels])


def _matches(selector: LabelSelector | None, labels: Mapping[str, str] | None) -> bool:
    return selector is None or selector_in(selector).matches(labels or {})
