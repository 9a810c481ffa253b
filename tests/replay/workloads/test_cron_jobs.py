"""Which run is due; upstream's own answers are compared in tests/testing/test_oracle.py."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.apps import CronJob
from kubedoctor.replay.workloads.cron_jobs import due_run, schedule_of

NOW = datetime(2026, 6, 10, 12, 0, 30, tzinfo=UTC)


def cron_job(schedule: str, last: str = "", created: str = "2026-06-01T00:00:00Z", **spec: Any) -> CronJob:
    document = {
        "metadata": {"name": "report", "namespace": "shop", "creationTimestamp": created},
        "spec": {"schedule": schedule, **spec},
        "status": {"lastScheduleTime": last} if last else {},
    }
    return msgspec.convert(document, CronJob)


@pytest.mark.parametrize(
    ("obj", "due", "missed"),
    [
        (cron_job("0 * * * *", "2026-06-10T12:00:00Z"), "", 0),
        (cron_job("0 * * * *", "2026-06-10T11:00:00Z"), "12:00", 0),
        (cron_job("0 * * * *", "2026-06-10T09:00:00Z"), "12:00", 3),
        (cron_job("*/5 * * * *"), "12:00", 2736),
        (cron_job("*/5 * * * *", startingDeadlineSeconds=10), "", 0),
        (cron_job("*/5 * * * *", startingDeadlineSeconds=600), "12:00", 2),
        (cron_job("@every 2h", "2026-06-10T03:30:00Z"), "11:30", 4),
    ],
)
def test_the_run_that_is_due(obj: CronJob, due: str, missed: int) -> None:
    found = due_run(obj, schedule_of(obj), NOW)
    assert (f"{found.due:%H:%M}" if found.due else "", found.missed) == (due, missed)
    assert found.too_many is (missed > 100)


def test_a_schedule_without_a_run_has_none() -> None:
    obj = cron_job("0 0 31 2 *")
    found = due_run(obj, schedule_of(obj), NOW)
    assert (found.never, found.due, found.next) == (True, None, None)


def test_a_rare_run_that_is_far_back_is_found_at_once() -> None:
    obj = cron_job("* * 1 1 *", created="2020-01-01T23:58:30Z")
    found = due_run(obj, schedule_of(obj), NOW)
    assert found.due == datetime(2026, 1, 1, 23, 59, tzinfo=UTC)
