"""Pod is ready, but its program keeps failing.

## What it means
The pod is Running and Ready, and its log keeps reporting the same failure, up to its last lines. Kubernetes sees
none of it: a readiness probe asks whether the program answers, not whether it does its work.

The failure is one that kubedoctor knows: a host that does not resolve, a connection that is refused, a right or a login
that is denied, a table that is missing. What a server reports of its clients is not counted, nor what succeeded since.

## Why it happens
- What the program needs is gone, has moved, or has another name: a Service, a database, a queue, a table.
- A right is missing: in RBAC, at a database or broker, at the cloud.
- A password, token or certificate has expired or was changed.
- The server that it asks has reached a limit of its own.

## How to fix it
1. Read the quoted line, and the object that it names.
2. Correct the setting, the right or the server, as the finding proposes.
3. Let the readiness probe ask for what the program cannot do without, if it should get no traffic then.

A scan of a live cluster reads the log of one pod of each workload, of at most 30 workloads, the newest first; `kubedoctor
pod NAME` always reads that of the pod.

## References
- https://kubernetes.io/docs/concepts/cluster-administration/logging/
- https://kubernetes.io/docs/concepts/workloads/pods/probes/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from diagnostics.dns._logs import is_at_hand
from diagnostics.pods.crashes._crash import story_of_cause
from diagnostics.pods.crashes._story import STORY_KINDS
from diagnostics.pods.running._chosen import with_a_log_to_read
from kubedoctor.cluster import WORKLOADS, Cluster, LogTail, LogWant, Pod, human_duration, ready
from kubedoctor.findings import (
    Confidence,
    ContainerWithStatus,
    Finding,
    Ref,
    Severity,
    active,
    at_fault,
    containers_with_status,
    diagnostic,
    look_at_log,
    quote_status,
)
from kubedoctor.replay.kubelet.endings import failing
from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.judged.repeated import RepeatedFailure, still_failing
from kubedoctor.replay.status.vocabulary import START

PROXY = Ref("DaemonSet", "kube-system", "kube-proxy")


@diagnostic(
    code="KD1029",
    subject=Pod,
    severity=Severity.WARNING,
    reads=(Pod, *STORY_KINDS, *WORKLOADS),
    when=ready,
    among=with_a_log_to_read,
    symptoms=("Running", "Ready", "level=error"),
)
def fails_while_ready(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if not (ready(pod) and active(pod)):
        return
    running = [part for part in containers_with_status(pod) if _has_run_for_a_while(part, cluster)]
    wants = [LogWant(pod.namespace, pod.name, part.container.name) for part in running]
    readable = [want for want in wants if is_at_hand(want, cluster) or not cluster.snapshot.refusal(want)]
    logs = [partial(cluster.log_tail, pod, want.container, optional=True) for want in readable]
    cluster.together(*logs)
    for log in logs:
        tail = log()
        failure = still_failing(tail.lines, cluster.taken_at, truncated=tail.truncated) if tail is not None else None
        if tail is not None and failure is not None:
            yield from _finding(pod, tail, failure, cluster)


def _has_run_for_a_while(part: ContainerWithStatus, cluster: Cluster) -> bool:
    """A program may fail at what is still starting; one that crashes is another diagnostic's."""
    state = part.status.state.running if part.status.state is not None else None
    if state is None or not part.status.ready or failing(part.status, cluster.taken_at):
        return False
    return state.started_at is None or cluster.taken_at - state.started_at >= START


def _finding(pod: Pod, tail: LogTail, failure: RepeatedFailure, cluster: Cluster) -> Iterator[Finding]:
    about = at_fault(pod, cluster)
    if about == PROXY and failure.cause.fault is LogFault.API_FORBIDDEN:
        return  # Its own diagnostic knows which kinds it can do without.
    story = story_of_cause(pod, tail, failure.cause, about, cluster)
    if not story.text:
        return
    name = tail.container
    yield Finding(
        about=about,
        summary=f"container `{name}` is ready, but keeps failing: {story.text}",
        detail=_how_often(failure, cluster),
        confidence=Confidence.LIKELY,
        evidence=(*story.evidence, *quote_status(pod, name, "ready")),
        fixes=story.fixes,
        commands=(look_at_log(pod, name, previous=False, why="what it fails at"), *story.commands),
        aspect=name,
        because_of=story.because_of,
    )


def _how_often(failure: RepeatedFailure, cluster: Cluster) -> str:
    often = f"The end of its log has this {failure.times} times"
    if failure.first is None or failure.last is None:
        return f"{often}."
    ago = human_duration(max(cluster.taken_at - failure.last, timedelta()))
    return f"{often} within {human_duration(failure.last - failure.first)}, last {ago} ago, and no success of it since."
