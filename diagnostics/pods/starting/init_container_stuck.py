"""Init container fails or does not complete (Init:CrashLoopBackOff).

## What it means
Init containers run one after another, before the other containers. A failing init container is retried, and an init
container that never completes blocks the pod. A sidecar (an init container with `restartPolicy: Always`) must have
started before the next container starts.

## Why it happens
- It waits for a dependency that is not available: a database, a Service, a host name that does not resolve.
- A migration fails.
- A sidecar crashes: its configuration is wrong or missing.

## How to fix it
1. Read its log: `kubectl logs POD -c INIT-CONTAINER`.
2. Fix the dependency that it waits for. The kubelet retries the init container by itself.

## References
- https://kubernetes.io/docs/tasks/debug/debug-application/debug-init-containers/
- https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from diagnostics.pods._consequences import CONSEQUENCES
from diagnostics.pods._restarts import restart_words
from diagnostics.pods.crashes._crash import outcome_words, story_of, story_of_lines
from diagnostics.pods.crashes._ends import End, ends_of, exit_words
from diagnostics.pods.crashes._story_kinds import STORY_KINDS
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    Pod,
    human_duration,
    not_ready,
)
from kubedoctor.findings import (
    Confidence,
    ContainerWithStatus,
    Explains,
    Finding,
    Severity,
    active,
    at_fault,
    containers_with_status,
    diagnostic,
    look_at_log,
    look_at_pod,
    quote_status,
)
from kubedoctor.replay.kubelet.outcomes import OF_THE_PROGRAM
from kubedoctor.replay.logs.faults import LogFault

LONG = timedelta(minutes=5)


@diagnostic(
    code="KD1016",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(*STORY_KINDS, *WORKLOADS),
    when=not_ready,
    explains=(Explains("same", ("KD1003",)), *CONSEQUENCES),
    symptoms=("PodInitializing", "Init:0/1", "Init:Error", "Init:CrashLoopBackOff", "ContainersNotInitialized"),
)
def init_container_stuck(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    for end in ends_of(pod, cluster, lambda part: part.is_init):
        if end.cause in OF_THE_PROGRAM:
            yield from _failing(pod, end, cluster)
    if not active(pod):
        return
    for part in containers_with_status(pod):
        state = part.status.state
        running = state.running if state else None
        if not part.is_init or part.container.restarts_always or running is None or running.started_at is None:
            continue
        if cluster.taken_at - running.started_at >= LONG:
            yield _hanging(pod, part, cluster.taken_at - running.started_at, cluster)


def _behind(pod: Pod, name: str) -> str:
    """The containers that wait for an init container."""
    names = [container.name for container in pod.spec.init_containers or ()]
    later = names[names.index(name) + 1 :] if name in names else []
    return ", ".join([*later, *(container.name for container in pod.spec.containers)])


def _failing(pod: Pod, end: End, cluster: Cluster) -> Iterator[Finding]:
    about = at_fault(pod, cluster)
    story = story_of(pod, end, about, cluster)
    if story.cause is not None and story.cause.fault is LogFault.IMAGE_ARCHITECTURE:
        return  # The program never ran: start-error reports it.
    role = "sidecar" if end.part.container.restarts_always else "init container"
    summary = f"{role} `{end.name}` fails with exit {exit_words(end.ending)}"
    words = outcome_words(end, story)
    summary += f": {words}" if words else ""
    evidence = [
        *quote_status(pod, end.name, f"{end.ending.place}.exitCode", f"{end.ending.place}.message", "restartCount"),
        *story.evidence,
    ]
    yield Finding(
        about=about,
        summary=summary,
        detail=f"{restart_words(pod, end.part, end.ending, cluster.taken_at)} Waiting for it: {_behind(pod, end.name)}.",
        confidence=Confidence.LIKELY,
        evidence=tuple(evidence),
        fixes=story.fixes,
        commands=(
            look_at_log(pod, end.name, previous=end.log.previous, why="the log of the run that ended"),
            *story.commands,
            look_at_pod(pod, "the state of the init containers"),
        ),
        aspect=end.name,
        because_of=story.because_of,
    )


def _hanging(pod: Pod, part: ContainerWithStatus, age: timedelta, cluster: Cluster) -> Finding:
    name = part.container.name
    about = at_fault(pod, cluster)
    tail = cluster.log_tail(pod, name)
    story = story_of_lines(pod, name, tail.lines if tail else (), False, about, cluster)
    summary = (
        f"init container `{name}` has been running for {human_duration(age)}; waiting for it: {_behind(pod, name)}"
    )
    return Finding(
        about=about,
        summary=f"{summary}; its log: {story.text}" if story.text else summary,
        # A long migration looks the same as an endless wait.
        confidence=Confidence.LIKELY if story.text else Confidence.POSSIBLE,
        severity=Severity.CRITICAL if story.text else Severity.WARNING,
        would_disprove="" if story.text else "Progress in its log: then the init container only needs time.",
        evidence=(*quote_status(pod, name, "state.running.startedAt"), *story.evidence),
        fixes=story.fixes,
        commands=(look_at_log(pod, name, previous=False, why="its log shows what it waits for"), *story.commands),
        aspect=name,
        because_of=story.because_of,
    )
