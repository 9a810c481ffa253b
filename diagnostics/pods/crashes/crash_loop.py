"""Container keeps crashing (CrashLoopBackOff).

## What it means
The container starts, its program exits, and the kubelet restarts it after a delay: 10s, 20s, 40s, up to 5 minutes.
`CrashLoopBackOff` is the name of this delay, not of a cause. The cause is usually in the log of the run that ended.

## Why it happens
- A setting is wrong or missing: an environment variable, a file, an argument, a password.
- A dependency does not answer: a database, another Service, DNS.
- A permission is missing: to write to a directory, to listen on a port, to use the Kubernetes API.
- The program has a defect and crashes (exit code 134: SIGABRT, aborted; 139: SIGSEGV, segmentation fault).
- The program completed (exit code 0). A program that completes belongs in a Job.

## How to fix it
1. Read the log of the run that ended: `kubectl logs POD -c CONTAINER --previous`.
2. Compare the file, host or variable in that line with the pod's settings.
3. If the log is empty, look at the exit code: above 128 it is 128 plus the signal number.
4. If an earlier revision worked, compare with it: `kubectl rollout history deployment/NAME`.

## References
- https://kubernetes.io/docs/tasks/debug/debug-application/debug-running-pod/
- https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from diagnostics.pods._consequences import CONSEQUENCES
from diagnostics.pods._node import blamed_node
from diagnostics.pods._node_proxy import proxy_without_rules
from diagnostics.pods._restarts import restart_words
from diagnostics.pods.crashes._crash import how_it_ends, outcome_words, states_the_cause, story_of
from diagnostics.pods.crashes._ends import End, as_it_matters, ends_of
from diagnostics.pods.crashes._story import Story
from diagnostics.pods.crashes._story_kinds import STORY_KINDS
from diagnostics.pods.crashes.files._config_file import broken_config_file
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    Pod,
    restarted,
)
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Ref,
    Severity,
    at_fault,
    diagnostic,
    kubectl,
    look_at_log,
    look_at_pod,
    quote_status,
)
from kubedoctor.replay.kubelet.outcomes import FROM_OUTSIDE, OF_THE_PROGRAM, Cause
from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.reading import LINES_READ


@diagnostic(
    code="KD1003",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(Pod, *STORY_KINDS, *WORKLOADS),
    when=restarted,
    explains=CONSEQUENCES,
    symptoms=(
        "CrashLoopBackOff",
        "BackOff",
        "Error",
        "exit code 1",
        "exit code 2",
        "exit code 139",
        "exit code 134",
        "exit code 255",
        "exit code 143",
        "exit code 137",
        "exit code 127",
        "Completed",
        "Init:CrashLoopBackOff",
    ),
)
def crash_loop(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    for end in ends_of(pod, cluster, lambda part: not part.is_init):
        if end.cause not in OF_THE_PROGRAM | FROM_OUTSIDE:
            continue  # Reported by the diagnostics of memory, starts, probes, hooks and init containers.
        about = at_fault(pod, cluster)
        story = story_of(pod, end, about, cluster)
        if story.cause is not None and story.cause.fault is LogFault.IMAGE_ARCHITECTURE:
            continue  # The program never ran: start-error reports it.
        ended = end.ending.terminated.finished_at
        broken = broken_config_file(pod, end, story, cluster) or proxy_without_rules(pod, story, ended, cluster)
        if broken is not None:
            yield broken
        yield as_it_matters(_finding(pod, end, about, story, broken, cluster.taken_at), pod, end.part, cluster)


def _finding(pod: Pod, end: End, about: Ref, story: Story, broken: Finding | None, now: datetime) -> Finding:
    name = end.name
    summary = how_it_ends(end)
    if words := outcome_words(end, story):
        summary = f"{summary}: {words}"
    elif end.ending.exit_code == 0:
        summary = f"{summary} and is restarted: use a Job, or keep the process in the foreground"
    confidence, disprove = Confidence.LIKELY, ""
    if end.ending.exit_code != 0 and not (story.text and states_the_cause(story)):
        confidence = Confidence.POSSIBLE
        disprove = "The log of another run, or the program's own files, may show the cause."
        if end.cause is Cause.KILLED:
            disprove = "The kernel log of its node shows whether the node was out of memory."
    elif end.log.of_the_next:
        confidence = Confidence.POSSIBLE
        disprove = "The log of the run that ended is gone, and this is the log of the run after it."
    place = end.ending.place
    evidence = [
        *quote_status(pod, name, f"{place}.exitCode", f"{place}.reason", f"{place}.message", "restartCount"),
        *story.evidence,
    ]
    return Finding(
        about=about,
        summary=summary,
        detail=_detail(pod, end, story, now),
        confidence=confidence,
        evidence=tuple(evidence),
        fixes=story.fixes,
        commands=(
            look_at_log(
                pod,
                name,
                previous=end.log.previous,
                why=f"the log of the run {'after the one ' if end.log.of_the_next else ''}that ended",
            ),
            *story.commands,
            *(_look_at_node(pod) if end.cause is Cause.KILLED else ()),
            look_at_pod(pod, "its state and events"),
        ),
        would_disprove=disprove,
        aspect=name,
        because_of=(
            *story.because_of,
            *((broken.about,) if broken else ()),
            *(blamed_node(pod) if end.cause is Cause.NODE_RESTARTED else ()),
        ),
    )


def _look_at_node(pod: Pod) -> tuple[Command, ...]:
    if not pod.spec.node_name:
        return ()
    return (Command(kubectl("describe", "node", pod.spec.node_name), "whether it ran out of memory, under Events"),)


def _read(end: End) -> str:
    return f" in its last {LINES_READ} lines" if len(end.log.lines) > LINES_READ else ""


def _detail(pod: Pod, end: End, story: Story, now: datetime) -> str:
    detail = restart_words(pod, end.part, end.ending, now)
    if not end.log.lines:
        return detail + (" Its log is empty." if end.log.read else " Its log was not available.")
    return (
        detail
        if story.text or end.ending.exit_code == 0
        else f"{detail} Its log shows no known cause{_read(end)}: read its last lines."
    )
