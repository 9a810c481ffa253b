"""A container needs more memory than it may use.

## What it means
The kernel killed the program because its container reached the memory limit (`OOMKilled`, usually exit code 137).
The limit is a hard wall: no warning, no time to clean up. If only a child of the program was killed, the exit code
may be another one.

## Why it happens
- The limit is too small for what the program does.
- The program holds more and more: a leak, an unbounded cache, a large request.
- A runtime sizes its heap by itself and does not know the limit: an old Java, `--max-old-space-size` above the limit.
- Files in an `emptyDir` with `medium: Memory` count too.
- There is no limit: then the node itself had no memory left, and this program was chosen.

## How to fix it
1. See what it really uses: `kubectl top pod POD --containers`.
2. Raise the memory limit, or make the program use less: set its heap to about 75 % of the limit.
3. Without a limit, set a request near the real use, so that the scheduler reserves it.

## References
- https://kubernetes.io/docs/tasks/configure-pod-container/assign-memory-resource/
- https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubedoctor.cluster import Cluster, Event, Job, Pod, condition
from kubedoctor.cluster.relations.workloads import WORKLOADS, controller_of, made_good
from kubedoctor.cluster.triage import restarted, terminating
from kubedoctor.findings import (
    Command,
    Confidence,
    Effect,
    Evidence,
    Explains,
    Finding,
    Fix,
    Ref,
    Severity,
    diagnostic,
    has_path,
    quote,
)
from kubedoctor.findings.commands import SETTABLE, change, kubectl, look_at_log, look_at_pod
from kubedoctor.findings.containers import (
    CONSEQUENCES,
    ContainerWithStatus,
    at_fault,
    parts_of,
    quote_spec,
    quote_status,
    seconds,
    stays,
    times,
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
)  # fmt: skip
def out_of_memory(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if terminating(pod):
        return
    for part in parts_of(pod):
        ending = last_ending(part.status)
        if ending is None or not ending.is_out_of_memory or not _matters(pod, part, cluster):
            continue
        yield _finding(pod, part, ending, cluster)


def _matters(pod: Pod, part: ContainerWithStatus, cluster: Cluster) -> bool:
    """Not for a container that has long been well again, nor for a pod that was replaced."""
    if stays(pod):
        done = part.is_init and not part.container.restarts_always and part.status.ready
        return not (done or settled(part.status, cluster.taken_at))
    owner = controller_of(pod)
    if owner is None:
        return pod.status.phase == "Failed"
    job = cluster.maybe.get(Job, owner.namespace, owner.name) if owner.kind == "Job" else None
    if job is None or pod.status.phase != "Failed" or made_good(job, cluster):
        return False
    complete = condition(job.status.conditions, "Complete")
    return not (complete is not None and complete.status == "True") and not (job.status.active or 0)


def _finding(pod: Pod, part: ContainerWithStatus, ending: Ending, cluster: Cluster) -> Finding:
    container = part.container
    about = at_fault(pod, cluster, container.name)
    limit = ((container.resources.limits if container.resources else None) or {}).get("memory", "")
    restarts = part.status.restart_count
    evidence = [
        *quote_status(pod, container.name, f"{ending.place}.reason", f"{ending.place}.exitCode", "restartCount"),
        *quote_spec(pod, cluster, about, container.name, "resources.limits[memory]", "the wall that it met"),
    ]
    fixes: tuple[Fix, ...] = ()
    because: tuple[Ref, ...] = ()
    if limit:
        said = f"container {container.name} was killed at its memory limit of {limit}"
        if heap := heap_over(container, limit):
            said += f"; {heap} leaves no room under it"
        fixes = (_raise_limit(about, container.name, limit),)
    elif (pod.spec.resources is not None) and (pod.spec.resources.limits or {}).get("memory"):
        evidence.append(quote(pod, "spec.resources.limits[memory]", "the limit of the whole pod"))
        said = f"container {container.name} was killed at the pod's memory limit of {evidence[-1].text}"
        fixes = (change(about, "Raise the pod's memory limit"),)
    else:
        said = f"container {container.name} has no memory limit and was killed: its node ran out of memory"
        because = (Ref("Node", "", pod.spec.node_name),) if pod.spec.node_name else ()
        evidence += _node_events(pod, cluster)
        fixes = (change(about, "Set a memory request near its real use, and a limit"),)
    if ending.lasted is not None:
        said += f", {seconds(ending.lasted)} after its start"
    return Finding(
        about=about,
        summary=said,
        detail=f"Restarted {times(restarts)} so far." if restarts else "",
        # The status names the limit's cgroup only where there is a limit: without one the node is the usual cause.
        confidence=Confidence.CERTAIN if not because else Confidence.LIKELY,
        evidence=tuple(evidence),
        fixes=fixes,
        commands=(
            Command(kubectl("top", "pod", pod.name, "--containers", namespace=pod.namespace), "what it uses at present"),
            look_at_log(pod, container.name, previous=ending.place.startswith("last"), why="what it did before it was killed"),
            look_at_pod(pod, "its limits and its last state"),
        ),
        aspect=container.name,
        because_of=because,
    )  # fmt: skip


def _node_events(pod: Pod, cluster: Cluster) -> list[Evidence]:
    if not pod.spec.node_name:
        return []
    events = cluster.events_about(Ref("Node", "", pod.spec.node_name))
    found = [one for one in events if one.reason == "SystemOOM" and has_path(one, "message")]
    return [quote(found[-1], "message", "the node itself ran out of memory")] if found else []


def _raise_limit(about: Ref, container: str, limit: str) -> Fix:
    doubled = _doubled(limit)
    if not doubled:
        return change(about, f"Raise the memory limit of container {container} above {limit}")
    words = ("set", "resources", about.argument, "-c", container, f"--limits=memory={doubled}")
    if about.kind not in SETTABLE:
        return Fix(f"Create it anew with a higher memory limit, {doubled} for a start", "")
    return Fix(
        f"Raise the memory limit, to {doubled} for a start, then watch what it uses",
        kubectl(*words, namespace=about.namespace),
        Effect.DISRUPTS,
    )


def _doubled(limit: str) -> str:
    number = re.fullmatch(r"(\d+)(Ki|Mi|Gi|Ti|k|M|G|T|)", limit)
    return f"{2 * int(number.group(1))}{number.group(2)}" if number else ""
