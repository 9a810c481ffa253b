"""Pod stays Terminating.

## What it means
The pod was deleted and its grace period is over, but the object is still there. Either something has not removed its
finalizer, or the kubelet of its node has not confirmed that the containers stopped. A StatefulSet creates no
replacement until the pod is gone.

## Why it happens
- A finalizer: its controller is gone, is not running, or waits for something outside the cluster.
- The node is down or its kubelet is stopped: no kubelet confirms that the containers ended.
- The container runtime cannot kill a container: a process hangs in the kernel (storage that does not answer), or the
  runtime does not respond.
- A volume cannot be unmounted: NFS or FUSE server is gone.

## How to fix it
1. With a finalizer: start or repair the controller that owns it. Remove the finalizer by hand only if that controller
   never returns; what it should have cleaned up then stays.
2. Without a finalizer: look at the node and its kubelet.
3. If the node will not return, delete the Node, or force-delete the pod. Force-deleting a pod of a StatefulSet whose
   containers still run can corrupt data: two pods with one identity may write at the same time.

## References
- https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination-forced
- https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/
- https://kubernetes.io/docs/tasks/run-application/force-delete-stateful-set-pod/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    Event,
    Node,
    Pod,
    condition,
    human_duration,
    is_missing,
    quote,
    ref,
    terminating,
    visible_end,
    workload_of,
)
from kubedoctor.findings import (
    Command,
    Confidence,
    Effect,
    Finding,
    Fix,
    Severity,
    delete_by_force,
    diagnostic,
    finalizers_in_words,
    kubectl,
    look_at,
    look_at_pod,
    newest_event,
    remove_finalizers,
)
from kubedoctor.replay.deletion.overdue import SOON, overdue, patience
from kubedoctor.replay.deletion.pods import kept_until, own_grace_end, stopped
from kubedoctor.replay.kubelet.container_errors import kill_failure, volume_named
from kubedoctor.replay.messages.shown import shown_reason

MOST_LETTERS = 200
UNMOUNT = ("FailedUnmount", "FailedUnmountDevice", "FailedUnMount", "FailedUnmapDevice")


@diagnostic(
    code="KD1022",
    subject=Pod,
    severity=Severity.WARNING,
    reads=(Pod, Node, Event, *WORKLOADS),
    when=terminating,
    also_known_as=("stuck in Terminating", "pod will not delete"),
    symptoms=("Terminating", "FailedKillPod", "KillContainerError", "FailedUnmount"),
)
def terminating_stuck(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    late = overdue(pod, cluster.taken_at)
    if pod.metadata.finalizers and stopped(pod) and late.total_seconds() >= 0:
        yield _held(pod, cluster)
    elif late <= SOON or not pod.spec.node_name or is_missing(pod.spec.node_name, cluster):
        return
    elif not _still_waits(pod, cluster):
        yield _not_confirmed(pod, cluster)


def _still_waits(pod: Pod, cluster: Cluster) -> bool:
    """Whether its kubelet, which works and has not failed to kill a container, may keep to a longer grace period."""
    end, node = kept_until(pod), cluster.maybe.get(Node, "", pod.spec.node_name)
    ready = condition(node.status.conditions, "Ready") if node is not None else None
    if end is None or ready is None or ready.status != "True" or cluster.taken_at > end + SOON:
        return False
    return newest_event(pod, cluster, "FailedKillPod") is None


def _held(pod: Pod, cluster: Cluster) -> Finding:
    """The containers have ended; a finalizer keeps the object."""
    late = overdue(pod, cluster.taken_at)
    words = finalizers_in_words(pod)
    return Finding(
        about=workload_of(pod, cluster),
        aspect=words,
        summary=f"Pod {pod.name} is Terminating, {human_duration(late)} past its grace period: blocked by {words}",
        evidence=(
            quote(pod, "metadata.finalizers", "must be removed by its controller"),
            quote(pod, "metadata.deletionTimestamp", "end of the grace period"),
        ),
        confidence=Confidence.CERTAIN,
        affects=(ref(pod),),
        severity=Severity.NOTICE if late <= patience(pod) else None,
        fixes=remove_finalizers(pod),
        commands=(look_at(ref(pod), "its finalizers and status"),),
    )


def _not_confirmed(pod: Pod, cluster: Cluster) -> Finding:
    """The kubelet has not confirmed that the containers ended."""
    node, late = pod.spec.node_name, overdue(pod, cluster.taken_at)
    mounted = newest_event(pod, cluster, *UNMOUNT) if stopped(pod) else None
    if mounted is not None:
        return _still_mounted(pod, mounted, cluster)
    failed = newest_event(pod, cluster, "FailedKillPod")
    why = f": {visible_end(kill_failure(failed.message), MOST_LETTERS)}" if failed is not None else ""
    own = own_grace_end(pod)
    careful = (
        " and its containers no longer run: two pods of one identity may corrupt data" if _has_identity(pod) else ""
    )
    return Finding(
        about=workload_of(pod, cluster),
        aspect=f"node {node}",
        summary=(
            f"Pod {pod.name} is Terminating, {human_duration(late)} past its grace period: the kubelet of node {node} has "
            f"not confirmed that its containers stopped{why}"
        ),
        evidence=(
            quote(pod, "metadata.deletionTimestamp", "end of the grace period"),
            quote(pod, "spec.nodeName", ""),
            *((quote(failed, "message", "the kubelet's last attempt"),) if failed is not None else ()),
        ),
        confidence=Confidence.CERTAIN,
        detail=(
            f"Its own grace period of {human_duration(timedelta(seconds=pod.spec.termination_grace_period_seconds or 0))} ends in"
            f" {human_duration(own - cluster.taken_at)}; the kubelet waits for that if the pod was first deleted with it."
        )
        if own is not None and own > cluster.taken_at and failed is None
        else "",
        affects=(ref(pod),),
        fixes=(
            Fix(f"Check the kubelet and the container runtime of node {node}; the pod goes when they answer"),
            Fix(
                f"Force-delete the pod, if node {node} will not return{careful}",
                delete_by_force(ref(pod)),
                Effect.DISRUPTS,
            ),
        ),
        commands=(
            Command(kubectl("describe", "node", node), "conditions and events of the node"),
            look_at_pod(pod, "its containers and events"),
        ),
    )


def _still_mounted(pod: Pod, failed: Event, cluster: Cluster) -> Finding:
    """The containers have ended; the kubelet cannot take a volume away."""
    node, volume = pod.spec.node_name, volume_named(failed.message)
    why = shown_reason(failed.message.partition(" : ")[2] or failed.message, MOST_LETTERS).rstrip(".")
    return Finding(
        about=workload_of(pod, cluster),
        aspect=f"node {node}",
        summary=(
            f"Pod {pod.name} is Terminating, {human_duration(overdue(pod, cluster.taken_at))} past its grace period: node"
            f" {node} cannot unmount {f'volume {volume}' if volume else 'a volume'}: {why}"
        ),
        evidence=(
            quote(failed, "message", "the kubelet's last attempt"),
            quote(pod, "metadata.deletionTimestamp", "end of the grace period"),
            quote(pod, "spec.nodeName", "where the volume is mounted"),
        ),
        confidence=Confidence.CERTAIN,
        affects=(ref(pod),),
        fixes=(
            Fix(
                f"On {node}, find what still uses the mount point (`findmnt`, `fuser -vm`) and end it, or let its file server"
                " answer again; the kubelet tries again by itself"
            ),
        ),
        commands=(look_at_pod(pod, "its containers and events"),),
    )


def _has_identity(pod: Pod) -> bool:
    return any(owner.kind == "StatefulSet" for owner in pod.metadata.owner_references or ())
