"""A rolling update replayed to its end: a pod becomes available once a node fits it
(`pkg/controller/deployment/rolling.go`, v1.37)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from kubedoctor.cluster.kinds.apps import Deployment
from kubedoctor.cluster.kinds.pods import Pod, PodStatus
from kubedoctor.replay.scheduler.counterfactuals.applying import Situation
from kubedoctor.replay.scheduler.snapshot import ClusterState
from kubedoctor.replay.workloads.rolling_update import fences

MOST_LOOKS: Final = 20_000
"""Nodes that the replay of a rollout may look at."""


def without_pods(state: ClusterState, pods: Iterable[Pod]) -> ClusterState:
    """The scheduler's state without these pods."""
    gone = {(pod.namespace, pod.name) for pod in pods}
    for node in state.nodes:
        leaving = [info for info in node.pods if (info.pod.namespace, info.pod.name) in gone]
        if leaving:
            state = state.with_node(node.without(leaving))
    return state


def completes(deployment: Deployment, new_pod: Pod, old: Sequence[Pod], state: ClusterState) -> bool:
    """Whether the rollout reaches its end.

    new_pod: a pod of the new revision. state: with all old pods and without any new one. False too where the cluster is
    too large to replay it.
    """
    desired, allowed = deployment.spec.desired_replicas, fences(deployment)
    if desired * len(state.nodes) > MOST_LOOKS:
        return False
    pending = replace(new_pod, spec=replace(new_pod.spec, node_name=""), status=PodStatus(phase="Pending"))
    left, placed, waiting = list(old), 0, 0
    while placed < desired or left:
        waiting += max(0, min(desired - placed - waiting, desired + allowed.surge - len(left) - placed - waiting))
        before = placed
        while waiting and (places := Situation(pending, state).feasible()):
            state = state.with_pod(replace(pending, spec=replace(pending.spec, node_name=places[0])), places[0])
            placed, waiting = placed + 1, waiting - 1
        most = len(left) + placed - (desired - allowed.unavailable)
        leaving = left[: max(0, min(most, len(left)))]
        if not leaving and placed == before:
            return False
        state, left = without_pods(state, leaving), left[len(leaving) :]
    return True
