"""Many nodes at once: nodes that are equivalent for a filter share its result."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from functools import cached_property
from typing import Any, Final

from kubedoctor.replay.scheduler.memos import Memo
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo
from kubedoctor.replay.scheduler.well_known import BETA_REGION, BETA_ZONE, HOSTNAME, REGION, ZONE

_ZONES: Final = (ZONE, REGION, BETA_ZONE, BETA_REGION)


class Grouping:
    """Nodes in groups; some filters give one result per group.

    numbers: for each node the number of its group. examples: one node of each group.
    """

    __slots__ = ("examples", "numbers")

    def __init__(self, keys: Iterable[Hashable], nodes: Sequence[NodeInfo]) -> None:
        numbers: dict[Hashable, int] = {}
        self.numbers = [numbers.setdefault(key, len(numbers)) for key in keys]
        first = dict(zip(reversed(self.numbers), reversed(nodes), strict=True))
        self.examples = [first[number] for number in range(len(numbers))]


class NodeClasses:
    """The classes of equivalent nodes in a state, so that a filter need not run for each node.

    individual: label keys whose values differ on almost every node. alike: all nodes in one group. each: each node in
    its own group. by_class: those with the same taints, cordon, declared features and labels except for the individual
    ones.
    memos: other ways to group them, by the filter that needs them.
    """

    def __init__(self, state: ClusterState) -> None:
        self.nodes = state.nodes
        self.names = [node.name for node in state.nodes]
        self.individual = _individual_keys(state)
        self.memos: dict[Memo[Any, Any], dict[Any, Any]] = {}
        self.alike = self.grouping([0] * len(state.nodes))
        self.each = self.grouping(range(len(state.nodes)))
        self.by_class = self.grouping(map(self._class_key, state.nodes))

    def grouping(self, keys: Iterable[Hashable]) -> Grouping:
        """By a key for each node, in the order of `nodes`."""
        return Grouping(keys, self.nodes)

    @cached_property
    def where(self) -> dict[tuple[str, str], list[int]]:
        """The nodes that have an individual label."""
        classes: dict[tuple[str, str], list[int]] = {}
        for number, node in enumerate(self.nodes):
            for key in self.individual:
                if (value := node.labels.get(key)) is not None:
                    classes.setdefault((key, value), []).append(number)
        return classes

    def by_label_values(self, labels: Iterable[tuple[str, str]]) -> Grouping:
        """By class, but nodes with one of these labels as an individual one are on their own."""
        special = [number for pair in labels if pair[0] in self.individual for number in self.where.get(pair, ())]
        if not special:
            return self.by_class
        keys = list(self.by_class.numbers)
        for number in special:
            keys[number] = ~number
        return self.grouping(keys)

    def by_labels(self, keys: Iterable[str]) -> Grouping:
        """For a filter that reads these labels: by class where nodes of a class cannot differ in them."""
        return self.by_class if self.individual.isdisjoint(keys) else self.each

    def _class_key(self, node: NodeInfo) -> Hashable:
        spec, individual = node.node.spec, self.individual
        labels = tuple([(key, None if key in individual else value) for key, value in node.labels.items()])
        return labels, spec.taints, spec.unschedulable, node.node.status.declared_features


def _individual_keys(state: ClusterState) -> frozenset[str]:
    values: dict[str, set[str]] = {}
    for node in state.nodes:
        for key, value in node.labels.items():
            values.setdefault(key, set()).add(value)
    many = len(state.nodes) / 2
    return frozenset(key for key, label_values in values.items() if len(label_values) > many and key not in _ZONES) | {
        HOSTNAME
    }
