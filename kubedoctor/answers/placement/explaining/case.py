"""A pod that fits no node, and the nodes that reject it: the input for the facts of the diagnostic unschedulable."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import cached_property
from operator import attrgetter
from typing import Final, TypeVar

import msgspec

from kubedoctor.cluster import Cluster, Node, Pod, Ref
from kubedoctor.cluster.changes import Step, edit
from kubedoctor.cluster.grammar.text import listed
from kubedoctor.cluster.relations.workloads import template_of, template_path
from kubedoctor.findings import Evidence, Fix
from kubedoctor.findings.commands import command_line
from kubedoctor.replay.scheduler.framework import Obstacle, Reason, Shortage, Status
from kubedoctor.replay.scheduler.many.grouping import NodeVerdictGroup
from kubedoctor.replay.scheduler.memos import Memo
from kubedoctor.replay.scheduler.pending import PendingAnswer
from kubedoctor.replay.scheduler.snapshot import NodeInfo
from kubedoctor.replay.scheduler.well_known import HOSTNAME

NODE_TROUBLE = frozenset(
    f"node.kubernetes.io/{name}"
    for name in ("not-ready", "unreachable", "disk-pressure", "memory-pressure", "pid-pressure", "network-unavailable")
)


class Explanation(msgspec.Struct, frozen=True):
    """What the objects show beyond one reason. `blames`: the objects at fault. `settles`: its fixes, not another place for
    the pod, are what helps."""

    text: str
    evidence: tuple[Evidence, ...] = ()
    fixes: tuple[Fix, ...] = ()
    blames: tuple[Ref, ...] = ()
    detail: str = ""
    minor: bool = False
    settles: bool = False


class RefusedNode(msgspec.Struct, frozen=True, gc=False):
    """A node that the scheduler counts under a reason, and the verdict that it is counted for."""

    info: NodeInfo
    status: Status

    @property
    def node(self) -> Node:
        return self.info.node

    @property
    def name(self) -> str:
        return self.info.name

    def shortage(self, resource: str) -> Shortage | None:
        """How much of a resource is missing; `pods` is the number of pods."""
        for shortage in self.status.shortages:
            if shortage.resource == resource:
                return shortage
        return None


_NAME: Final = attrgetter("node")
_STATUS: Final = attrgetter("first.status")
_Refusals = dict[tuple[Obstacle, str], list[RefusedNode]]
_REFUSALS: Final = Memo[None, tuple[tuple[NodeVerdictGroup, ...], _Refusals]]()
_NODES: Final = Memo[None, tuple[Node, ...]]()
_LABELS: Final = Memo[None, frozenset[tuple[str, str]]]()
_NAMES: Final = Memo[None, frozenset[str]]()
_KINDS_OF_LABELS: Final = Memo[None, tuple[Mapping[str, str], ...]]()
KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


class Case(msgspec.Struct, frozen=True, dict=True):
    """The pod, its workload, and the replay; `answer` is None where nodes or pods cannot be read."""

    pod: Pod
    cluster: Cluster
    workload: Ref
    answer: PendingAnswer | None

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes that were seen."""
        answer = self.answer
        return self.kept(_NODES, None, lambda: tuple([info.node for info in answer.state.nodes])) if answer else ()

    @cached_property
    def _refusals(self) -> _Refusals:
        """The refusals of the previous pod are cached: pods of one workload follow each other and have the same
        refusals."""
        if self.answer is None:
            return {}
        cached, groups = _REFUSALS.of(self.answer.state), self.answer.groups
        if None not in cached or cached[None][0] is not groups:
            cached[None] = groups, _by_reason(self.answer)
        return cached[None][1]

    def refused(self, reason: Reason) -> tuple[RefusedNode, ...]:
        """The nodes that the replay counts under this reason, the closest match first."""
        return tuple(
            refusal
            for (obstacle, detail), refusals in self._refusals.items()
            if obstacle is reason.obstacle and (not reason.detail or not detail or detail == reason.detail)
            for refusal in refusals
        )

    @property
    def labels(self) -> frozenset[tuple[str, str]]:
        """Every label that some node carries."""
        return self.kept(_LABELS, None, lambda: _all_labels(self.nodes))

    @property
    def names(self) -> frozenset[str]:
        """The names of nodes, and their host names."""
        return self.kept(_NAMES, None, lambda: _all_names(self.nodes))

    @property
    def kinds_of_labels(self) -> tuple[Mapping[str, str], ...]:
        """The different sets of labels; nodes that differ only by their host name count as one."""
        return self.kept(_KINDS_OF_LABELS, None, lambda: _kinds_of_labels(self.nodes))

    def kept(self, memo: Memo[KeyT, ValueT], key: KeyT, work_out: Callable[[], ValueT]) -> ValueT:
        """A result about the nodes, computed once for all pods."""
        return memo.kept(self.answer.state, key, work_out) if self.answer is not None else work_out()

    def kept_for_nodes(
        self,
        memo: Memo[Hashable, ValueT],
        nodes: Iterable[Node | RefusedNode],
        *about: Hashable,
        of: Callable[[], ValueT],
    ) -> ValueT:
        """A result about many nodes, computed once for all pods; `about`: what else it depends on."""
        return self.kept(memo, (tuple([node.name for node in nodes]), *about), of)

    def fix_of_template(self, summary: str, *steps: Step) -> Fix:
        """A fix that changes the pod template of the workload, with paths from the pod's spec; without a command where
        the template cannot be changed."""
        workload = self.cluster.maybe.get_ref(self.workload)
        if workload is None or template_of(workload) is None or self.workload.kind in ("Job", "Pod"):
            return Fix(summary)
        prefix = template_path(workload).split(".")
        moved = (msgspec.structs.replace(step, path=(*prefix, *step.path)) for step in steps)
        return Fix(summary, command_line(edit(self.workload, *moved), workload))


def _by_reason(answer: PendingAnswer) -> _Refusals:
    by_reason: _Refusals = {}
    nodes = answer.state.node_by_name
    for group in answer.groups:
        first = group.nodes[0].first
        if first is None:
            continue
        # All nodes of a group share the reported reasons. Without a comprehension: it is the longest loop of a report.
        there, statuses = map(_NAME, group.nodes), map(_STATUS, group.nodes)
        refusals = list(map(RefusedNode, map(nodes.__getitem__, there), statuses))
        for reason in first.status.reasons:
            by_reason.setdefault((reason.obstacle, reason.detail), []).extend(refusals)
    return by_reason


def _all_labels(nodes: Iterable[Node]) -> frozenset[tuple[str, str]]:
    return frozenset(pair for node in nodes for pair in node.labels.items())


def _all_names(nodes: Iterable[Node]) -> frozenset[str]:
    return frozenset(name for node in nodes for name in (node.name, node.labels.get(HOSTNAME)) if name)


def _kinds_of_labels(nodes: Iterable[Node]) -> tuple[Mapping[str, str], ...]:
    by_labels: dict[frozenset[tuple[str, str]], Mapping[str, str]] = {}
    for node in nodes:
        by_labels.setdefault(frozenset(pair for pair in node.labels.items() if pair[0] != HOSTNAME), node.labels)
    return tuple(by_labels.values())


def some(count: int | None, singular: str, plural: str) -> str:
    """`3 are cordoned`, `1 is cordoned`; without a count what is true of all."""
    if count is None:
        return f"all {plural}"
    return f"{count} {singular if count == 1 else plural}"


def names(words: Iterable[str], limit: int = 3) -> str:
    """`a, b, c and 4 more`, each once."""
    return listed(dict.fromkeys(words), limit)
