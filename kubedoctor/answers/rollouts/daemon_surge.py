"""DaemonSets that add the new pod of a node before the old one ends (`maxSurge`), where a node has room for one of them."""

from __future__ import annotations

from kubedoctor.answers.proof import prove, proven
from kubedoctor.answers.rollouts.own_pods import WaitingPods, waiting_for
from kubedoctor.cluster.changes import Change, Step, edit
from kubedoctor.cluster.kinds.apps import DaemonSet
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.relations.workloads import pods_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished, terminating, unscheduled
from kubedoctor.findings.commands import command_line
from kubedoctor.findings.model import Effect, Fix
from kubedoctor.replay.scheduler.counterfactuals.applying import Situation
from kubedoctor.replay.workloads.daemon_sets import node_of, surges
from kubedoctor.replay.workloads.rollout_course import without_pods

_ROLLING = ("spec", "updateStrategy", "rollingUpdate")


def blocked_by_old_daemon(daemon_set: DaemonSet, cluster: Cluster) -> WaitingPods | None:
    """A new pod whose node fits it only without the old pod of the same DaemonSet; None where there is none, or where
    that is not known. `pending`: all new pods without a node."""
    if not surges(daemon_set) or daemon_set.status.observed_generation < daemon_set.metadata.generation:
        return None
    pods = [pod for pod in pods_of(daemon_set, cluster) if not (finished(pod) or terminating(pod))]
    pending = tuple(pod for pod in pods if unscheduled(pod) and not pod.spec.scheduling_gates)
    for pod in pending:
        old = tuple(other for other in pods if other.spec.node_name and other.spec.node_name == node_of(pod))
        if old and (waits := waiting_for((pod,), old, cluster)) is not None:
            return WaitingPods(pod, pending, old, waits.answer, waits.freed)
    return None


def old_daemon_first(daemon_set: DaemonSet, waits: WaitingPods, cluster: Cluster) -> Fix:
    """The old pod of a node ends before the new one is created."""

    def holds(after: Cluster) -> bool:
        changed = after.get(DaemonSet, daemon_set.namespace, daemon_set.name)
        if changed is None or surges(changed):
            return False
        return bool(Situation(waits.pod, without_pods(waits.answer.state, waits.old)).feasible())

    change = _no_surge(daemon_set)
    fix = Fix(
        "Set maxSurge to 0 and maxUnavailable to 1: the old pod of a node then ends before the new one is created",
        command_line(change, daemon_set),
        Effect.DISRUPTS,
    )
    return proven(fix, prove(change, cluster.maybe, holds))


def _no_surge(daemon_set: DaemonSet) -> Change:
    return edit(ref(daemon_set), Step((*_ROLLING, "maxSurge"), 0), Step((*_ROLLING, "maxUnavailable"), 1))
