"""Rollouts that wait for their own old pods: the new pod needs their place, and they wait for the new pod."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from kubedoctor.cluster.kinds.apps import Deployment, ReplicaSet
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.relations.workloads import pods_of, replica_sets_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.wants import CannotSee
from kubedoctor.cluster.triage import finished, ready, terminating, unscheduled
from kubedoctor.replay.autoscaling.view import autoscaler_view
from kubedoctor.replay.scheduler.counterfactuals.applying import Situation
from kubedoctor.replay.scheduler.cycle import Objection
from kubedoctor.replay.scheduler.pending import PendingAnswer, explain_pending
from kubedoctor.replay.scheduler.said.self_check import Agreement
from kubedoctor.replay.workloads.rolling_update import fences, old_pods_that_may_go
from kubedoctor.replay.workloads.rollout_course import without_pods

_TRUSTED = (Agreement.AGREES, Agreement.STALE, Agreement.NO_MESSAGE)


class WaitingPods(msgspec.Struct, frozen=True):
    """pod: of the new revision, without a node. old: the pods whose place it needs. answer: the replay of the pod.
    freed: the nodes that fit the pod once the old pods are gone."""

    pod: Pod
    pending: tuple[Pod, ...]
    old: tuple[Pod, ...]
    answer: PendingAnswer
    freed: tuple[str, ...]

    @property
    def objections(self) -> tuple[Objection, ...]:
        """Why those nodes reject the pod while the old pods run, each kind once."""
        first = {node.node: node.first for node in self.answer.verdict.nodes}
        found = [objection for name in self.freed if (objection := first.get(name)) is not None]
        found = found or [item for item in (self.answer.verdict.pre_filter,) if item is not None]
        return tuple({tuple(part.obstacle for part in item.status.reasons): item for item in found}.values())


class BlockedRollout(WaitingPods, frozen=True, kw_only=True):
    """Of a Deployment."""

    deployment: Deployment


def blocked_by_own_pods(deployment: Deployment, cluster: Cluster) -> BlockedRollout | None:
    """None where the rollout can go on, waits for something else, or where that is not known."""
    if deployment.status.observed_generation < deployment.metadata.generation or fences(deployment).unavailable:
        return None
    sets = replica_sets_of(deployment, cluster)
    if len(sets) < 2 or old_pods_that_may_go(deployment, sets[0], sets[1:]) > 0:
        return None
    new = [pod for pod in pods_of(sets[0], cluster) if not (finished(pod) or terminating(pod))]
    pending = tuple(pod for pod in new if unscheduled(pod) and not pod.spec.scheduling_gates)
    if not pending or any(not ready(pod) for pod in new if pod not in pending):
        return None
    old = tuple(_old_pods(sets[1:], cluster))
    waits = waiting_for(pending, old, cluster) if old else None
    if waits is None:
        return None
    return BlockedRollout(waits.pod, waits.pending, waits.old, waits.answer, waits.freed, deployment=deployment)


def _old_pods(sets: tuple[ReplicaSet, ...], cluster: Cluster) -> Iterator[Pod]:
    for item in sets:
        yield from (pod for pod in pods_of(item, cluster) if pod.spec.node_name and not finished(pod))


def waiting_for(pending: tuple[Pod, ...], old: tuple[Pod, ...], cluster: Cluster) -> WaitingPods | None:
    """The first of the pending pods, if it fits a node once the old pods are gone, and none before."""
    pod = pending[0]
    cluster.together(lambda: explain_pending(pod, cluster), lambda: autoscaler_view(pod, cluster))
    try:
        answer = explain_pending(pod, cluster)
    except CannotSee:
        return None
    unsure = answer.agreement not in _TRUSTED or answer.unseen or answer.verdict.unreplayed or answer.verdict.failed
    if unsure or answer.verdict.feasible or autoscaler_view(pod, cluster).coming:
        return None
    leaving = [item for item in old if terminating(item)]
    state = without_pods(answer.state, leaving)
    if leaving and Situation(pod, state).feasible():
        return None
    staying = tuple(item for item in old if not terminating(item))
    freed = Situation(pod, without_pods(state, staying)).feasible()
    return WaitingPods(pod, pending, staying, answer, freed) if freed else None
