"""Pod is not resized in place (PodResizePending, PodResizeInProgress).

## What it means
A user or a VerticalPodAutoscaler changed the CPU or memory of a running pod. The kubelet does not apply it: the pod keeps
the resources that it had. Its spec already shows the new ones.

## Why it happens
- The pod requests more than its node can give to pods at all (`Infeasible`).
- The node has no room at the moment (`Deferred`): the kubelet tries again when other pods leave.
- The node does not support it for this pod: a static CPU or memory manager, swap, Windows, a static pod (`Infeasible`).
- The container runtime refuses the new value (`Error`): a memory limit below what the container uses.

## How to fix it
1. Request no more than the node has, or return to the value that the pod runs with.
2. Or change the template of the workload, so that a new pod is created on a node with room.
3. For a VerticalPodAutoscaler: set `maxAllowed`, so that it does not recommend more than a node has.

## References
- https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from kubedoctor.cluster import (
    Cluster,
    Condition,
    Container,
    ContainerStatus,
    Pod,
    all_containers,
    all_statuses,
    condition,
    container_path,
    finished,
    format_bytes,
    format_milli,
    human_duration,
    ref,
    resized,
    status_path,
    terminating,
    visible_end,
)
from kubedoctor.cluster.changes import Step
from kubedoctor.findings import (
    Confidence,
    Effect,
    Evidence,
    Finding,
    Fix,
    Severity,
    diagnostic,
    has_path,
    look_at_pod,
    quote,
    resize_command,
)
from kubedoctor.replay.scheduler.requests import amounts

PATIENCE = timedelta(minutes=10)
"""A resize may wait until another pod leaves the node, and the runtime may try again."""
LONGEST_REASON = 200
_AMOUNTS = re.compile(
    r"(?P<resource>cpu|memory), requested: (?P<requested>\d+)(?:, used: (?P<used>\d+))?, capacity: (?P<capacity>\d+)"
)
"""`pkg/kubelet/allocation`, v1.33 to v1.36: CPU in thousandths, memory in bytes."""


@diagnostic(
    code="KD1026",
    subject=Pod,
    severity=Severity.WARNING,
    reads=(),
    when=resized,
    symptoms=(
        "PodResizePending",
        "PodResizeInProgress",
        "Infeasible",
        "Deferred",
        "ResizeInfeasible",
        "ResizeDeferred",
    ),
)
def resize_refused(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if finished(pod) or terminating(pod):
        return
    stated, reason = _refusal(pod)
    since = stated.last_transition_time if stated is not None else None
    waits = reason in ("Deferred", "Error")
    if not reason or (waits and (since is None or cluster.taken_at - since < PATIENCE)):
        return
    if reason != "Error" and _runs_as_requested(pod):
        return  # The answer is of an earlier request.
    changed = [
        (container, status)
        for container in all_containers(pod)
        for status in all_statuses(pod)
        if status.name == container.name and _other_amounts(container, status)
    ]
    path = f"status.conditions[type={stated.type}]" if stated is not None else "status"
    yield Finding(
        about=ref(pod),
        summary=f"pod is not resized in place ({reason}): {_why(pod, stated, reason)}; {_kept(since, cluster)}",
        confidence=Confidence.CERTAIN,
        evidence=(
            quote(pod, f"{path}.message", "the kubelet's message")
            if has_path(pod, f"{path}.message")
            else quote(pod, f"{path}.reason" if stated is not None else "status.resize", "the kubelet's answer"),
            *(fact for container, status in changed for fact in _asked_and_running(pod, container, status)),
        ),
        fixes=tuple(_fixes(pod, changed)),
        commands=(look_at_pod(pod, "the resize and its events"),),
    )


def _kept(since: datetime | None, cluster: Cluster) -> str:
    if since is None:
        return "it keeps its earlier resources"
    return f"it has kept its earlier resources for {human_duration(cluster.taken_at - since)}"


def _refusal(pod: Pod) -> tuple[Condition | None, str]:
    """The condition and its reason; of Kubernetes 1.32 and earlier, the reason alone."""
    pending = condition(pod.status.conditions, "PodResizePending")
    if pending is not None and pending.status == "True":
        return pending, pending.reason
    working = condition(pod.status.conditions, "PodResizeInProgress")
    if working is not None and working.status == "True" and working.reason == "Error":
        return working, working.reason
    return None, pod.status.resize if pod.status.resize == "Infeasible" else ""


def _why(pod: Pod, stated: Condition | None, reason: str) -> str:
    message = " ".join(stated.message.split()).rstrip(".") if stated is not None else ""
    node = f"node {pod.spec.node_name}" if pod.spec.node_name else "its node"
    amounts = _AMOUNTS.search(message)
    if amounts is None:
        return visible_end(message, LONGEST_REASON) or f"{node} can never grant what it requests"
    resource = amounts["resource"]
    shown = format_milli if resource == "cpu" else format_bytes
    name = "CPU" if resource == "cpu" else "memory"
    asks = f"it requests {shown(int(amounts['requested']))} {name}"
    if reason == "Infeasible":
        return f"{asks} and {node} has {shown(int(amounts['capacity']))} for pods"
    left = int(amounts["capacity"]) - int(amounts["used"] or 0)
    return f"{asks} and {node} has {shown(max(left, 0))} of {shown(int(amounts['capacity']))} left"


def _other_amounts(container: Container, status: ContainerStatus) -> list[tuple[str, str]]:
    """Where the container requests another amount than it runs with: `requests` or `limits`, and the resource."""
    asked, running = container.resources, status.resources
    if asked is None or running is None:
        return []
    pairs = (("requests", asked.requests, running.requests), ("limits", asked.limits, running.limits))
    return [
        (kind, name)
        for kind, wanted, given in pairs
        for name in ("cpu", "memory")
        if amounts(wanted).get(name) != amounts(given).get(name)
    ]


def _runs_as_requested(pod: Pod) -> bool:
    """Each container; not where the pod requests something for all, or the status does not tell."""
    known = {status.name: status for status in all_statuses(pod) if status.resources is not None}
    if pod.spec.resources is not None or any(row.resources and row.name not in known for row in pod.spec.containers):
        return False
    return not any(_other_amounts(row, known[row.name]) for row in all_containers(pod) if row.name in known)


def _asked_and_running(pod: Pod, container: Container, status: ContainerStatus) -> Iterator[Evidence]:
    for kind, name in _other_amounts(container, status):
        asked = f"{container_path(pod, container.name)}.resources.{kind}[{name}]"
        running = f"{status_path(pod, status.name)}.resources.{kind}[{name}]"
        if has_path(pod, asked) and has_path(pod, running):
            yield quote(pod, asked, "what it requests")
            yield quote(pod, running, "what it runs with")


def _fixes(pod: Pod, changed: list[tuple[Container, ContainerStatus]]) -> Iterator[Fix]:
    steps = []
    for container, status in changed:
        if status.resources is not None:
            amounts = {"requests": status.resources.requests, "limits": status.resources.limits}
            field = container_path(pod, container.name).split(".")[1].partition("[")[0]
            of_kind = pod.spec.init_containers if field == "initContainers" else pod.spec.containers
            place = ("spec", field, (of_kind or ()).index(container), "resources")
            steps += [Step((*place, kind), given) for kind, given in amounts.items() if given]
    if steps:
        summary = "Return to the resources that it runs with, or request no more than the node has"
        yield Fix(summary, resize_command(pod, *steps), Effect.CHANGES)
    yield Fix("Or set the resources in the template of its workload, so that a new pod is created where there is room")
