"""Autoscaler keeps a node that is hardly used.

## What it means
The cluster-autoscaler removes a node whose pods request less than half of its CPU and memory, if all of its pods may move.
Here one may not: the node stays, and is paid for. Nothing is broken by it.

## Why it happens
- A pod or the node carries the annotation that forbids it (`safe-to-evict: "false"`, `scale-down-disabled`).
- A pod has no controller that would create it again.
- A pod keeps data on the node (emptyDir, hostPath), and its volumes are not marked as safe to evict.
- A PodDisruptionBudget lets no pod be evicted.
- A pod of kube-system has no PodDisruptionBudget. Since 1.33 that keeps it for its first hour only.

## How to fix it
1. For data that may be lost: the annotation `cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes: VOLUME,…` in the
   pod template. For a pod that may move in any case: `safe-to-evict: "true"`.
2. Give a full PodDisruptionBudget room: more replicas, or a lower `minAvailable`.
3. Give pods of kube-system a PodDisruptionBudget.
4. Or leave it: a node for such pods may be intended.

## References
- https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final, NamedTuple

from kubedoctor.cluster import (
    Cluster,
    ConfigMap,
    Evidence,
    Node,
    Pod,
    PodDisruptionBudget,
    Volume,
    condition,
    counted,
    finished,
    listed,
    quote,
    ref,
    terminating,
)
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, kubectl
from kubedoctor.replay.autoscaling.status import NAME, NAMESPACE
from kubedoctor.replay.disruption.drains import MIRROR
from kubedoctor.replay.disruption.evictions import guards
from kubedoctor.replay.scheduler.requests import amounts, pod_requests
from kubedoctor.replay.scheduler.well_known import CONTROL_PLANE

_SAFE: Final = "cluster-autoscaler.kubernetes.io/safe-to-evict"
_SAFE_VOLUMES: Final = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"
_DISABLED: Final = "cluster-autoscaler.kubernetes.io/scale-down-disabled"
_HARDLY: Final = 0.5
"""`--scale-down-utilization-threshold`."""
_MOST: Final = 3
_JOINED: Final = timedelta(minutes=20)
"""`--scale-down-delay-after-add`, and `--scale-down-unneeded-time`."""
_KEPT_FOR: Final = timedelta(hours=1)
_SINCE: Final = 33
"""`--bsp-disruption-timeout`, of the cluster-autoscaler that goes with Kubernetes 1.33; before, there was no end."""


def may_be_removed(node: Node) -> bool:
    """Ready, and of a group of nodes as far as can be seen: those of the control plane are of none."""
    stated = condition(node.status.conditions, "Ready")
    if stated is None or stated.status != "True" or node.spec.unschedulable:
        return False
    return not any(label in node.labels for label in CONTROL_PLANE)


class _Keeper(NamedTuple):
    """A pod that the autoscaler does not move, why (`cluster-autoscaler/simulator/drainability`, 1.34), and what lets it
    move."""

    pod: Pod
    why: str
    evidence: Evidence
    fix: str


@diagnostic(
    code="KD1312",
    subject=Node,
    severity=Severity.NOTICE,
    reads=(ConfigMap, Pod, PodDisruptionBudget),
    when=may_be_removed,
    also_known_as=("cluster autoscaler does not scale down",),
    symptoms=("NoCandidates", "safe-to-evict", "scale-down-disabled"),
)
def node_not_removed(node: Node, cluster: Cluster) -> Iterator[Finding]:
    """Only where the autoscaler's status and the pods have been read anyway: it is not worth a request."""
    if not cluster.has_all(ConfigMap, NAMESPACE) or cluster.maybe.get(ConfigMap, NAMESPACE, NAME) is None:
        return
    created = node.metadata.creation_timestamp
    if created is None or cluster.taken_at - created < _JOINED:
        return
    pods = [pod for pod in cluster.pods_at_hand(node.name) if not finished(pod) and not terminating(pod)]
    movable = [pod for pod in pods if MIRROR not in (pod.metadata.annotations or {}) and not _of_a_daemon_set(pod)]
    share = _share(node, movable)
    if share is None or share >= _HARDLY:
        return
    path = f"metadata.annotations[{_DISABLED}]"
    if (node.metadata.annotations or {}).get(_DISABLED) == "true":
        why, evidence = "the node's own annotation forbids it", (quote(node, path, "it is never removed"),)
        yield _finding(node, share, why, evidence, ())
        return
    keepers = [keeper for pod in movable if (keeper := _keeper(pod, cluster)) is not None]
    if keepers:
        names = listed((f"{one.pod.namespace}/{one.pod.name} {one.why}" for one in keepers), _MOST)
        yield _finding(node, share, names, tuple(one.evidence for one in keepers[:_MOST]), keepers)


