"""CronJob never runs.

## What it means
The controller can compute no time for the next Job: the schedule matches no date, cannot be read, or its time zone is
unknown. No Job is created, and nothing is shown in the status.

## Why it happens
- A date that does not exist, such as 31 February.
- A field out of range (weekday 7, hour 24), a field too many or too few, a descriptor that is not supported (`@reboot`).
- `spec.timeZone` is misspelled, or the controller's time zone database is older than the name.

## How to fix it
1. Correct `spec.schedule`: minute, hour, day of month, month, weekday (0 to 6, Sunday is 0).
2. Correct `spec.timeZone`: a name of the IANA time zone database, such as `Europe/Berlin`.

## References
- https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
- https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#time-zones
"""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import available_timezones

from diagnostics.workloads.jobs._runs import active
from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster import Cluster, CronJob, Event, Evidence, has_path, nearest_word, quote, ref
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, command_line, diagnostic, edit_command
from kubedoctor.replay.workloads.schedules import ScheduleError, UnknownTimeZone, parse_schedule

_EVENTS = ("UnknownTimeZone", "UnparseableSchedule", "InvalidSchedule")


@diagnostic(
    code="KD1208",
    subject=CronJob,
    severity=Severity.WARNING,
    reads=(CronJob, Event),
    when=active,
    also_known_as=_EVENTS,
    symptoms=("invalid schedule", "unparseable schedule", "invalid timeZone"),
)
def cronjob_never_runs(cron_job: CronJob, cluster: Cluster) -> Iterator[Finding]:
    problem, zone = _problem(cron_job, cluster)
    if not problem or not has_path(cron_job, "spec.schedule"):
        return
    events = [event for event in cluster.events_about(ref(cron_job)) if event.reason in _EVENTS][-1:]
    evidence: list[Evidence] = [quote(cron_job, "spec.schedule", "")]
    if cron_job.spec.time_zone:
        evidence.append(quote(cron_job, "spec.timeZone", ""))
    evidence += [quote(event, "message", "the controller's message") for event in events if has_path(event, "message")]
    yield Finding(
        about=ref(cron_job),
        summary=f"CronJob never runs: {problem}",
        evidence=tuple(evidence),
        confidence=Confidence.LIKELY if zone and not events else Confidence.CERTAIN,
        fixes=tuple(_fixes(cron_job, zone, cluster)),
        commands=(Command(ref(cron_job).describe_command, "its events and its last Jobs"),),
    )


def _problem(cron_job: CronJob, cluster: Cluster) -> tuple[str, bool]:
    """Why it never runs, and whether that is its time zone."""
    spec = cron_job.spec
    try:
        schedule = parse_schedule(spec.schedule, spec.time_zone or "")
    except UnknownTimeZone:
        return f"time zone {spec.time_zone or spec.schedule.partition(' ')[0]} is unknown", True
    except ScheduleError as error:
        return f'schedule "{spec.schedule}" cannot be read ({error})', False
    if schedule.next(cluster.taken_at) is None:
        return f'no date within five years matches schedule "{spec.schedule}"', False
    return "", False


def _fixes(cron_job: CronJob, zone: bool, cluster: Cluster) -> Iterator[Fix]:
    if not zone:
        yield Fix("Correct spec.schedule", edit_command(ref(cron_job)))
        return
    for name in nearest_word(cron_job.spec.time_zone or "", available_timezones(), 1):
        change = put(ref(cron_job), ("spec", "timeZone"), name)

        def runs(changed: Cluster) -> bool:
            after = changed.get(CronJob, cron_job.namespace, cron_job.name)
            return after is not None and not _problem(after, changed)[0]

        fix = Fix(f"Set time zone {name}, if that is meant", command_line(change, cron_job))
        yield proven(fix, prove(change, cluster, runs))
        return
    yield Fix("Correct spec.timeZone: a name such as Europe/Berlin", edit_command(ref(cron_job)))
