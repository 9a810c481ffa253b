"""Which run of a CronJob is due (`mostRecentScheduleTime` and `syncCronJob` in `pkg/controller/cronjob`, v1.37)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from kubedoctor.cluster.kinds.apps import CronJob
from kubedoctor.replay.workloads.schedules import Calendar, Every, Schedule, parse_schedule

MANY: Final = 100
"""From one more missed start on, the controller warns (TooManyMissedTimes)."""
_STEPS: Final = (timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(days=32))


class Due(msgspec.Struct, frozen=True):
    """due: the run that the controller would start now. next: the first run after now. never: the schedule has no run.

    missed: an estimate of the starts since the earliest one that still counts, as the controller counts them.
    """

    due: datetime | None
    next: datetime | None
    missed: int
    never: bool = False

    @property
    def too_many(self) -> bool:
        """The controller warns that too many starts were missed."""
        return self.missed > MANY


def schedule_of(cron_job: CronJob) -> Schedule:
    """Its schedule in its time zone; raises ScheduleError."""
    return parse_schedule(cron_job.spec.schedule, cron_job.spec.time_zone or "")


def due_run(cron_job: CronJob, schedule: Schedule, now: datetime, *, with_deadline: bool = True) -> Due:
    """with_deadline: starts older than `startingDeadlineSeconds` no longer count."""
    earliest = cron_job.status.last_schedule_time or cron_job.metadata.creation_timestamp or now
    deadline = cron_job.spec.starting_deadline_seconds
    if with_deadline and deadline is not None:
        earliest = max(earliest, now - timedelta(seconds=deadline))
    following = schedule.next(now)
    first = schedule.next(earliest)
    if first is None:
        return Due(None, following, 0, never=True)
    if now < first:
        return Due(None, following, 0)
    second = schedule.next(first)
    if second is not None and now < second:
        return Due(first, following, 0)
    distance = round((second - first).total_seconds()) if second is not None else 0
    if distance < 1:
        return Due(None, following, 0, never=True)
    missed = int((now - first).total_seconds()) // distance + 1
    begin = first + timedelta(seconds=(missed - 2) * distance)
    return Due(_last_run(schedule, begin, now), following, missed)


def _last_run(schedule: Schedule, begin: datetime, now: datetime) -> datetime | None:
    """The newest run after `begin` and not after `now`."""
    if isinstance(schedule, Every):
        passed = int((now - begin).total_seconds()) // schedule.seconds
        return begin + timedelta(seconds=passed * schedule.seconds) if passed > 0 else None
    for step in _STEPS:
        if now - step > begin and (newest := _newest(schedule, now - step, now)) is not None:
            return newest
    return _newest(schedule, begin, now)


def _newest(schedule: Calendar, begin: datetime, now: datetime) -> datetime | None:
    newest = None
    run = schedule.next(begin)
    while run is not None and run <= now:
        newest, run = run, schedule.next(run)
    return newest
