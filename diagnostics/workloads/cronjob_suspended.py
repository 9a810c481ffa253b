"""A CronJob is suspended.

## What it means
It makes no Jobs at all while `suspend` is true. Jobs that run already go on. Runs that fall due meanwhile are not all
made up for later.

## Why it happens
- Somebody suspended it during an incident or a migration, and did not resume it.
- It is meant so.

## How to fix it
1. If it should run, set `suspend` to false.

## References
- https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-suspension
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import Cluster, CronJob, has_path, quote, ref
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Command, Confidence, Effect, Finding, Fix, Severity, command_line, diagnostic


def suspended(cron_job: CronJob) -> bool:
    """It makes no Jobs."""
    return bool(cron_job.spec.suspend)


@diagnostic(
    code="KD1205",
    subject=CronJob,
    severity=Severity.NOTICE,
    reads=(CronJob,),
    when=suspended,
    symptoms=("suspend",),
)
def cronjob_suspended(cron_job: CronJob, _: Cluster) -> Iterator[Finding]:
    if not suspended(cron_job):
        return
    last = cron_job.status.last_schedule_time
    told = f", last at {last:%Y-%m-%d %H:%M} UTC" if last is not None else ""
    paths = ("spec.schedule", "status.lastScheduleTime")
    resume = command_line(put(ref(cron_job), ("spec", "suspend"), False), cron_job)
    yield Finding(
        about=ref(cron_job),
        summary=f"is suspended: it makes no Jobs{told}",
        evidence=(
            quote(cron_job, "spec.suspend", "no Job is made"),
            *(quote(cron_job, path, "") for path in paths if has_path(cron_job, path)),
        ),
        confidence=Confidence.CERTAIN,
        fixes=(Fix("resume it, if it should run", resume, Effect.CHANGES),),
        commands=(Command(f"kubectl get jobs -n {cron_job.namespace}", "the Jobs that it made"),),
    )
