"""Runs of a CronJob that were due and did not start."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from kubedoctor.cluster import Cluster, CronJob, Job, condition, ref
from kubedoctor.replay.workloads.cron_jobs import due_run, schedule_of
from kubedoctor.replay.workloads.schedules import Schedule, ScheduleError


class Skipped(NamedTuple):
    """since: when the first run that did not start was due. last: the newest of them. number: as the controller counts."""

    since: datetime
    last: datetime
    number: int


def schedule_or_none(cron_job: CronJob) -> Schedule | None:
    """None where the controller cannot read it."""
    try:
        return schedule_of(cron_job)
    except ScheduleError:
        return None


def active(cron_job: CronJob) -> bool:
    """It is to start Jobs."""
    return not cron_job.spec.suspend and cron_job.metadata.deletion_timestamp is None


def skipped_runs(cron_job: CronJob, now: datetime) -> Skipped | None:
    """The runs that were due since the last one that started, whatever the starting deadline; None where there are
    none, or the schedule cannot be read."""
    schedule = schedule_or_none(cron_job)
    begin = cron_job.status.last_schedule_time or cron_job.metadata.creation_timestamp
    if schedule is None or begin is None or begin > now:
        return None
    due = due_run(cron_job, schedule, now, with_deadline=False)
    first = schedule.next(begin)
    if due.due is None or first is None:
        return None
    return Skipped(first, due.due, max(1, due.missed))


def unfinished_jobs(cron_job: CronJob, cluster: Cluster) -> tuple[Job, ...]:
    """Its Jobs that run, the oldest first."""
    jobs = [job for job in cluster.owned_by(Job, ref(cron_job)) if running(job)]
    return tuple(sorted(jobs, key=lambda job: (_started(job), job.name)))


def running(job: Job) -> bool:
    """It is neither finished nor about to be."""
    ended = any(
        (state := condition(job.status.conditions, kind)) is not None and state.status == "True"
        for kind in ("Complete", "Failed", "FailureTarget", "SuccessCriteriaMet")
    )
    return not ended and not job.spec.suspend and job.metadata.deletion_timestamp is None


def _started(job: Job) -> float:
    at = job.status.start_time or job.metadata.creation_timestamp
    return at.timestamp() if at else 0.0


def age_of(job: Job, now: datetime) -> timedelta:
    """How long it has been running."""
    at = job.status.start_time or job.metadata.creation_timestamp
    return now - at if at else timedelta()


def longest_run(cron_job: CronJob, cluster: Cluster) -> timedelta:
    """The longest of the finished runs that are kept; zero where there is none."""
    return max(finished_runs(cron_job, cluster), default=timedelta())


def finished_runs(cron_job: CronJob, cluster: Cluster) -> tuple[timedelta, ...]:
    """How long each of the finished runs that are kept took."""
    return tuple(
        job.status.completion_time - job.status.start_time
        for job in cluster.owned_by(Job, ref(cron_job))
        if job.status.completion_time is not None and job.status.start_time is not None
    )
