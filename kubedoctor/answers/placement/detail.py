"""The outcome in words: every node's blockers, the effect of preemption, and whether the scheduler's message
matches."""

from __future__ import annotations

from typing import Final

from kubedoctor.answers.placement.explaining.case import names
from kubedoctor.answers.placement.outcome import agreement_lines, other_scheduler_lines, preemption_lines, sentences
from kubedoctor.answers.placement.reasons import PRE_FILTER, group_reasons
from kubedoctor.cluster import Pod
from kubedoctor.cluster.grammar.text import LIST_ITEM
from kubedoctor.replay.scheduler.many.grouping import NodeVerdictGroup
from kubedoctor.replay.scheduler.memos import Memo
from kubedoctor.replay.scheduler.pending import PendingAnswer

_TABLES: Final = Memo[None, tuple[tuple[NodeVerdictGroup, ...], str]]()
MOST_GROUPS = 8
MOST_NAMES = 3
CORDON_TAINT = "node.kubernetes.io/unschedulable:NoSchedule"


def table(answer: PendingAnswer) -> str:
    """A line for each group of nodes, the closest match first; empty where no node was examined. The table of the
    previous pod is cached: pods of one workload follow each other and have the same table."""
    if not answer.groups:
        return ""
    cached = _TABLES.of(answer.state)
    if None not in cached or cached[None][0] is not answer.groups:
        cached[None] = answer.groups, _table(answer)
    return cached[None][1]


def _table(answer: PendingAnswer) -> str:
    fits = "fits, apart from its resource claims" if answer.verdict.unreplayed else "fits"
    lines = [f"{LIST_ITEM}{_names(group)}: {_group_text(group) or fits}" for group in answer.groups[:MOST_GROUPS]]
    if more := answer.groups[MOST_GROUPS:]:
        lines.append(f"{LIST_ITEM}and {sum(len(group.nodes) for group in more)} more nodes")
    return "\n".join(("What blocks each node, closest match first:", *lines))


def _names(group: NodeVerdictGroup) -> str:
    """The closest nodes, and the number of the others."""
    first = ", ".join(node.node for node in group.nodes[:MOST_NAMES])
    more = len(group.nodes) - MOST_NAMES
    return f"{first} and {more} more" if more > 0 else first


def _group_text(group: NodeVerdictGroup) -> str:
    """Without the parts that other blockers of the nodes repeat."""
    reasons = group_reasons(group, figures=True)
    if "NodeUnschedulable" in reasons:
        reasons = {title: text for title, text in reasons.items() if text != f"taint {CORDON_TAINT}"}
    if len(reasons) > 1:
        reasons.pop(PRE_FILTER, None)
    return "; ".join(reasons.values())


def agreement(answer: PendingAnswer) -> str:
    """Whether the scheduler's message matches; empty where there is none."""
    if answer.said is None:
        return ""
    return sentences((*agreement_lines(answer, quoted=False), *other_scheduler_lines(answer.pod)))


def preemption(answer: PendingAnswer) -> str:
    """Whether preemption would help, and which pods it would evict."""
    return sentences(preemption_lines(answer), "preemption")


def ending_on_nominated(pod: Pod, answer: PendingAnswer) -> tuple[Pod, ...]:
    """The pods that must end on the node that is reserved for it."""
    info = answer.state.node_by_name.get(pod.status.nominated_node_name)
    return (
        tuple(pod_info.pod for pod_info in info.pods if pod_info.pod.metadata.deletion_timestamp is not None)
        if info
        else ()
    )


def waits_for(pod: Pod, answer: PendingAnswer) -> str:
    """A node is reserved and pods must end there first, or the node no longer exists."""
    node = pod.status.nominated_node_name
    if node and node not in answer.state.node_by_name and "Node" not in answer.unseen:
        return f"The scheduler reserved node {node} for it, which no longer exists."
    ending = ending_on_nominated(pod, answer)
    if not ending:
        return ""
    pod_names = names(f"{pod_ending.namespace}/{pod_ending.name}" for pod_ending in ending)
    return f"The scheduler reserved node {node} for it: it waits there until {pod_names} ends."
