"""Pod stays Terminating within a long grace period.

## What it means
The pod is being deleted. Its containers have received SIGTERM and are still running; the kubelet kills them when the
grace period ends. Until then the pod keeps its node, its volumes and its name, and a StatefulSet does not replace it.

## Why it happens
- The program ignores SIGTERM. A shell that runs as process 1 does not pass signals on to its children.
- The program or its preStop hook waits for open work: connections, jobs, a leader's handover. That is intended.
- `terminationGracePeriodSeconds` is longer than the program needs.

## How to fix it
1. Make the program exit on SIGTERM: start it with `exec`, or with a small init process such as tini.
2. Lower `terminationGracePeriodSeconds` in the pod template to what an orderly end needs.
3. To end this pod sooner, kill its containers on the node: `crictl stop --timeout 0 CONTAINER`. Deleting it again with a
   shorter grace period does not help: the kubelet keeps to the first (kubernetes/kubernetes#83916).

## References
- https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
- https://github.com/kubernetes/kubernetes/issues/83916
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    Container,
    Pod,
    all_containers,
    container_path,
    finished,
    human_duration,
    listed,
    quote,
    ref,
    terminating,
    workload_of,
)
from kubedoctor.findings import Command, Confidence, Effect, Finding, Fix, Severity, diagnostic, kubectl, look_at_pod
from kubedoctor.replay.deletion.overdue import SOON, deletion_started
from kubedoctor.replay.deletion.pods import LONG, own_grace_end, running_containers

_ORDINARY = timedelta(minutes=1)
"""A grace period up to this is not worth a word; the default is 30 s."""
_AT_ONCE = timedelta(seconds=15)
"""How long an orderly end takes."""


@diagnostic(
    code="KD1021",
    subject=Pod,
    severity=Severity.NOTICE,
    reads=(Pod, *WORKLOADS),
    when=terminating,
    also_known_as=("stuck in Terminating",),
    symptoms=("Terminating", "SIGTERM ignored"),
)
def terminating_slowly(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    started, due = deletion_started(pod.metadata), pod.metadata.deletion_timestamp
    if started is None or due is None or finished(pod):
        return
    running, first = running_containers(pod), own_grace_end(pod)
    again, late = "", cluster.taken_at - due
    if first is not None and late >= _AT_ONCE:
        if late > LONG + SOON:
            return  # Too late for a notice.
        again = (
            f", if it was first deleted with that: a second deletion, with {human_duration(due - started)}, does not"
            f" change it; if it was deleted once, it is {human_duration(late)} overdue"
        )
        due = first
    grace, elapsed = due - started, cluster.taken_at - started
    if not running or grace <= _ORDINARY or not _AT_ONCE <= elapsed < grace:
        return
    hooks = tuple(container for container in all_containers(pod) if container.name in running and _has_hook(container))
    names = listed((f"`{name}`" for name in running), 3)
    have = "has" if len(running) == 1 else "have"
    clause = ", or its preStop hook still runs" if hooks else ""
    yield Finding(
        about=workload_of(pod, cluster),
        aspect="grace period",
        summary=(
            f"Pod {pod.name} has been Terminating for {human_duration(elapsed)}: {names} {have} not exited on SIGTERM{clause}; "
            f"killed in {human_duration(due - cluster.taken_at)} (grace period {human_duration(grace)}{again})"
        ),
        evidence=(
            quote(pod, "metadata.deletionTimestamp", "end of the grace period"),
            quote(pod, "metadata.deletionGracePeriodSeconds", ""),
            *(
                quote(pod, f"{container_path(pod, container.name)}.lifecycle.preStop", "runs before SIGTERM")
                for container in hooks
            ),
        ),
        confidence=Confidence.LIKELY if again else Confidence.CERTAIN,
        affects=(ref(pod),),
        fixes=(
            Fix("Make the program exit on SIGTERM, or lower terminationGracePeriodSeconds in the pod template"),
            Fix(
                f"To end it now, kill its containers on node {pod.spec.node_name} (`crictl stop --timeout 0 CONTAINER`), if"
                " its open work may be lost",
                effect=Effect.DISRUPTS,
            ),
        ),
        commands=(look_at_pod(pod, "the containers that still run"), _log(pod, running[0])),
    )


def _has_hook(container: Container) -> bool:
    return container.lifecycle is not None and container.lifecycle.pre_stop is not None


def _log(pod: Pod, container: str) -> Command:
    line = kubectl("logs", pod.name, "-c", container, namespace=pod.namespace)
    return Command(line, "what the program does since SIGTERM")
