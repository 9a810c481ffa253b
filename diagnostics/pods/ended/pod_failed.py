"""Pod failed (phase Failed, DeadlineExceeded).

## What it means
The pod has no controller, and it has ended: its containers are not started again, and no other pod takes its place.

## Why it happens
- Its program exited with a code other than 0, and the pod's `restartPolicy` is `Never`.
- It ran longer than the pod's `activeDeadlineSeconds` and was stopped.
- Its node was shut down, or the pod had to make room for another one.

## How to fix it
1. Read the log and the exit code of the container: `kubectl logs POD -c CONTAINER`.
2. Fix the cause, then delete the pod and create it again. Use a Job for work that must end well, and a Deployment for a
   program that must run.

## References
- https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from diagnostics.pods._disrupted import disrupted
from diagnostics.pods._node import blamed_node
from diagnostics.pods.crashes._crash import how_it_ends, outcome_words, story_of
from diagnostics.pods.crashes._ends import last_ends_of
from diagnostics.pods.crashes._story import Story
from diagnostics.pods.crashes._story_kinds import STORY_KINDS
from diagnostics.pods.ended.refused_by_kubelet import refused
from kubedoctor.cluster import (
    Cluster,
    Pod,
    ended_at,
    finished,
    visible,
)
from kubedoctor.findings import (
    Confidence,
    Explains,
    Finding,
    Fix,
    Severity,
    diagnostic,
    has_path,
    look_at_log,
    look_at_pod,
    quote,
    quote_status,
    ref,
)
from kubedoctor.replay.kubelet.outcomes import OUT_OF_MEMORY

RECENT = timedelta(hours=1)
"""An older one is a record that was not removed."""
LONGEST_MESSAGE = 240


@diagnostic(
    code="KD1024",
    subject=Pod,
    severity=Severity.WARNING,
    reads=STORY_KINDS,
    when=finished,
    explains=(Explains("selects", ("KD2001", "KD2005")),),
    symptoms=("Failed", "DeadlineExceeded", "Terminated", "NodeShutdown"),
)
def pod_failed(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if pod.status.phase != "Failed" or pod.metadata.owner_references or pod.metadata.deletion_timestamp is not None:
        return
    if pod.status.reason == "Evicted" or refused(pod):
        return  # Their diagnostics report it.
    ended = ended_at(pod)
    evidence = [
        quote(pod, f"status.{field}") for field in ("phase", "reason", "message") if has_path(pod, f"status.{field}")
    ]
    story, container = Story(), ""
    outside = disrupted(pod)
    fix = "Fix the cause, then delete the pod and create it again: a failed pod is not restarted"
    if pod.status.reason == "DeadlineExceeded":
        limit = pod.spec.active_deadline_seconds
        summary = (
            f"it ran longer than its activeDeadlineSeconds{'' if limit is None else f' of {limit}'} and was stopped"
        )
        fix = "Delete the pod and create it again with a longer activeDeadlineSeconds, or with less work"
        if limit is not None:
            evidence.append(quote(pod, "spec.activeDeadlineSeconds", "the limit it hit"))
    elif outside is not None:
        summary = f"it {outside.words}"
        fix = "Delete the pod and create it again: a failed pod is not restarted"
        evidence = [*evidence[:1], *outside.evidence]
    elif pod.status.reason:
        message = visible(" ".join(pod.status.message.split()), LONGEST_MESSAGE).rstrip(". ")
        summary = f"it was ended ({pod.status.reason}){f': {message}' if message else ''}"
    else:
        end = next(last_ends_of(pod, cluster), None)
        if end is None or end.cause in OUT_OF_MEMORY:
            return  # Of memory its own diagnostic reports.
        container, story = end.name, story_of(pod, end, ref(pod), cluster)
        words = outcome_words(end, story)
        summary = f"{how_it_ends(end)}{f': {words}' if words else ''}"
        evidence += [
            *quote_status(pod, container, "state.terminated.exitCode", "state.terminated.reason"),
            *story.evidence,
        ]
    yield Finding(
        about=ref(pod),
        summary=f"Pod failed: {summary}",
        confidence=Confidence.CERTAIN,
        evidence=tuple(evidence),
        fixes=(
            *story.fixes,
            Fix(fix),
        ),
        commands=(
            look_at_log(pod, container or pod.spec.containers[0].name, previous=False, why="the log of the container"),
            *story.commands,
            look_at_pod(pod, "its state and events"),
        ),
        because_of=(*(outside.because_of if outside is not None else blamed_node(pod)), *story.because_of),
        detail="The pod has no controller: it is not replaced.",
        severity=Severity.NOTICE if ended is None or cluster.taken_at - ended > RECENT else None,
    )
