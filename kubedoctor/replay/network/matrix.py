"""The connections between all pairs of parties at once.

Parties that no policy tells apart are one class, the peers of a rule one number whose bits are classes, and what a pod
has left is decided once for each set of rules that match: by `PolicySet.decide`, as for a single pair.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

import msgspec

from kubedoctor.cluster.grammar.label_requirements import Requirement
from kubedoctor.cluster.grammar.selectors import Selector
from kubedoctor.replay.network.parties import Party
from kubedoctor.replay.network.policies import EGRESS, INGRESS, Block, Compared, NetworkPolicyRule, Peer, Selected
from kubedoctor.replay.network.port_sets import EVERY_PORT, PortSet, union
from kubedoctor.replay.network.verdicts import PolicySet, PolicyTier


class ConnectivityMatrix(msgspec.Struct, frozen=True):
    """`rows[class of the source][class of the destination]`; `classes` has the class of each party."""

    parties: tuple[Party, ...]
    classes: tuple[int, ...]
    rows: tuple[tuple[PortSet, ...], ...]

    def at(self, source: int, destination: int) -> PortSet:
        """The connections from one party to another, by their places in `parties`."""
        pods = self.parties[source].pod, self.parties[destination].pod
        if pods[0] is not None and pods[0] == pods[1]:
            return EVERY_PORT
        return self.rows[self.classes[source]][self.classes[destination]]


def connectivity_matrix(policies: PolicySet, parties: Sequence[Party]) -> ConnectivityMatrix:
    """Every party with every other."""
    members: dict[Hashable, int] = {}
    by_address = _names_addresses(policies)
    classes = tuple(members.setdefault(_class_of(party, by_address), len(members)) for party in parties)
    first: dict[int, Party] = {}
    for party, number in zip(parties, classes, strict=True):
        first.setdefault(number, party)
    sketch = _Sketch(policies, tuple(first[number] for number in range(len(members))))
    return ConnectivityMatrix(tuple(parties), classes, tuple(sketch.rows()))


def _names_addresses(policies: PolicySet) -> bool:
    """Whether a rule has blocks of addresses, which tell pods of the same labels apart."""
    return any(isinstance(peer, Block) for rule in policies.rules for peer in rule.peers or ())


def _class_of(party: Party, by_address: bool) -> Hashable:
    if party.pod is None:
        return party.address, party.node
    return (
        party.pod.namespace,
        frozenset(party.labels.items()),
        frozenset(party.namespace_labels.items()),
        party.ports,
        party.address if by_address else None,
        party.node,
    )


class _Sketch:
    def __init__(self, policies: PolicySet, parties: tuple[Party, ...]) -> None:
        self._policies, self._parties = policies, parties
        self._everyone = (1 << len(parties)) - 1
        self._members = _Members(parties)
        self._masks: dict[int, int] = {}
        self._decided: dict[tuple[Hashable, ...], PortSet] = {}
        self._numbers = _Numbers()
        self._common = _Common(self._numbers)

    def rows(self) -> Iterator[tuple[PortSet, ...]]:
        inward = [self._spread(self._of_ingress(party)) for party in self._parties]
        for source, into in zip(self._parties, zip(*inward, strict=True), strict=True):
            outward = self._spread(self._of_egress(source))
            row = list(map(self._common.__getitem__, zip(outward, into, strict=True)))
            if source.on_node_network:
                for place, destination in enumerate(self._parties):
                    if destination.pod is not None and destination.node == source.node:
                        row[place] = self._numbers.sets[outward[place]]
            yield tuple(row)

    def _spread(self, groups: list[tuple[int, PortSet]]) -> list[int]:
        """The number of a set for each party; the largest group is filled in first."""
        groups = sorted(groups, key=lambda group: -group[0].bit_count())
        row = [self._numbers.of(groups[0][1])] * len(self._parties)
        for mask, ports in groups[1:]:
            number = self._numbers.of(ports)
            while mask:
                low = mask & -mask
                row[low.bit_length() - 1] = number
                mask ^= low
        return row

    def _of_ingress(self, party: Party) -> list[tuple[int, PortSet]]:
        stages = self._policies.stages(party, INGRESS)
        if not stages:
            return [(self._everyone, EVERY_PORT)]
        return [(mask, self._ports(stages, matching, party)) for matching, mask in self._groups(stages, party)]

    def _of_egress(self, party: Party) -> list[tuple[int, PortSet]]:
        """Names of ports mean what the destination says."""
        stages = self._policies.stages(party, EGRESS)
        if not stages:
            return [(self._everyone, EVERY_PORT)]
        found = []
        for matching, mask in self._groups(stages, party):
            if not any(rule.named for rule in matching):
                found.append((mask, self._ports(stages, matching, party)))
                continue
            alike: dict[frozenset[tuple[str, str, int]], int] = {}
            for place, other in enumerate(self._parties):
                if mask >> place & 1:
                    alike[other.ports] = alike.get(other.ports, 0) | 1 << place
            found += [(part, self._ports(stages, matching, Party(ports=ports))) for ports, part in alike.items()]
        return found

    def _groups(self, stages: tuple[PolicyTier, ...], party: Party) -> list[tuple[tuple[NetworkPolicyRule, ...], int]]:
        """The other ends, by the rules that match them."""
        groups: list[tuple[tuple[NetworkPolicyRule, ...], int]] = [((), self._everyone)]
        for stage in stages:
            for _, rule in stage.rules:
                mask = self._mask(rule, party)
                if not mask:
                    continue
                parts = []
                for matching, members in groups:
                    if members & mask:
                        parts.append(((*matching, rule), members & mask))
                    if members & ~mask:
                        parts.append((matching, members & ~mask))
                groups = parts
        return groups

    def _mask(self, rule: NetworkPolicyRule, subject: Party) -> int:
        if rule.peers is None:
            return self._everyone
        own = any(isinstance(peer, Compared) for peer in rule.peers)
        mask = None if own else self._masks.get(id(rule))
        if mask is None:
            mask = 0
            for peer in rule.peers:
                mask |= self._members.of(peer, subject)
            if not own:
                self._masks[id(rule)] = mask
        return mask

    def _ports(
        self, stages: tuple[PolicyTier, ...], matching: tuple[NetworkPolicyRule, ...], destination: Party
    ) -> PortSet:
        matched = {id(rule) for rule in matching}
        names = destination.ports if any(rule.named for rule in matching) else ()
        key = (id(stages), tuple(id(rule) for rule in matching), names)
        if (ports := self._decided.get(key)) is None:
            decisions = self._policies.decide(stages, destination, EVERY_PORT, lambda rule: id(rule) in matched)
            ports = union(decision.ports for decision in decisions if decision.allowed)
            self._decided[key] = ports
        return ports


class _Numbers:
    """Sets of ports by number: a number is compared faster than a set."""

    def __init__(self) -> None:
        self.sets: list[PortSet] = []
        self._known: dict[PortSet, int] = {}

    def of(self, ports: PortSet) -> int:
        number = self._known.setdefault(ports, len(self.sets))
        if number == len(self.sets):
            self.sets.append(ports)
        return number


class _Common(dict[tuple[int, int], PortSet]):
    """What two sets have in common, by their numbers, worked out when it is first asked for."""

    def __init__(self, numbers: _Numbers) -> None:
        self._numbers = numbers

    def __missing__(self, pair: tuple[int, int]) -> PortSet:
        first, second = pair
        common = self[pair] = self._numbers.sets[first] & self._numbers.sets[second]
        return common


class _Members:
    """Which parties a peer matches, as bits. Labels are looked up in an index, whatever else is asked of each party."""

    def __init__(self, parties: tuple[Party, ...]) -> None:
        self._parties = parties
        self._pods = self._where(lambda party: party.pod is not None)
        self._by_namespace: dict[str, int] = {}
        for place, party in enumerate(parties):
            if party.pod is not None:
                self._by_namespace[party.pod.namespace] = self._by_namespace.get(party.pod.namespace, 0) | 1 << place
        self._labels = _LabelIndex([party.labels for party in parties])
        self._space_labels = _LabelIndex([party.namespace_labels for party in parties])
        self._blocks: dict[Block, int] = {}

    def of(self, peer: Peer, subject: Party) -> int:
        if isinstance(peer, Block):
            if peer not in self._blocks:
                self._blocks[peer] = self._where(peer.matches)
            return self._blocks[peer]
        if not isinstance(peer, Selected):
            return self._where(lambda party: peer.matches(party, subject))
        spaces = (
            self._by_namespace.get(peer.namespace, 0)
            if peer.namespaces is None
            else self._space_labels.matching(peer.namespaces)
        )
        return self._pods & spaces & self._labels.matching(peer.pods)

    def _where(self, holds: Callable[[Party], bool]) -> int:
        return sum(1 << place for place, party in enumerate(self._parties) if holds(party))


class _LabelIndex:
    """Which of many sets of labels a selector matches, as bits."""

    def __init__(self, labels: Sequence[Mapping[str, str]]) -> None:
        self._all = (1 << len(labels)) - 1
        self._sets = labels
        self._with: dict[tuple[str, str], int] = {}
        self._known: dict[Requirement, int] = {}
        for place, found in enumerate(labels):
            for item in found.items():
                self._with[item] = self._with.get(item, 0) | 1 << place

    def matching(self, selector: Selector) -> int:
        mask = 0 if selector.selects_nothing else self._all
        for requirement in selector.requirements:
            mask &= self._meeting(requirement)
        return mask

    def _meeting(self, requirement: Requirement) -> int:
        mask = self._known.get(requirement)
        if mask is None:
            if requirement.operator in ("in", "=", "=="):
                mask = 0
                for value in requirement.values:
                    mask |= self._with.get((requirement.key, value), 0)
            else:
                mask = sum(1 << place for place, labels in enumerate(self._sets) if requirement.matches(labels))
            self._known[requirement] = mask
        return mask
