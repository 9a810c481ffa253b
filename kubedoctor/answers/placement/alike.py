"""Pods without a node of which a report says the same, so that a scan explains one of them for all."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final
from weakref import WeakKeyDictionary

from kubedoctor.answers.placement.no_scheduler import SOON
from kubedoctor.cluster.kinds.meta import condition
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.relations.templates import as_created
from kubedoctor.cluster.relations.workloads import controller_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import terminating
from kubedoctor.replay.autoscaling.view import autoscaler_view
from kubedoctor.replay.scheduler.pending import PendingAnswer, explain_pending
from kubedoctor.replay.scheduler.said.self_check import Agreement, compare, said_of

_ANSWERS: Final[WeakKeyDictionary[Cluster, dict[bytes, tuple[PendingAnswer, bool]]]] = WeakKeyDictionary()


def alike(pod: Pod, cluster: Cluster) -> Hashable:
    """Equal for pods that one controller created from one template, whose scheduler and autoscalers report the same,
    and with which time makes no difference. None for a pod without a controller, and where a node is reserved for it."""
    owner = controller_of(pod)
    if owner is None or pod.status.nominated_node_name or terminating(pod):
        return None
    template = as_created(pod)
    answers = _ANSWERS.setdefault(cluster, {})
    if template not in answers:
        answer = explain_pending(pod, cluster)
        answers[template] = answer, bool(answer.verdict.feasible)
    answer, fits = answers[template]
    said, view = said_of(pod, cluster), autoscaler_view(pod, cluster)
    comparison = compare(pod, said, answer.verdict, answer.preemption, answer.state, cluster)
    created, word, stated = pod.metadata.creation_timestamp, view.event, pod.status.conditions
    scheduled = condition(stated, "PodScheduled")
    stale = comparison.agreement is Agreement.STALE
    return (
        (owner, template, pod.status.phase),
        (scheduled.status, scheduled.reason) if scheduled is not None else None,
        (said.text, said.reason, said.event is None) if said is not None else None,
        (word.reason, word.message) if word is not None else None,
        created is None or cluster.taken_at - created < SOON,
        (view.coming, view.never_asked),
        (comparison.agreement, comparison.preemption, comparison.changed, comparison.nodes.joined),
        tuple([(trace.node, ref(trace.object), trace.path) for trace in comparison.nodes.traces]),
        said.at if said is not None and stale and fits else None,
    )
