"""CronJob waits for a Job that is still running.

## What it means
`concurrencyPolicy: Forbid` starts no Job while an earlier one is running. The earlier Job has not ended, so every run
since then was skipped.

## Why it happens
- The program hangs, or waits for something that does not come.
- Its pod cannot start: no node, no image, a missing ConfigMap.
- A container beside the program never ends (a sidecar), so the Job is never complete.
- The runs take longer than the schedule allows.

## How to fix it
1. Look at the pod and the log of the running Job.
2. Delete that Job; the next run then starts at its time.
3. Set `activeDeadlineSeconds` in the Job template, so that a run that hangs is ended.

## References
- https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#concurrency-policy
- https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-termination-and-cleanup
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.workloads.jobs._runs import active, age_of, longest_run, skipped_runs, unfinished_jobs
from kubedoctor.cluster import Cluster, CronJob, Job, counted, has_path, human_duration, quote, ref
from kubedoctor.cluster.changes import delete
from kubedoctor.findings import Command, Confidence, Effect, Finding, Fix, Severity, command_line, diagnostic, kubectl

_MANY = 3
"""So many skipped runs are no run that is a little late."""
_USUAL_TIMES = 2
"""A run that takes up to so many times the longest kept one is ordinary."""


def forbids(cron_job: CronJob) -> bool:
    """It starts no Job beside another, and one is listed as active."""
    return active(cron_job) and cron_job.spec.concurrency_policy == "Forbid" and bool(cron_job.status.active)


@diagnostic(
    code="KD1209",
    subject=CronJob,
    severity=Severity.WARNING,
    reads=(CronJob, Job),
    when=forbids,
    also_known_as=("JobAlreadyActive",),
    symptoms=("prior execution is running and concurrency policy is Forbid", "TooManyMissedTimes"),
)
def cronjob_held_up(cron_job: CronJob, cluster: Cluster) -> Iterator[Finding]:
    skipped = skipped_runs(cron_job, cluster.taken_at)
    jobs = unfinished_jobs(cron_job, cluster)
    if skipped is None or not jobs:
        return
    job = jobs[0]
    age, usual = age_of(job, cluster.taken_at), longest_run(cron_job, cluster)
    if usual and age <= _USUAL_TIMES * usual:
        return
    runs = "about " if skipped.number >= _MANY else ""
    yield Finding(
        about=ref(cron_job),
        severity=None if usual or skipped.number >= _MANY else Severity.NOTICE,
        summary=f"CronJob starts no Jobs: Job {job.name} has been running for {human_duration(age)} and "
        f"concurrencyPolicy is Forbid ({runs}{counted(skipped.number, 'run')} skipped)",
        evidence=(
            quote(cron_job, "spec.concurrencyPolicy", "no Job starts beside another"),
            quote(cron_job, "spec.schedule", ""),
            *(
                (quote(cron_job, "status.lastScheduleTime", "the run that is still active"),)
                if has_path(cron_job, "status.lastScheduleTime")
                else ()
            ),
            *((quote(job, "status.startTime", ""),) if has_path(job, "status.startTime") else ()),
        ),
        confidence=Confidence.CERTAIN,
        affects=(ref(job),),
        because_of=(ref(job),),
        fixes=(
            Fix(
                "Delete the Job that hangs; the next run then starts at its time",
                command_line(delete(ref(job)), job),
                Effect.DISRUPTS,
            ),
            Fix("Set activeDeadlineSeconds in the Job template, so that a run that hangs is ended"),
        ),
        commands=(
            Command(kubectl("logs", f"job/{job.name}", "--tail=50", namespace=job.namespace), "what the run does"),
            Command(ref(job).describe_command, "the Job, its pods and events"),
        ),
    )
