"""Container was OOMKilled.

## What it means
The kernel killed a process because the container reached its memory limit (`OOMKilled`, usually exit code 137).
The kill comes without warning and without time to clean up. If only a child process was killed, the exit code may
differ.

## Why it happens
- The limit is too low for the program.
- The program uses more and more memory: a leak, an unbounded cache, a large request.
- The runtime's heap leaves no room below the limit: `-Xmx`, `-XX:MaxRAMPercentage`, `--max-old-space-size`,
  `GOMEMLIMIT`, `DOTNET_GCHeapHardLimit`.
- Files in an `emptyDir` with `medium: Memory` count as memory.
- The node ran out of memory, and the kernel chose this process. The node then has an event `SystemOOM`, and the
  container's reason may be `Error` with exit code 137.

## How to fix it
1. Check the memory use: `kubectl top pod POD --containers`.
2. Raise the memory limit, or reduce the memory use: set the heap to about 75 % of the limit.
3. Without a limit, set a memory request near the real use, so that the scheduler reserves it.

## References
- https://kubernetes.io/docs/tasks/configure-pod-container/assign-memory-resource/
- https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from diagnostics.pods._consequences import CONSEQUENCES
from diagnostics.pods._node import blamed_node
from diagnostics.pods.crashes._ends import after_start, as_it_matters, ends_of, exit_words, node_events
from diagnostics.pods.crashes.memory._memory import heap_of, measured, memory_fixes, quoted_setting, room_words
from diagnostics.pods.crashes.memory._set_elsewhere import (
    AT_ONCE,
    OFTEN,
    FilesInMemory,
    LimitSetter,
    files_in_memory,
    limit_it_hit,
    limit_words,
    setter_of_the_limit,
)
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    ConfigMap,
    Event,
    Job,
    LimitRange,
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
    Command,
    Confidence,
    ContainerWithStatus,
    Explains,
    Finding,
    Severity,
    active,
    at_fault,
    containers_with_status,
    diagnostic,
    has_path,
    kubectl,
    look_at_log,
    look_at_pod,
    quote,
    quote_status,
)
from kubedoctor.replay.kubelet.endings import Ending, last_ending, settled
from kubedoctor.replay.kubelet.memory.heaps import HeapUnderLimit
from kubedoctor.replay.kubelet.outcome_facts import SIGKILL, Outcome, memory_limit, outcome, pod_memory_limit
from kubedoctor.replay.kubelet.outcomes import Cause, Proof


@diagnostic(
    code="KD1005",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(Event, ConfigMap, LimitRange, *WORKLOADS),
    when=restarted,
    explains=(Explains("same", ("KD1003", "KD1013", "KD1016", "KD1025")), *CONSEQUENCES),
    symptoms=("OOMKilled", "exit code 137", "CrashLoopBackOff", "OOMKilling", "SystemOOM"),
)
def out_of_memory(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if terminating(pod):
        return
    for part in containers_with_status(pod):
        ending = last_ending(part.status)
        if ending is not None and ending.is_out_of_memory and _matters(pod, part, cluster):
            cluster.together(
                partial(node_events, pod, cluster),
                partial(at_fault, pod, cluster, part.container.name),
                partial(heap_of, pod, part, cluster),
                partial(measured, pod, part.container.name, cluster),
            )
            found = outcome(pod, part.container, part.status, ending, (), (), node_events(pod, cluster))
            yield as_it_matters(_finding(pod, part, ending, found, cluster), pod, part, cluster)
    for end in ends_of(pod, cluster, _was_killed):
        if end.cause is Cause.NODE_OUT_OF_MEMORY:
            yield as_it_matters(_finding(pod, end.part, end.ending, end.outcome, cluster), pod, end.part, cluster)


def _was_killed(part: ContainerWithStatus) -> bool:
    """Killed without the reason OOMKilled: the runtime does not see every kill by the node's kernel."""
    ending = last_ending(part.status)
    return ending is not None and ending.exit_code == SIGKILL and not ending.is_out_of_memory


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


