"""CronJobs and Jobs that start nothing, hang or overlap: what is proposed is pasted, and they go on."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.real.cluster.layout import Document
from tests.real.namespace import Namespace
from tests.real.recording.changes import nightly, two_runs_then_one_that_hangs
from tests.real.recording.workloads import container, cron_job
from tests.real.repairs import Case, check

pytestmark = pytest.mark.real

SYNC = ("cronjob", "sync")
WAITS = container("wait", "-dial", "192.0.2.1:5432")


def jobs(at: Namespace) -> list[Document]:
    return at.cluster.items("jobs", at.name)


def run(at: Namespace, *names: str) -> None:
    """Start Jobs of the CronJob, which then counts them as its own, as those that it starts itself."""
    for name in names:
        at.cluster.kubectl("create", "job", name, "--from=cronjob/sync", "-n", at.name)
    at.cluster.wait_for("they run", lambda: all(item["status"].get("active") for item in jobs(at)))
    active = [
        {"apiVersion": "batch/v1", "kind": "Job", "namespace": at.name, "name": name, "uid": item["metadata"]["uid"]}
        for item in jobs(at)
        if (name := item["metadata"]["name"]) in names
    ]
    state(at, active=active)


def state(at: Namespace, **status: object) -> None:
    """The status of the CronJob, as its controller would have written it earlier."""
    patch = json.dumps({"status": status})
    at.cluster.kubectl("patch", "cronjob", "sync", "--subresource=status", "--type=merge", "-p", patch, "-n", at.name)


def ago(**time: float) -> str:
    return (datetime.now(UTC) - timedelta(**time)).strftime("%Y-%m-%dT%H:%M:%SZ")


def one_hangs(at: Namespace) -> None:
    at.apply(cron_job("sync", at.name, "* * * * *", WAITS, concurrencyPolicy="Forbid"))
    run(at, "sync-1")
    state(at, lastScheduleTime=ago(minutes=20))


def another_runs(at: Namespace) -> bool:
    return any(item["metadata"]["name"] != "sync-1" for item in jobs(at))


def three_at_once(at: Namespace) -> None:
    at.apply(cron_job("sync", at.name, "*/5 * * * *", WAITS))
    run(at, "sync-1", "sync-2", "sync-3")


def forbidden(at: Namespace) -> bool:
    return bool(at.cluster.get("cronjob", "sync", at.name)["spec"]["concurrencyPolicy"] == "Forbid")


def too_late(at: Namespace) -> None:
    """The controller did not run at the full hour, and a run may start 20 s late at most."""
    minute = (datetime.now(UTC) - timedelta(minutes=15)).minute
    at.apply(cron_job("sync", at.name, f"{minute} * * * *", container("exit"), startingDeadlineSeconds=20))
    state(at, lastScheduleTime=ago(hours=1, minutes=20))


def runs_by_itself(at: Namespace) -> bool:
    return any(item["metadata"]["name"] != "sync-by-hand" for item in jobs(at))


def never(at: Namespace) -> None:
    at.apply(cron_job("sync", at.name, "0 0 31 2 *", container("exit")))


def each_minute(at: Namespace) -> None:
    at.apply(cron_job("sync", at.name, "* * * * *", container("exit")))


def hangs_longer_than_ever(at: Namespace) -> None:
    at.apply(*nightly(at.name))
    two_runs_then_one_that_hangs(at)
    at.cluster.wait_for("it waits", lambda: at.running_for("report") > timedelta(seconds=8))


def ended_in_time(at: Namespace) -> bool:
    spec = at.cluster.get("cronjob", "report", at.name)["spec"]["jobTemplate"]["spec"]
    return spec.get("activeDeadlineSeconds", 0) >= 1200 and not at.cluster.get("job", "report-3", at.name)


CASES = {
    "one-hangs": Case(
        "workloads/cronjob-held-up", SYNC, ("Delete the Job that hangs",), one_hangs, another_runs, stays=True
    ),
    "three-at-once": Case(
        "workloads/cronjob-overlaps", SYNC, ("Set concurrencyPolicy Forbid",), three_at_once, forbidden
    ),
    "too-late": Case(
        "workloads/cronjob-missed",
        SYNC,
        ("Start a run by hand", "Remove startingDeadlineSeconds"),
        too_late,
        runs_by_itself,
    ),
    "never": Case("workloads/cronjob-never-runs", SYNC, (), never, lambda at: bool(jobs(at)), each_minute),
    "longer-than-ever": Case(
        "workloads/job-never-ends",
        ("job", "report-3"),
        ("Delete the Job that hangs", "End later runs that hang"),
        hangs_longer_than_ever,
        ended_in_time,
        later=timedelta(minutes=4),
        stays=True,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_proposed_repairs_it(namespace: Namespace, tmp_path: Path, name: str) -> None:
    check(namespace, tmp_path, CASES[name])
