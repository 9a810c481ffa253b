"""Job failed (BackoffLimitExceeded, DeadlineExceeded).

## What it means
The Job controller gave up and starts no more pods. The work of the Job is not done.

## Why it happens
- Its pods failed more often than `backoffLimit` allows.
- It ran longer than `activeDeadlineSeconds` and was stopped.
- A rule of its `podFailurePolicy` made this failure final.
- An index of an indexed Job failed more often than `backoffLimitPerIndex` allows.

## How to fix it
1. Read the log and the exit code of the last pod: they show the cause. A Job that ran out of time deletes its pods, and
   their logs with them: look in the log store of the cluster, or run the Job again with more time.
2. Fix the cause, then delete and recreate the Job: a failed Job is never restarted.
3. For a deadline: find out why it takes long (its pod may have been Pending), or raise the deadline.

## References
- https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-backoff-failure-policy
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from msgspec.structs import replace

from diagnostics.pods._disrupted import disrupted
from diagnostics.pods.crashes._crash import outcome_words, story_of
from diagnostics.pods.crashes._ends import last_ends_of
from diagnostics.pods.crashes._story import Story
from diagnostics.pods.crashes._story_kinds import STORY_KINDS
from kubedoctor.cluster import (
    Cluster,
    Condition,
    CronJob,
    Job,
    Pod,
    condition,
    counted,
    has_path,
    human_duration,
    later_run_succeeded,
    pods_of,
    quote,
    ref,
    status_path,
)
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, at_fault, diagnostic, kubectl

OLD = timedelta(days=7)
"""An older failed Job is a record that was not removed (`ttlSecondsAfterFinished` removes it)."""
FAILED = "status.conditions[type=Failed]"
_LIMITS = {
    "BackoffLimitExceeded": "spec.backoffLimit",
    "DeadlineExceeded": "spec.activeDeadlineSeconds",
    "FailedIndexes": "status.failedIndexes",
    "MaxFailedIndexesExceeded": "status.failedIndexes",
}
"""What the Job hit, by the reason of its condition."""


_IGNORE_DISRUPTIONS = (
    "Delete and recreate the Job; with a podFailurePolicy whose action is Ignore for the pod condition DisruptionTarget,"
    " such an end does not count against backoffLimit"
)


def failed(job: Job) -> bool:
    """The Job controller gave up."""
    state = condition(job.status.conditions, "Failed")
    return state is not None and state.status == "True"


@diagnostic(
    code="KD1204",
    subject=Job,
    severity=Severity.CRITICAL,
    reads=(Job, CronJob, Pod, *STORY_KINDS),
    when=failed,
    also_known_as=("BackoffLimitExceeded", "DeadlineExceeded", "FailedIndexes", "MaxFailedIndexesExceeded"),
    symptoms=("PodFailurePolicy", "Failed"),
)
def job_failed(job: Job, cluster: Cluster) -> Iterator[Finding]:
    state = condition(job.status.conditions, "Failed")
    if state is None or job.metadata.deletion_timestamp is not None or later_run_succeeded(job, cluster):
        return
    remaining = pods_of(job, cluster.maybe)
    pods = [pod for pod in remaining if pod.status.phase == "Failed"]
    gone = not remaining and all(gap.kind != "Pod" for gap in cluster.gaps)
    last = max(pods, key=_ended, default=None)
    ending, story = _ending(last, cluster) if last is not None else ("", Story())
    fields = [f"{FAILED}.{field}" for field in ("reason", "message")]
    limit = _LIMITS.get(state.reason, "")
    age = cluster.taken_at - state.last_transition_time if state.last_transition_time else timedelta()
    old = age > OLD
    yield Finding(
        about=ref(job),
        severity=Severity.NOTICE if old else None,
        summary=f"Job failed{f' {human_duration(age)} ago' if old else ''}: {_reason(job, state)}{ending}",
        evidence=(
            *(quote(job, path, "") for path in fields if has_path(job, path)),
            *(
                (quote(job, limit, "" if "Indexes" in limit else "the limit it hit"),)
                if limit and has_path(job, limit)
                else ()
            ),
            *story.evidence,
        ),
        confidence=Confidence.CERTAIN,
        detail="Its pods are deleted, and their logs with them." if gone else "",
        affects=tuple(ref(pod) for pod in pods),
        fixes=(
            *story.fixes,
            Fix("Fix the cause, then delete and recreate the Job: a failed Job is not restarted"),
        ),
        commands=(
            *(() if gone else (_log(job),)),
            *story.commands,
            Command(kubectl("describe", "job", job.name, namespace=job.namespace), "events and conditions of the Job"),
        ),
        because_of=story.because_of,
    )


def _log(job: Job) -> Command:
    return Command(
        kubectl("logs", f"job/{job.name}", "--tail=50", namespace=job.namespace), "the last log lines of its pod"
    )


def _reason(job: Job, state: Condition) -> str:
    pods = f"{counted(job.status.failed, 'pod')} failed"
    if state.reason == "BackoffLimitExceeded":
        limit = "" if job.spec.backoff_limit is None else f" of {job.spec.backoff_limit}"
        return f"{pods}, more than its backoffLimit{limit}"
    if state.reason in ("FailedIndexes", "MaxFailedIndexesExceeded") and job.status.failed_indexes:
        most, indexes = job.spec.backoff_limit_per_index, job.status.failed_indexes
        noun, each = ("index", "") if indexes.isdecimal() else ("indexes", "each ")
        allowed = "" if most is None else f", {each}more often than backoffLimitPerIndex {most}"
        return f"{noun} {indexes} failed{allowed}"
    if state.reason == "PodFailurePolicy":
        return f"a rule of its podFailurePolicy made the failure final: {_message(state)}"
    if state.reason == "DeadlineExceeded":
        seconds = job.spec.active_deadline_seconds
        return f"it ran longer than its activeDeadlineSeconds{f' of {seconds}' if seconds is not None else ''}"
    return _message(state) or state.reason or pods


def _message(state: Condition) -> str:
    return " ".join(state.message.split())


def _ended(pod: Pod) -> tuple[float, str]:
    """For sorting: when its last container ended, and its name."""
    times = [pod.metadata.creation_timestamp]
    times += [
        status.state.terminated.finished_at
        for status in pod.status.container_statuses or ()
        if status.state and status.state.terminated
    ]
    return (max((at.timestamp() for at in times if at is not None), default=0.0), pod.name)


def _ending(pod: Pod, cluster: Cluster) -> tuple[str, Story]:
    """How the last pod ended: who ended it from outside; else its exit code, and why as far as its log shows."""
    if (outside := disrupted(pod)) is not None:
        story = Story(evidence=outside.evidence, because_of=outside.because_of, fixes=(Fix(_IGNORE_DISRUPTIONS),))
        return f"; its last pod {outside.words}", story
    for end in last_ends_of(pod, cluster):
        path = f"{status_path(pod, end.name)}.state.terminated"
        code = quote(pod, f"{path}.exitCode", "the exit code of its last pod")
        story = story_of(pod, end, at_fault(pod, cluster), cluster)
        reason = f" ({end.ending.terminated.reason})" if end.ending.terminated.reason not in ("", "Error") else ""
        words = outcome_words(end, story)
        ending = f"; the last pod failed with exit code {end.ending.exit_code}{reason}{f': {words}' if words else ''}"
        return ending, replace(story, evidence=(code, *story.evidence))
    return "", Story()
