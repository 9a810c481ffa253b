"""Container was OOMKilled.

## What it means
The kernel killed a process because the container reached its memory limit (`OOMKilled`, usually exit code 137).
The kill comes without warning and without time to clean up. If only a child process was killed, the exit code may
differ.

## Why it happens
- The limit is too low for the program.
- The program uses more and more memory: a leak, an unbounded cache, a large request.
- The runtime's heap is larger than the limit: an old Java, `--max-old-space-size` above the limit.
- Files in an `emptyDir` with `medium: Memory` count as memory.
- There is no limit: the node ran out of memory, and the kernel chose this process.

## How to fix it
1. Check the memory use: `kubectl top pod POD --containers`.
2. Raise the memory limit, or reduce the memory use: set the heap to about 75 % of the limit.
3. Without a limit, set a memory request near the real use, so that the scheduler reserves it.

## References
- https://kubernetes.io/docs/tasks/configure-pod-container/assign-memory-resource/
- https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from diagnostics.pods._consequences import CONSEQUENCES
from diagnostics.pods._node import blamed_node
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    Event,
    Job,
    Pod,
    condition,
    controller_of,
    human_duration,
    later_run_succeeded,
    restarted,
    terminating,
    times,
)
from kubedoctor.findings import (
    SETTABLE,
    Command,
    Confidence,
    ContainerWithStatus,
    Effect,
    Evidence,
    Explains,
    Finding,
    Fix,
    Ref,
    Severity,
    active,
    at_fault,
    containers_with_status,
    diagnostic,
    fix_by_hand,
    has_path,
    kubectl,
    look_at_log,
    look_at_pod,
    quote,
    quote_spec,
    quote_status,
)
from kubedoctor.replay.kubelet.endings import Ending, last_ending, settled
from kubedoctor.replay.kubelet.heaps import heap_over


@diagnostic(
    code="KD1005",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(Event, *WORKLOADS),
    when=restarted,
    explains=(Explains("same", ("KD1003", "KD1013", "KD1016")), *CONSEQUENCES),
    symptoms=("OOMKilled", "exit code 137", "CrashLoopBackOff", "OOMKilling"),
)
def out_of_memory(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if terminating(pod):
        return
    for part in containers_with_status(pod):
        ending = last_ending(part.status)
        if ending is None or not ending.is_out_of_memory or not _matters(pod, part, cluster):
            continue
        yield _finding(pod, part, ending, cluster)


def _matters(pod: Pod, part: ContainerWithStatus, cluster: Cluster) -> bool:
    """False for a container that has been healthy again for long, and for a pod that was replaced."""
    if active(pod):
        done = part.is_init and not part.container.restarts_always and part.status.ready
        return not (done or settled(part.status, cluster.taken_at))
    owner = controller_of(pod)
    if owner is None:
        return pod.status.phase == "Failed"
    job = cluster.maybe.get(Job, owner.namespace, owner.name) if owner.kind == "Job" else None
    if job is None or pod.status.phase != "Failed" or later_run_succeeded(job, cluster):
        return False
    complete = condition(job.status.conditions, "Complete")
    return not (complete is not None and complete.status == "True") and not (job.status.active or 0)


def _finding(pod: Pod, part: ContainerWithStatus, ending: Ending, cluster: Cluster) -> Finding:
    container = part.container
    about = at_fault(pod, cluster, container.name)
    limit = ((container.resources.limits if container.resources else None) or {}).get("memory", "")
    restarts = part.status.restart_count
    subject = f"container `{container.name}` was OOMKilled"
    after = f", {human_duration(ending.lasted)} after start" if ending.lasted is not None else ""
    evidence = [
        *quote_status(pod, container.name, f"{ending.place}.reason", f"{ending.place}.exitCode", "restartCount"),
        *quote_spec(pod, cluster, about, container.name, "resources.limits[memory]", "the limit it hit"),
    ]
    fixes: tuple[Fix, ...] = ()
    because: tuple[Ref, ...] = ()
    if limit:
        summary = f"{subject} at its {limit} memory limit{after}"
        if heap := heap_over(container, limit):
            summary += f"; {heap} leaves no room below the limit"
        fixes = (_raise_limit(about, container.name, limit),)
    elif (pod.spec.resources is not None) and (pod.spec.resources.limits or {}).get("memory"):
        evidence.append(quote(pod, "spec.resources.limits[memory]", "the limit of the whole pod"))
        summary = f"{subject} at the pod's {evidence[-1].text} memory limit{after}"
        fixes = (fix_by_hand(about, "Raise the pod's memory limit"),)
    else:
        summary = f"{subject}: it has no memory limit, and its node ran out of memory{after}"
        because = blamed_node(pod)
        evidence += _node_events(pod, cluster)
        fixes = (fix_by_hand(about, f"Set a memory request and a memory limit for container `{container.name}`"),)
    return Finding(
        about=about,
        summary=summary,
        detail=f"Restarted {times(restarts)}." if restarts else "",
        # Without a limit of its own the status does not show which limit was hit: the node is the usual cause.
        confidence=Confidence.CERTAIN if not because else Confidence.LIKELY,
        evidence=tuple(evidence),
        fixes=fixes,
        commands=(
            Command(kubectl("top", "pod", pod.name, "--containers", namespace=pod.namespace), "current memory use"),
            look_at_log(pod, container.name, previous=ending.place.startswith("last"), why="its log before the kill"),
            look_at_pod(pod, "its limits and last state"),
        ),
        aspect=container.name,
        because_of=because,
    )


def _node_events(pod: Pod, cluster: Cluster) -> list[Evidence]:
    if not pod.spec.node_name:
        return []
    events = cluster.events_about(Ref("Node", "", pod.spec.node_name))
    kills = [event for event in events if event.reason == "SystemOOM" and has_path(event, "message")]
    return [quote(kills[-1], "message", "the node ran out of memory")] if kills else []


def _raise_limit(about: Ref, container: str, limit: str) -> Fix:
    doubled = _doubled(limit)
    if not doubled:
        return fix_by_hand(about, f"Raise the memory limit of container `{container}` above {limit}")
    words = ("set", "resources", about.argument, "-c", container, f"--limits=memory={doubled}")
    if about.kind not in SETTABLE:
        return Fix(f"Delete and recreate it with a memory limit of {doubled} for container `{container}`")
    return Fix(
        f"Raise the memory limit of container `{container}` to {doubled}, then watch its memory use",
        kubectl(*words, namespace=about.namespace),
        Effect.DISRUPTS,
    )


def _doubled(limit: str) -> str:
    number = re.fullmatch(r"(\d+)(Ki|Mi|Gi|Ti|k|M|G|T|)", limit)
    return f"{2 * int(number.group(1))}{number.group(2)}" if number else ""
