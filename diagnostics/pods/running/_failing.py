"""What the log of a ready pod repeats, and what of the cluster it leads to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from diagnostics.dns._logs import is_at_hand
from diagnostics.pods.crashes._crash import story_of_cause
from diagnostics.pods.running._reconciled import reconciled
from kubedoctor.cluster import Cluster, LogTail, LogWant, Pod, human_duration, ref
from kubedoctor.findings import (
    Confidence,
    ContainerWithStatus,
    Finding,
    Ref,
    at_fault,
    containers_with_status,
    look_at_log,
    quote_status,
)
from kubedoctor.replay.kubelet.endings import failing
from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.judged.repeated import RepeatedFailure, still_failing
from kubedoctor.replay.status.vocabulary import START

PROXY = Ref("DaemonSet", "kube-system", "kube-proxy")


def failures(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    """Of each container, the failure that its log repeats."""
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
    objects = reconciled(tail.lines, failure.cause, cluster)
    yield Finding(
        about=about,
        summary=f"container `{name}` is ready, but keeps failing: {story.text}",
        detail=_how_often(failure, cluster),
        confidence=Confidence.LIKELY,
        evidence=(*story.evidence, *quote_status(pod, name, "ready")),
        fixes=story.fixes,
        commands=(look_at_log(pod, name, previous=False, why="what it fails at"), *story.commands),
        aspect=name,
        affects=(ref(pod), *objects.named),
        because_of=(*story.because_of, *objects.blamed),
    )


def _how_often(failure: RepeatedFailure, cluster: Cluster) -> str:
    often = f"The end of its log has this {failure.times} times"
    if failure.first is None or failure.last is None:
        return f"{often}."
    ago = human_duration(max(cluster.taken_at - failure.last, timedelta()))
    return f"{often} within {human_duration(failure.last - failure.first)}, last {ago} ago, and no success of it since."