def _finding(pod: Pod, part: ContainerWithStatus, ending: Ending, found: Outcome, cluster: Cluster) -> Finding:
    name = part.container.name
    about = at_fault(pod, cluster, name)
    restarts = part.status.restart_count
    of_node = found.cause is Cause.NODE_OUT_OF_MEMORY
    heap = None if of_node else heap_of(pod, part, cluster)
    setter = None if of_node else setter_of_the_limit(pod, part.container, about, cluster)
    files = None if of_node else files_in_memory(pod, part.container, about, cluster)
    evidence = [
        *quote_status(pod, name, f"{ending.place}.reason", f"{ending.place}.exitCode", "restartCount"),
        *limit_it_hit(pod, part.container, about, cluster, "" if of_node else "the limit it hit"),
        *(setter.evidence if setter is not None else ()),
        *(files.evidence if files is not None else ()),
    ]
    if found.cause in (Cause.POD_MEMORY_LIMIT, Cause.EITHER_MEMORY_LIMIT):
        evidence.append(quote(pod, "spec.resources.limits[memory]", "the limit of the whole pod"))
    if found.event is not None and has_path(found.event, "message"):
        evidence.append(quote(found.event, "message", "the node ran out of memory"))
    evidence += measured(pod, name, cluster)
    if heap is not None:
        evidence += quoted_setting(pod, name, about, heap, cluster)
    top = Command(kubectl("top", "pod", pod.name, "--containers", namespace=pod.namespace), "current memory use")
    # No program writes a line about the kill by its node's kernel.
    log = look_at_log(pod, name, previous=ending.place.startswith("last"), why="its log before the kill")
    node = Command(kubectl("describe", "node", pod.spec.node_name), "what its memory is allocated to, and its events")
    return Finding(
        about=about,
        summary=_summary(pod, part, ending, found, heap, setter) + _of_files(part, ending, files),
        detail=f"Restarted {times(restarts)}." if restarts else "",
        confidence=Confidence.CERTAIN if found.proof is Proof.STATED else Confidence.LIKELY,
        evidence=tuple(evidence),
        fixes=(setter.fix,)
        if setter is not None and setter.fix is not None
        else (*((files.fix,) if files is not None else ()), *memory_fixes(part, found, about, heap)),
        commands=(
            top,
            *((node,) if of_node and pod.spec.node_name else () if of_node else (log,)),
            look_at_pod(pod, "its limits and last state"),
        ),
        aspect=name,
        because_of=blamed_node(pod) if of_node else (),
    )


def _of_files(part: ContainerWithStatus, ending: Ending, files: FilesInMemory | None) -> str:
    """What is left in memory explains an end soon after each start."""
    if files is None or ending.lasted is None or ending.lasted > AT_ONCE or part.status.restart_count < OFTEN:
        return ""
    return (
        f"; files in volume {files.volume} (an emptyDir in memory) count toward it and stay when the container restarts"
    )


def _summary(
    pod: Pod,
    part: ContainerWithStatus,
    ending: Ending,
    found: Outcome,
    heap: HeapUnderLimit | None,
    setter: LimitSetter | None,
) -> str:
    name, own, whole = part.container.name, memory_limit(part.container), pod_memory_limit(pod)
    after = f", {human_duration(ending.lasted)} after start" if ending.lasted is not None else ""
    subject = f"container `{name}` was OOMKilled"
    match found.cause:
        case Cause.NODE_OUT_OF_MEMORY if ending.is_out_of_memory:
            unlimited = "" if own or whole else "it has no memory limit, and "
            for_pods = " for pods" if found.event is None else ""  # The kubelet bounds what all pods may use together.
            return f"{subject}: {unlimited}its node ran out of memory{for_pods}{after}"
        case Cause.NODE_OUT_OF_MEMORY:
            return f"container `{name}` was killed (exit code 137): its node ran out of memory{after}"
        case Cause.POD_MEMORY_LIMIT:
            return f"{subject} at the pod's {whole} memory limit{after}"
        case Cause.EITHER_MEMORY_LIMIT:
            return f"{subject} at its {own} memory limit or the pod's {whole} limit{after}"
    limit = (
        f"its {limit_words(own)} memory limit{setter.words if setter else ''}"
        if own
        else f"the pod's {whole} memory limit"
    )
    if found.cause is Cause.CHILD_OUT_OF_MEMORY:
        exits = f"container `{name}` then exited with {exit_words(ending)}{after_start(ending)}"
        summary = f"a child process was OOMKilled at {limit}; {exits}"
    else:
        summary = f"{subject} at {limit}{after}"
    return f"{summary}; {room_words(heap)}" if heap is not None else summary
