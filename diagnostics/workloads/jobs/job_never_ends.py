"""Job runs much longer than its earlier runs.

## What it means
The pod of the Job runs and does not end. Earlier runs of the same CronJob took a fraction of the time, and no
`activeDeadlineSeconds` ends this one.

## Why it happens
- The program waits for something that does not answer: a database, a lock, a queue that stays empty.
- It hangs after an error that it does not treat as one.
- The work has grown, or what it depends on has become slow.

A Job without earlier runs may have work for days: it is reported only where the end of its log says what does not answer.

## How to fix it
1. Look at the log of the running pod: the last lines show what it waits for.
2. Delete the Job that hangs.
3. Set `activeDeadlineSeconds` in the Job template, so that the next run that hangs is ended.

## References
- https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-termination-and-cleanup
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from diagnostics.pods.crashes._crash import story_of_lines
from diagnostics.pods.crashes._story_kinds import STORY_KINDS
from diagnostics.workloads.jobs._runs import age_of, finished_runs, running
from kubedoctor.cluster import (
    Cluster,
    CronJob,
    Job,
    Pod,
    controller_of,
    counted,
    has_path,
    human_duration,
    pods_of,
    quote,
    ref,
    status_path,
)
from kubedoctor.cluster.changes import delete, put
from kubedoctor.findings import (
    Command,
    Confidence,
    Effect,
    Explains,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    look_at_log,
)
from kubedoctor.replay.logs.faults import LogFault

_MANY_TIMES: Final = 10
"""A run that takes so many times the longest kept one is no run with more work."""
_AT_LEAST: Final = timedelta(minutes=2)
_WITHOUT_A_CAUSE: Final = timedelta(minutes=20)
"""A run whose log tells nothing may just have more work than the others."""
_SUSPICIOUS: Final = timedelta(days=1)
"""A lone Job that has run so long is worth a gap, where its log cannot be read."""
_NEWEST: Final = 10
"""Lines at the end of a log: what is older may be over."""
_WAITS: Final = (
    LogFault.CONNECTION_REFUSED,
    LogFault.CONNECTION_TIMEOUT,
    LogFault.CONNECTION_RESET,
    LogFault.NAME_NOT_RESOLVED,
)
"""What a program may wait for without an end."""
_FEWEST_RUNS: Final = 2
"""One earlier run does not tell what is usual."""


def runs_without_deadline(job: Job) -> bool:
    """A pod of the Job is active, and nothing ends it."""
    return job.status.active > 0 and job.spec.active_deadline_seconds is None and running(job)


@diagnostic(
    code="KD1214",
    subject=Job,
    severity=Severity.WARNING,
    reads=(Job, CronJob, Pod, *STORY_KINDS),
    when=runs_without_deadline,
    explains=(Explains("same", ("KD1209", "KD1211")),),
    symptoms=("activeDeadlineSeconds", "0/1", "Running"),
)
def job_never_ends(job: Job, cluster: Cluster) -> Iterator[Finding]:
    age, owner = age_of(job, cluster.taken_at), controller_of(job)
    cron_job = cluster.maybe.get_ref(owner) if owner is not None and owner.kind == "CronJob" else None
    if age < _AT_LEAST:
        return
    if not isinstance(cron_job, CronJob):
        if owner is None and age >= _WITHOUT_A_CAUSE:
            yield from _alone(job, cluster)
        return
    runs = finished_runs(cron_job, cluster)
    if len(runs) < _FEWEST_RUNS or age < _MANY_TIMES * max(runs):
        return
    found = next((item for pod in pods_of(job, cluster.maybe) if (item := _only_running(pod))), None)
    if found is None:
        return
    pod, container = found
    tail = cluster.log_tail(pod, container)
    story = story_of_lines(pod, container, tail.lines if tail else (), False, ref(job), cluster)
    if not story.text and age < _WITHOUT_A_CAUSE:
        return
    limit = max(int(_MANY_TIMES * max(runs).total_seconds()), int(_WITHOUT_A_CAUSE.total_seconds()))
    deadline = put(ref(cron_job), ("spec", "jobTemplate", "spec", "activeDeadlineSeconds"), limit)
    yield Finding(
        about=ref(job),
        summary=f"Job has been running for {human_duration(age)}: {counted(len(runs), 'earlier run')} took at most "
        f"{human_duration(max(runs))}, and it has no activeDeadlineSeconds{f'; its log: {story.text}' if story.text else ''}",
        evidence=(
            *((quote(job, "status.startTime", ""),) if has_path(job, "status.startTime") else ()),
            quote(pod, f"{status_path(pod, container)}.state.running.startedAt", "still running"),
            *story.evidence,
        ),
        confidence=Confidence.LIKELY,
        affects=(ref(pod),),
        fixes=(
            *story.fixes,
            Fix("Delete the Job that hangs", command_line(delete(ref(job)), job), Effect.DISRUPTS),
            Fix(
                f"End later runs that hang: set activeDeadlineSeconds {limit} in the Job template",
                command_line(deadline, cron_job),
            ),
        ),
        commands=(
            look_at_log(pod, container, previous=False, why="what it waits for"),
            *story.commands,
            Command(ref(job).describe_command, "the Job, its pods and events"),
        ),
        because_of=story.because_of,
    )


def _alone(job: Job, cluster: Cluster) -> Iterator[Finding]:
    """A Job without earlier runs may have work for days: only a log that ends with what does not answer says more. A recording
    that lacks the log is not worth a word before the Job is suspiciously old."""
    soon = age_of(job, cluster.taken_at) < _SUSPICIOUS
    found = next((item for pod in pods_of(job, cluster.maybe) if (item := _only_running(pod))), None)
    tail = cluster.log_tail(*found, optional=soon) if found is not None else None
    if found is None or tail is None:
        return
    pod, container = found
    story = story_of_lines(pod, container, tail.lines, False, ref(job), cluster)
    if story.cause is None or story.cause.fault not in _WAITS or len(tail.lines) - story.cause.index > _NEWEST:
        return
    age = human_duration(age_of(job, cluster.taken_at))
    yield Finding(
        about=ref(job),
        severity=Severity.NOTICE,
        summary=f"Job has been running for {age}, and the end of its log is: {story.text}; it has no activeDeadlineSeconds",
        evidence=(
            quote(pod, f"{status_path(pod, container)}.state.running.startedAt", "still running"),
            *story.evidence,
        ),
        confidence=Confidence.POSSIBLE,
        would_disprove="the log goes on, or the Job is meant to wait",
        affects=(ref(pod),),
        fixes=story.fixes,
        commands=(
            look_at_log(pod, container, previous=False, why="whether it goes on"),
            *story.commands,
            Command(ref(job).describe_command, "the Job, its pods and events"),
        ),
        because_of=story.because_of,
    )


def _only_running(pod: Pod) -> tuple[Pod, str] | None:
    """A pod of which every container runs and none was started again, with the name of its first container."""
    statuses = pod.status.container_statuses or ()
    runs = all(status.state and status.state.running and not status.restart_count for status in statuses)
    if pod.status.phase != "Running" or pod.metadata.deletion_timestamp is not None or not statuses or not runs:
        return None
    return pod, pod.spec.containers[0].name
