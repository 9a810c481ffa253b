"""Runs of a CronJob overlap or replace each other.

## What it means
Each run takes longer than the time to the next one. With `concurrencyPolicy: Allow` more and more Jobs run at the same
time; with `Replace` each is deleted before it has finished.

## Why it happens
- The work has grown, or what it depends on has become slow.
- The program hangs.
- The schedule is denser than meant: `* 3 * * *` runs every minute between 03:00 and 03:59.

## How to fix it
1. Look at the log of the oldest run.
2. Give the runs more time in `spec.schedule`, or end them with `activeDeadlineSeconds`.
3. Set `concurrencyPolicy: Forbid`, if runs must not overlap.

## References
- https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#concurrency-policy
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.workloads.jobs._runs import active, age_of, schedule_or_none, unfinished_jobs
from kubedoctor.cluster import Cluster, CronJob, Job, counted, has_path, human_duration, quote, ref
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, command_line, diagnostic, kubectl

_MANY = 3
"""Two may overlap at a change of load."""
_REPLACED = 5
"""Runs without a success until it is clear that none succeeds."""


def runs_now(cron_job: CronJob) -> bool:
    """It has active Jobs, and may start others beside or instead of them."""
    return active(cron_job) and cron_job.spec.concurrency_policy != "Forbid" and bool(cron_job.status.active)


@diagnostic(
    code="KD1211",
    subject=CronJob,
    severity=Severity.WARNING,
    reads=(CronJob, Job),
    when=runs_now,
    symptoms=("concurrencyPolicy", "Allow", "Replace"),
)
def cronjob_overlaps(cron_job: CronJob, cluster: Cluster) -> Iterator[Finding]:
    jobs = unfinished_jobs(cron_job, cluster)
    if not jobs:
        return
    replaces = cron_job.spec.concurrency_policy == "Replace"
    if replaces and _replaced(cron_job, cluster) < _REPLACED:
        return
    if not replaces and len(jobs) < _MANY:
        return
    oldest = jobs[0]
    age = human_duration(age_of(oldest, cluster.taken_at))
    success = cron_job.status.last_successful_time
    last = f", none has succeeded for {human_duration(cluster.taken_at - success)}" if success is not None else ""
    what = (
        f"each run is replaced by the next before it ends (concurrencyPolicy Replace){last}"
        if replaces
        else f"{counted(len(jobs), 'run')} at the same time, the oldest for {age}"
    )
    line = command_line(put(ref(cron_job), ("spec", "concurrencyPolicy"), "Forbid"), cron_job)
    yield Finding(
        about=ref(cron_job),
        summary=f"Runs of the CronJob take longer than its schedule allows: {what}",
        evidence=(
            quote(cron_job, "spec.schedule", ""),
            *(
                quote(cron_job, path, "")
                for path in ("spec.concurrencyPolicy", "status.lastSuccessfulTime")
                if has_path(cron_job, path)
            ),
            *(quote(job, "status.startTime", "") for job in jobs[:3] if has_path(job, "status.startTime")),
        ),
        confidence=Confidence.LIKELY if replaces else Confidence.CERTAIN,
        affects=tuple(map(ref, jobs)),
        fixes=(
            Fix("Give the runs more time in spec.schedule, or end them with activeDeadlineSeconds"),
            Fix("Set concurrencyPolicy Forbid, if runs must not overlap", line),
        ),
        commands=(
            Command(
                kubectl("logs", f"job/{oldest.name}", "--tail=50", namespace=oldest.namespace), "what the run does"
            ),
        ),
    )


def _replaced(cron_job: CronJob, cluster: Cluster) -> int:
    """How many runs started since the last success."""
    schedule = schedule_or_none(cron_job)
    status = cron_job.status
    at = status.last_successful_time or cron_job.metadata.creation_timestamp
    started = 0
    while schedule is not None and at is not None and started < _REPLACED and status.last_schedule_time is not None:
        at = schedule.next(at)
        if at is None or at > status.last_schedule_time:
            break
        started += 1
    return started
