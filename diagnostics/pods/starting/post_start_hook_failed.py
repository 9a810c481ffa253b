"""postStart hook fails and the container is killed (PostStartHookError).

## What it means
The hook runs at the same time as the program. If the hook fails, the kubelet kills the container, even if the program
is well, and restarts it.

## Why it happens
- The hook's command fails, or does not exist in the image.
- The hook needs the program, which has not started yet: the hook does not wait for it.

## How to fix it
1. Run the command: `kubectl exec POD -c CONTAINER -- COMMAND`.
2. Let the hook retry, or add `|| true` where a failure is acceptable.
3. Move work that must come first into an init container.

## References
- https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.pods._consequences import CONSEQUENCES
from diagnostics.pods._hooks import hook_in_words
from diagnostics.pods.crashes._ends import End, as_it_matters, ends_of
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    Event,
    LogTail,
    Pod,
    all_containers,
    human_duration,
    ref,
    restarted,
    visible_end,
)
from kubedoctor.findings import (
    Confidence,
    ContainerWithStatus,
    Evidence,
    Explains,
    Finding,
    Severity,
    at_fault,
    diagnostic,
    fix_by_hand,
    has_path,
    look_at_pod,
    newest_event,
    quote,
    quote_line,
    quote_spec,
    quote_status,
)
from kubedoctor.replay.kubelet.container_errors import hook_failure
from kubedoctor.replay.kubelet.outcomes import Cause, Proof
from kubedoctor.replay.logs.stops import says_it_was_stopped

LONGEST_REASON = 240


@diagnostic(
    code="KD1018",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(Event, *WORKLOADS),
    when=restarted,
    explains=(Explains("same", ("KD1003",)), *CONSEQUENCES),
    symptoms=("FailedPostStartHook", "PostStartHookError", "CrashLoopBackOff"),
)
def post_start_hook_failed(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    for end in ends_of(pod, cluster, _has_hook):
        if end.cause is Cause.POST_START_HOOK:
            yield as_it_matters(_finding(pod, end, cluster), pod, end.part, cluster)


def _has_hook(part: ContainerWithStatus) -> bool:
    return part.container.lifecycle is not None and part.container.lifecycle.post_start is not None


def _finding(pod: Pod, end: End, cluster: Cluster) -> Finding:
    about = at_fault(pod, cluster)
    event, proof = end.outcome.event, end.outcome.proof
    evidence: list[Evidence] = quote_spec(pod, cluster, about, end.name, "lifecycle.postStart", "the hook")
    stated = newest_event(pod, cluster, "FailedPostStartHook", container=end.name) if proof is Proof.STATED else None
    why = hook_failure(stated.message) if stated is not None else ""
    event = stated if why else event
    if event is not None and has_path(event, "message"):
        evidence.append(quote(event, "message"))
    evidence += quote_status(pod, end.name, "state.waiting.message", f"{end.ending.place}.exitCode", "restartCount")
    if end.log.lines and says_it_was_stopped(end.log.lines):
        evidence.append(
            quote_line(LogTail(ref(pod), end.name, end.log.previous, end.log.lines), -1, "the last log line")
        )
    summary = (
        f"postStart hook of container `{end.name}`{_hook(pod, end.name)} fails, and the kubelet kills the container"
    )
    summary += f": {visible_end(why, LONGEST_REASON)}" if why else ""
    if proof is not Proof.STATED:
        when = f"{human_duration(end.ending.lasted)} after start" if end.ending.lasted is not None else "after start"
        summary = f"container `{end.name}` was stopped {when}, as after a failed postStart hook"
    return Finding(
        about=about,
        summary=summary,
        confidence=Confidence.CERTAIN if proof is Proof.STATED else Confidence.POSSIBLE,
        evidence=tuple(evidence),
        fixes=(fix_by_hand(about, "Correct the hook's command, or move its work into an init container"),),
        commands=(look_at_pod(pod, "the hook's events"),),
        would_disprove=""
        if proof is Proof.STATED
        else "An event `Killing` with another reason; no such event is left.",
        aspect=end.name,
    )


def _hook(pod: Pod, name: str) -> str:
    container = next((one for one in all_containers(pod) if one.name == name), None)
    lifecycle = container.lifecycle if container is not None else None
    return hook_in_words(lifecycle.post_start) if lifecycle is not None else ""
