"""The evidence for a pod that fits on no node: the scheduler, the facts, the nearest node, what changed since; and
where to look next."""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.answers.placement.detail import ending_on_nominated
from kubedoctor.answers.placement.explaining.case import Case, Explanation
from kubedoctor.answers.placement.priority import class_evidence, helpful
from kubedoctor.answers.placement.reasons import amount
from kubedoctor.cluster import Evidence, Pod, has_path, quote
from kubedoctor.findings import Command, kubectl, own_command
from kubedoctor.replay.scheduler.pending import PendingAnswer
from kubedoctor.replay.scheduler.said.self_check import Said

MESSAGE = "status.conditions[type=PodScheduled].message"


def words(pod: Pod, said: Said) -> Evidence:
    """The scheduler's own message."""
    if said.event is not None:
        return quote(said.event, "message", "the scheduler's message")
    return quote(pod, MESSAGE, "the scheduler's message")


def evidence(case: Case, said: Said, facts: list[Explanation]) -> tuple[Evidence, ...]:
    """Each path once."""
    quoted = [words(case.pod, said), *(item for fact in facts for item in fact.evidence)]
    if case.answer is not None:
        quoted += _nearest(case.answer)
        quoted += _nominated(case.pod, case.answer)
        quoted += _gone(case.answer)
        quoted += class_evidence(helpful(case))
    return tuple({(item.object, item.path): item for item in reversed(quoted)}.values())[::-1]


def _nominated(pod: Pod, answer: PendingAnswer) -> Iterator[Evidence]:
    """The node that is reserved for the pod, and the pods that end there."""
    if has_path(pod, "status.nominatedNodeName"):
        exists = pod.status.nominated_node_name in answer.state.node_by_name or "Node" in answer.unseen
        shows = "the node that is reserved for it" if exists else "was reserved for it; no such node exists"
        yield quote(pod, "status.nominatedNodeName", shows)
    for ending in ending_on_nominated(pod, answer)[:2]:
        yield quote(ending, "metadata.deletionTimestamp", "is being deleted there")


def _gone(answer: PendingAnswer) -> Iterator[Evidence]:
    """Objects that still name nodes removed since the scheduler's message."""
    for trace in answer.comparison.nodes.traces[:3]:
        if has_path(trace.object, trace.path):
            yield quote(trace.object, trace.path, f"still names node {trace.node}, which does not exist")


def _nearest(answer: PendingAnswer) -> Iterator[Evidence]:
    """The fields of the nearest node that decide."""
    if not answer.groups or not answer.groups[0].blockers:
        return
    node = answer.state.node_by_name[answer.groups[0].names[0]].node
    for blocker in answer.groups[0].blockers:
        paths = {
            "TaintToleration": (("spec.taints", "not tolerated by the pod"),),
            "NodeUnschedulable": (("spec.unschedulable", "cordoned: accepts no new pods"),),
            "NodeResourcesFit": tuple(
                (
                    f"status.allocatable[{short.resource}]",
                    f"of which {amount(short.resource, short.used)} are in use",
                )
                for short in blocker.status.shortages
            ),
        }.get(blocker.plugin, ())
        for path, shows in paths:
            if has_path(node, path):
                yield quote(node, path, shows)


def commands(pod: Pod) -> tuple[Command, ...]:
    """Where to look next."""
    return (
        Command(
            own_command("why-pending", pod.name, namespace=pod.namespace), "every node, and the effect of a change"
        ),
        Command(
            kubectl("describe", "pod", pod.name, namespace=pod.namespace), "the scheduler's message and the requests"
        ),
        Command("kubectl get nodes -o wide --show-labels", "the nodes with status and labels"),
    )
