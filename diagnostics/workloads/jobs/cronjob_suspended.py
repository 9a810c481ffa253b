"""CronJob is suspended.

## What it means
The CronJob creates no Jobs while `spec.suspend` is true. Running Jobs continue. Runs that were missed in the meantime
are not all started later.

## Why it happens
- It was suspended during an incident or a migration, and not resumed.
- The suspension is intended.

## How to fix it
1. If it should run, set `spec.suspend` to false.

## References
- https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-suspension
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import Cluster, CronJob, has_path, quote, ref
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Command, Confidence, Effect, Finding, Fix, Severity, command_line, diagnostic, kubectl


def suspended(cron_job: CronJob) -> bool:
    """The CronJob creates no Jobs."""
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
    last = cron_job.status.last_schedule_time
    newest = f", last Job at {last:%Y-%m-%d %H:%M} UTC" if last is not None else ""
    paths = ("spec.schedule", "status.lastScheduleTime")
    resume = command_line(put(ref(cron_job), ("spec", "suspend"), False), cron_job)
    yield Finding(
        about=ref(cron_job),
        summary=f"CronJob is suspended: it creates no Jobs{newest}",
        evidence=(
            quote(cron_job, "spec.suspend", "no Job is created"),
            *(quote(cron_job, path, "") for path in paths if has_path(cron_job, path)),
        ),
        confidence=Confidence.CERTAIN,
        fixes=(Fix("Resume the CronJob, if it should run", resume, Effect.CHANGES),),
        commands=(Command(kubectl("get", "jobs", namespace=cron_job.namespace), "the Jobs in the namespace"),),
    )
