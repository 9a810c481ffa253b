"""A Job has failed.

## What it means
The Job has given up and starts no more pods. What it should have done is not done.

## Why it happens
- Its pods failed again and again until `backoffLimit` was reached.
- It ran longer than `activeDeadlineSeconds` and was ended.
- A rule of its `podFailurePolicy` said that this failure is final.

## How to fix it
1. Read the log of the last pod: its exit code and last lines name the cause.
2. Repair it, then make the Job anew: a failed Job is never started again.
3. For a deadline: find out why it takes long (its pod may have had no node), or allow more time.

## References
- https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-backoff-failure-policy
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from kubedoctor.cluster import (
    Cluster,
    Condition,
    CronJob,
    Evidence,
    Job,
    Pod,
    condition,
    has_path,
    made_good,
    pods_of,
    quote,
    ref,
    status_path,
)
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, quote_line

OLD = timedelta(days=7)
"""What waited so long is a record that nobody removed (`ttlSecondsAfterFinished` would)."""
FAILED = "status.conditions[type=Failed]"


def failed(job: Job) -> bool:
    """Kubernetes has given it up."""
    said = condition(job.status.conditions, "Failed")
    return said is not None and said.status == "True"


@diagnostic(
    code="KD1204",
    subject=Job,
    severity=Severity.CRITICAL,
    reads=(Job, CronJob, Pod),
    when=failed,
    also_known_as=("BackoffLimitExceeded", "DeadlineExceeded"),
    symptoms=("PodFailurePolicy", "Failed"),
)
def job_failed(job: Job, cluster: Cluster) -> Iterator[Finding]:
    said = condition(job.status.conditions, "Failed")
    if said is None or not failed(job) or job.metadata.deletion_timestamp is not None or made_good(job, cluster):
        return
    pods = [pod for pod in pods_of(job, cluster.maybe) if pod.status.phase == "Failed"]
    last = max(pods, key=_ended, default=None)
    ending, evidence = _ending(last, cluster) if last is not None else ("", [])
    fields = [f"{FAILED}.{field}" for field in ("reason", "message")]
    limits = {"BackoffLimitExceeded": "spec.backoffLimit", "DeadlineExceeded": "spec.activeDeadlineSeconds"}
    limit = limits.get(said.reason, "")
    age = cluster.taken_at - said.last_transition_time if said.last_transition_time else timedelta()
    old = age > OLD
    yield Finding(
        about=ref(job),
        severity=Severity.NOTICE if old else None,
        summary=f"failed{f' {age.days} days ago' if old else ''}: {_reason(job, said)}{ending}",
        evidence=(
            *(quote(job, path, "") for path in fields if has_path(job, path)),
            *((quote(job, limit, "the limit that it reached"),) if limit and has_path(job, limit) else ()),
            *evidence,
        ),
        confidence=Confidence.CERTAIN,
        affects=tuple(ref(pod) for pod in pods),
        fixes=(Fix("repair the cause, then delete the Job and make it anew: it does not start again by itself"),),
        commands=(
            Command(f"kubectl logs job/{job.name} -n {job.namespace} --tail=50", "what its pod said last"),
            Command(f"kubectl describe job {job.name} -n {job.namespace}", "its events and conditions"),
        ),
    )


def _reason(job: Job, said: Condition) -> str:
    times = f"{job.status.failed} pod{'' if job.status.failed == 1 else 's'} failed"
    if said.reason == "BackoffLimitExceeded":
        limit = "" if job.spec.backoff_limit is None else f" of {job.spec.backoff_limit}"
        return f"{times}, more than its backoffLimit{limit}"
    if said.reason == "DeadlineExceeded":
        seconds = job.spec.active_deadline_seconds
        return f"it ran longer than its activeDeadlineSeconds{f' of {seconds}' if seconds is not None else ''}"
    return " ".join(said.message.split()) or said.reason or times


def _ended(pod: Pod) -> tuple[float, str]:
    """For sorting: when its last container ended, and its name."""
    times = [pod.metadata.creation_timestamp]
    times += [
        status.state.terminated.finished_at
        for status in pod.status.container_statuses or ()
        if status.state and status.state.terminated
    ]
    return (max((at.timestamp() for at in times if at is not None), default=0.0), pod.name)


def _ending(pod: Pod, cluster: Cluster) -> tuple[str, list[Evidence]]:
    """How the last pod ended: its exit code and its last words."""
    for status in pod.status.container_statuses or ():
        ended = status.state.terminated if status.state else None
        if ended is None or not ended.exit_code:
            continue
        path = f"{status_path(pod, status.name)}.state.terminated"
        evidence = [quote(pod, f"{path}.exitCode", "how its last pod ended")]
        tail = cluster.log_tail(pod, status.name)
        if tail is not None and tail.lines:
            evidence.append(quote_line(tail, -1, "its last words"))
        reason = f" ({ended.reason})" if ended.reason not in ("", "Error") else ""
        return f"; its last pod ended with exit code {ended.exit_code}{reason}", evidence
    return "", []
