"""One node in full: what the pod requests, what the node has, and what blocks it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from kubedoctor.answers.placement.reasons import amount, plugin_title, short_reason
from kubedoctor.cluster.grammar.selectors import CompiledNodeSelector
from kubedoctor.cluster.grammar.tolerations import tolerates
from kubedoctor.cluster.kinds.affinity import NodeSelectorRequirement, NodeSelectorTerm, Toleration
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.many.grouping import objections_of
from kubedoctor.replay.scheduler.pending import PendingAnswer
from kubedoctor.replay.scheduler.plugins.required_node_affinity import required_terms
from kubedoctor.replay.scheduler.plugins.taint_toleration import taint_text
from kubedoctor.replay.scheduler.requests import counted, pod_requests
from kubedoctor.replay.scheduler.snapshot import NodeInfo


class FilterRejection(msgspec.Struct, frozen=True):
    """A filter that rejects the node: in a few words, and in the scheduler's words. hopeless: preemption would not
    help."""

    filter: str
    short: str
    reasons: tuple[str, ...]
    hopeless: bool


class ResourceLine(msgspec.Struct, frozen=True):
    """One resource: cpu in thousandths, memory and storage in bytes."""

    resource: str
    request: int
    used: int
    allocatable: int

    @property
    def free(self) -> int:
        return self.allocatable - self.used

    @property
    def missing(self) -> int:
        """0 where there is enough."""
        return max(0, self.request - self.free) if self.request else 0

    def text(self, number: int) -> str:
        return amount(self.resource, number)


class TaintLine(msgspec.Struct, frozen=True):
    """A taint and the toleration that matches it; empty where none does. forbids: it keeps new pods away."""

    taint: str
    toleration: str
    forbids: bool


class LabelLine(msgspec.Struct, frozen=True):
    """A required label, the node's value (None: no such label), and whether the value matches. term: all requirements
    of one term must be met, and one of several terms is enough; 0 for nodeSelector."""

    wanted: str
    present: str | None
    met: bool
    term: int = 0


class NodeInFull(msgspec.Struct, frozen=True):
    """Everything about one node and one pod."""

    node: str
    objections: tuple[FilterRejection, ...]
    resources: tuple[ResourceLine, ...]
    taints: tuple[TaintLine, ...]
    labels: tuple[LabelLine, ...]
    cordoned: bool

    @property
    def fits(self) -> bool:
        return not self.objections


def node_in_full(answer: PendingAnswer, name: str) -> NodeInFull | None:
    """The details of one node in a replay; None where there is no such node."""
    node = answer.state.node_by_name.get(name)
    if node is None:
        return None
    verdict = next((node_verdict for node_verdict in answer.verdict.nodes if node_verdict.node == name), None)
    if verdict is not None:
        rejections = objections_of(verdict)
    else:
        whole = answer.verdict.pre_enqueue or answer.verdict.pre_filter
        rejections = (whole,) if whole is not None else ()
    objections = tuple(
        FilterRejection(
            plugin_title(rejection),
            short_reason(rejection),
            rejection.status.texts,
            rejection.status.code.value != "Unschedulable",
        )
        for rejection in rejections
    )
    return NodeInFull(
        node=name,
        objections=objections,
        resources=tuple(_resources(answer.pod, node)),
        taints=tuple(_taints(answer.pod, node)),
        labels=tuple(_labels(answer.pod, node)),
        cordoned=node.node.spec.unschedulable,
    )


def _resources(pod: Pod, node: NodeInfo) -> Iterator[ResourceLine]:
    requested = counted(pod_requests(pod.spec))
    first = ("cpu", "memory", "ephemeral-storage")
    for name in (*first, *sorted(set(requested) - set(first))):
        if name in ("cpu", "memory") or requested.get(name):
            line = ResourceLine(
                name, requested.get(name, 0), node.requested.get(name, 0), node.allocatable.get(name, 0)
            )
            yield line
    yield ResourceLine("pods", 1, len(node.pods), node.most_pods)


def _taints(pod: Pod, node: NodeInfo) -> Iterator[TaintLine]:
    for taint in node.node.spec.taints or ():
        answered = next((toleration for toleration in pod.spec.tolerations or () if tolerates(toleration, taint)), None)
        yield TaintLine(
            taint_text(taint),
            toleration_text(answered) if answered is not None else "",
            taint.effect in ("NoSchedule", "NoExecute"),
        )


def toleration_text(toleration: Toleration) -> str:
    """The toleration in the notation of a taint: `key=value:Effect`; `any` where all keys are tolerated."""
    value = f"={toleration.value}" if toleration.value else ""
    return f"{toleration.key or 'any'}{value}{f':{toleration.effect}' if toleration.effect else ''}"


def _labels(pod: Pod, node: NodeInfo) -> Iterator[LabelLine]:
    for key, value in sorted((pod.spec.node_selector or {}).items()):
        present = node.labels.get(key)
        yield LabelLine(f"{key}={value}", present, present == value)
    required = required_terms(pod)
    for number, term in enumerate((required.node_selector_terms if required else None) or (), start=1):
        for requirement in term.match_expressions or ():
            alone = NodeSelectorTerm(match_expressions=(requirement,))
            yield LabelLine(_requirement(requirement), node.labels.get(requirement.key), _meets(alone, node), number)
        for match_field in term.match_fields or ():
            alone = NodeSelectorTerm(match_fields=(match_field,))
            yield LabelLine(_requirement(match_field), node.name, _meets(alone, node), number)


def _meets(term: NodeSelectorTerm, node: NodeInfo) -> bool:
    return CompiledNodeSelector((term,)).matches(node.labels, node.name)


def _requirement(requirement: NodeSelectorRequirement) -> str:
    values = f" [{', '.join(requirement.values)}]" if requirement.values else ""
    return f"{requirement.key} {requirement.operator}{values}"