def _finding(
    node: Node, share: float, why: str, evidence: tuple[Evidence, ...], keepers: list[_Keeper] | tuple[()]
) -> Finding:
    what = f"{counted(len(keepers), 'pod')} may not move: " if keepers else ""
    return Finding(
        about=ref(node),
        summary=f"the cluster-autoscaler does not remove it, although its pods request {share:.0%} of it: {what}{why}",
        evidence=evidence,
        confidence=Confidence.LIKELY,
        affects=tuple(ref(one.pod) for one in keepers),
        fixes=tuple(map(Fix, dict.fromkeys(one.fix for one in keepers)))
        if keepers
        else (Fix(f"Remove the annotation {_DISABLED}, if the node may go"),),
        commands=(Command(kubectl("describe", "node", node.name), "its pods and their requests"),),
    )


def _share(node: Node, pods: list[Pod]) -> float | None:
    """The larger share of CPU and memory that the pods request, without those of DaemonSets."""
    whole = amounts(node.status.allocatable)
    shares = []
    for name in ("cpu", "memory"):
        if name not in whole or not whole[name].milli_value():
            return None
        asked = sum(requests[name].milli_value() for pod in pods if name in (requests := pod_requests(pod.spec)))
        shares.append(asked / whole[name].milli_value())
    return max(shares)


def _of_a_daemon_set(pod: Pod) -> bool:
    return any(owner.kind == "DaemonSet" for owner in pod.metadata.owner_references or ())


def _in_memory(volume: Volume) -> bool:
    return volume.empty_dir is not None and volume.empty_dir.medium == "Memory"


def _keeper(pod: Pod, cluster: Cluster) -> _Keeper | None:
    said = (pod.metadata.annotations or {}).get(_SAFE)
    if said == "true":
        return None
    if said == "false":
        path = f"metadata.annotations[{_SAFE}]"
        fix = f'Remove the annotation {_SAFE}: "false" from the template, if a move does no harm'
        return _Keeper(pod, "(annotation safe-to-evict: false)", quote(pod, path, "it is never evicted for this"), fix)
    if not pod.metadata.owner_references:
        fix = f"Let a workload create the pods that have no controller, or annotate them with {_SAFE}=true if they may be lost"
        return _Keeper(pod, "(no controller)", quote(pod, "metadata.name", "no controller creates it again"), fix)
    return _by_data(pod) or _by_budget(pod, cluster)


def _by_data(pod: Pod) -> _Keeper | None:
    annotations = pod.metadata.annotations or {}
    safe = annotations.get(_SAFE_VOLUMES, "").split(",")
    for index, volume in enumerate(pod.spec.volumes or ()):
        kind = "emptyDir" if volume.empty_dir is not None else "hostPath" if volume.host_path is not None else ""
        if kind and not _in_memory(volume) and volume.name not in safe:
            shows = f"{kind}: its data are on the node"
            fix = f"If the data may be lost: name the volumes in the annotation {_SAFE_VOLUMES} of the pod template"
            return _Keeper(pod, f"({kind} {volume.name})", quote(pod, f"spec.volumes[{index}].name", shows), fix)
    return None


def _by_budget(pod: Pod, cluster: Cluster) -> _Keeper | None:
    budgets = [one for one in cluster.maybe.all(PodDisruptionBudget, pod.namespace) if guards(one, pod)]
    tight = next((one for one in budgets if one.status.disruptions_allowed == 0), None)
    if tight is not None:
        shows = "no pod of it may be evicted now"
        fix = f"Let PodDisruptionBudget {tight.namespace}/{tight.name} allow an eviction: more replicas, or a lower minAvailable"
        return _Keeper(pod, f"(budget {tight.name})", quote(tight, "metadata.name", shows), fix)
    if pod.namespace == NAMESPACE and not budgets and _is_kept(pod, cluster):
        fix = "Give the pods of kube-system a PodDisruptionBudget that allows an eviction"
        shows = "no budget selects it"
        return _Keeper(pod, "(kube-system, no budget)", quote(pod, "metadata.namespace", shows), fix)
    return None


def _is_kept(pod: Pod, cluster: Cluster) -> bool:
    """A pod of the system without a budget."""
    created = pod.metadata.creation_timestamp
    young = created is None or cluster.taken_at - created < _KEPT_FOR
    return young or (cluster.version is not None and cluster.version.minor < _SINCE)
