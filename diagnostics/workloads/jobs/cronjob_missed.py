"""CronJob misses its runs.

## What it means
A run was due and no Job was started for it, although nothing of the CronJob forbids it.

## Why it happens
- The API server refuses the Job: quota, an admission webhook, a name that is too long.
- The controller was not running at that time, and `startingDeadlineSeconds` was over when it was back.
- The controller manager does not run, or its clock is wrong.

## How to fix it
1. Read the CronJob's events: a refused Job is named there (FailedCreate).
2. Give it more time with a longer `startingDeadlineSeconds`, or remove that field.
3. Start the missed run by hand: `kubectl create job --from=cronjob/NAME`.

## References
- https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#starting-deadline
- https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#job-creation
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from diagnostics.workloads.jobs._runs import Skipped, active, skipped_runs, unfinished_jobs
from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster import Cluster, CronJob, Event, Job, counted, has_path, human_duration, quote, ref
from kubedoctor.cluster.changes import drop, put
from kubedoctor.findings import Command, Confidence, Effect, Finding, Fix, Severity, command_line, diagnostic, kubectl
from kubedoctor.replay.workloads.cron_jobs import MANY, due_run, schedule_of

_SINCE_THEN = 200
_LATE = timedelta(minutes=10)
"""A controller that was restarted has caught up by then."""


def may_miss(cron_job: CronJob) -> bool:
    """It is to start Jobs. A run that is not started shows in an event, or by a deadline that is over; without either the
    state may be older than the clock."""
    return active(cron_job)


@diagnostic(
    code="KD1210",
    subject=CronJob,
    severity=Severity.WARNING,
    reads=(CronJob, Job, Event),
    when=may_miss,
    also_known_as=("MissSchedule", "TooManyMissedTimes", "FailedNeedsStart"),
    symptoms=("Missed scheduled time to start a job", "too many missed start times"),
)
def cronjob_missed(cron_job: CronJob, cluster: Cluster) -> Iterator[Finding]:
    skipped = skipped_runs(cron_job, cluster.taken_at)
    if skipped is None or cluster.taken_at - skipped.since < _LATE:
        return
    if cron_job.spec.concurrency_policy == "Forbid" and unfinished_jobs(cron_job, cluster):
        return
    refused = _newest(cron_job, cluster, "FailedCreate")
    too_late = _too_late(cron_job, skipped, cluster)
    gave_up = None if refused or too_late else _newest(cron_job, cluster, "FailedNeedsStart")
    many = gave_up or _newest(cron_job, cluster, "TooManyMissedTimes")
    if not refused and not too_late and not many:
        return
    event = refused or (_newest(cron_job, cluster, "MissSchedule") if too_late else many)
    yield Finding(
        about=ref(cron_job),
        summary=f"CronJob missed {_runs(skipped)}: {_reason(cron_job, refused, too_late=too_late, gave_up=gave_up is not None)}",
        evidence=(
            quote(cron_job, "spec.schedule", ""),
            *(
                (quote(cron_job, "status.lastScheduleTime", "the last run that was started"),)
                if has_path(cron_job, "status.lastScheduleTime")
                else (quote(cron_job, "metadata.creationTimestamp", "no run was started since"),)
            ),
            *((quote(cron_job, "spec.startingDeadlineSeconds", ""),) if too_late else ()),
            *((quote(event, "message", "the controller's message"),) if event else ()),
        ),
        confidence=Confidence.CERTAIN if refused else Confidence.LIKELY,
        fixes=tuple(_fixes(cron_job, cluster, refused, too_late=too_late, gave_up=gave_up is not None)),
        commands=(
            Command(ref(cron_job).describe_command, "its events and its last Jobs"),
            *(
                ()
                if refused or too_late or gave_up
                else (
                    Command(
                        kubectl("get", "leases", "kube-controller-manager", "-o", "yaml", namespace="kube-system"),
                        "whether the controller manager runs",
                    ),
                )
            ),
        ),
    )


def _newest(cron_job: CronJob, cluster: Cluster, reason: str) -> Event | None:
    events = [event for event in cluster.events_about(ref(cron_job)) if event.reason == reason]
    return events[-1] if events else None


def _too_late(cron_job: CronJob, skipped: Skipped, cluster: Cluster) -> bool:
    """The newest run is past its starting deadline: the controller no longer starts it."""
    seconds = cron_job.spec.starting_deadline_seconds
    return seconds is not None and skipped.last + timedelta(seconds=seconds) < cluster.taken_at


def _runs(skipped: Skipped) -> str:
    if skipped.number > MANY:
        return f"more than {MANY} runs since {skipped.since:%Y-%m-%d %H:%M} UTC"
    if skipped.number > 1:
        return f"{counted(skipped.number, 'run')} since {skipped.since:%Y-%m-%d %H:%M} UTC"
    return f"the run of {skipped.last:%Y-%m-%d %H:%M} UTC"


def _reason(cron_job: CronJob, refused: Event | None, *, too_late: bool, gave_up: bool) -> str:
    if gave_up:
        return (
            f"after {MANY} missed runs a controller before 1.21 starts no more, as startingDeadlineSeconds is not set"
        )
    if refused is not None:
        return " ".join(refused.message.split())
    if too_late:
        deadline = human_duration(timedelta(seconds=cron_job.spec.starting_deadline_seconds or 0))
        return f"it may start at most {deadline} late (startingDeadlineSeconds)"
    return "the controller has started none of them"


def _fixes(
    cron_job: CronJob, cluster: Cluster, refused: Event | None, *, too_late: bool, gave_up: bool
) -> Iterator[Fix]:
    if gave_up:
        change = put(ref(cron_job), ("spec", "startingDeadlineSeconds"), _SINCE_THEN)
        yield Fix(
            "Set startingDeadlineSeconds: only the runs missed in that time count", command_line(change, cron_job)
        )
    elif refused is not None:
        yield Fix("Remove what refuses the Job; the next run then starts at its time")
    elif too_late:
        change = drop(ref(cron_job), ("spec", "startingDeadlineSeconds"))

        def starts(changed: Cluster) -> bool:
            after = changed.get(CronJob, cron_job.namespace, cron_job.name)
            return after is not None and due_run(after, schedule_of(after), changed.taken_at).due is not None

        fix = Fix(
            "Remove startingDeadlineSeconds: the newest missed run starts at once", command_line(change, cron_job)
        )
        yield proven(fix, prove(change, cluster, starts))
    else:
        yield Fix("Check that kube-controller-manager runs and holds its lease")
    line = kubectl(
        "create", "job", f"{cron_job.name}-by-hand", f"--from=cronjob/{cron_job.name}", namespace=cron_job.namespace
    )
    if refused is None:
        yield Fix("Start a run by hand", line, Effect.CHANGES)
