"""Rollouts that removed all, block themselves or go back and forth: what is proposed is pasted, and they are over."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.real.cluster.layout import NODE_NAME, Document, image
from tests.real.namespace import Namespace
from tests.real.recording.changes import held_port
from tests.real.recording.workloads import container, cron_job, headless, new_revision, stateful_set, template
from tests.real.repairs import Case, Test, available, check, field
from tests.real.workloads import deployment, manifest

pytestmark = pytest.mark.real

SOON = {"terminationGracePeriodSeconds": 1}
CRASH = ("exit", "-code", "1", "-after", "100ms")
NEVER_READY = {"readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 1}}
"""Without a probe a container is ready until it crashes, and its rollout may be complete by then."""


def rolled_out(kind: str, name: str) -> Test:
    """All replicas are of the newest revision and ready."""

    def test(at: Namespace) -> bool:
        item = at.cluster.get(kind, name, at.name)
        status, wanted = item["status"], item["spec"].get("replicas", 1)
        numbers = [status.get(key) for key in ("replicas", "readyReplicas", "updatedReplicas")]
        return status.get("observedGeneration") == item["metadata"]["generation"] and numbers == [wanted] * 3

    return test


def all_at_once(at: Namespace) -> None:
    first = deployment("web", at.name, replicas=2, pod=SOON)
    first["spec"]["strategy"] = {"rollingUpdate": {"maxUnavailable": "100%"}}
    available(at, first)
    second = deployment("web", at.name, *CRASH, replicas=2, pod=SOON, container=NEVER_READY)
    second["spec"]["strategy"] = first["spec"]["strategy"]
    at.apply(second)


def careful_again(at: Namespace) -> bool:
    numbers = field(at, "deployment", "web", "spec", "strategy", "rollingUpdate")
    return numbers == {"maxSurge": "25%", "maxUnavailable": "25%"} and rolled_out("deployment", "web")(at)


def daemon_set(at: Namespace, release: str, **surge: object) -> Document:
    daemon = container("serve")
    daemon["ports"] = [{"containerPort": 8080, "hostPort": 18082}]
    daemon["env"] = [{"name": "RELEASE", "value": release}]
    pods = template("agent", daemon)
    pods["spec"].update(SOON)
    spec = {"selector": {"matchLabels": {"app": "agent"}}, "template": pods, **surge}
    return manifest("DaemonSet", "agent", at.name, "apps/v1", spec=spec)


def daemon_set_is_new(at: Namespace) -> bool:
    status = at.cluster.get("daemonset", "agent", at.name)["status"]
    return bool(status.get("updatedNumberScheduled") == status.get("numberReady") == 1)


def surges_into_its_own_port(at: Namespace) -> None:
    surge = {"updateStrategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}
    at.apply(daemon_set(at, "1", **surge))
    at.cluster.wait_for("it runs", lambda: daemon_set_is_new(at))
    at.apply(daemon_set(at, "2", **surge))


def no_longer_tolerated(at: Namespace) -> None:
    at.apply(daemon_set(at, "1"))
    at.cluster.wait_for("it runs", lambda: daemon_set_is_new(at))
    at.cluster.kubectl("taint", "node", NODE_NAME, "team=ml:NoSchedule")
    at.cluster.kubectl("annotate", "daemonset", "agent", "acme.example/owner=shop", "-n", at.name)  # It counts again.


def tolerated(at: Namespace) -> bool:
    status = at.cluster.get("daemonset", "agent", at.name)["status"]
    return not status["numberMisscheduled"] and daemon_set_is_new(at)


def untaint(at: Namespace) -> None:
    at.cluster.kubectl("taint", "node", NODE_NAME, "team-")


def behind_its_own_port(at: Namespace) -> None:
    at.apply(*held_port(at.name))
    new_revision(at)


def back_and_forth(at: Namespace) -> None:
    """A CronJob that may write the Deployment ran before the last change: its run is written into its status."""
    available(at, deployment("web", at.name, pod=SOON))
    for value in ("100m", "60m", "100m", "60m", "100m"):
        at.cluster.kubectl("set", "resources", "deployment/web", f"--requests=cpu={value}", "-n", at.name)
        at.wait_until_available("web")
    at.cluster.kubectl("create", "role", "writes", "--verb=patch", "--resource=deployments", "-n", at.name)
    may = ("--role=writes", f"--serviceaccount={at.name}:default")
    at.cluster.kubectl("create", "rolebinding", "writes", *may, "-n", at.name)
    at.apply(cron_job("rebalance", at.name, "0 3 * * *", container("exit")))
    run = {"status": {"lastScheduleTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}}
    status = ("--subresource=status", "--type=merge", "-p", json.dumps(run))
    at.cluster.kubectl("patch", "cronjob", "rebalance", *status, "-n", at.name)
    time.sleep(1.1)
    at.cluster.kubectl("set", "resources", "deployment/web", "--requests=cpu=60m", "-n", at.name)
    at.wait_until_available("web")


def its_cron_job_is_suspended(at: Namespace) -> bool:
    return field(at, "cronjob", "rebalance", "spec", "suspend") is True


def waits_for_its_peer(at: Namespace) -> None:
    item = stateful_set("db", at.name, "db", "wait", "-dial", f"db-1.db.{at.name}.svc.cluster.local:8080", replicas=2)
    (main,) = item["spec"]["template"]["spec"]["containers"]
    main["readinessProbe"] = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    item["spec"]["template"]["spec"].update(SOON)
    at.apply(headless("db", at.name), item)
    at.cluster.wait_for("it waits", lambda: at.running_for("db") > timedelta(seconds=5))


def both_are_there(at: Namespace) -> bool:
    return len(at.pods("db")) == 2


def rolled_back_and_stuck(at: Namespace) -> None:
    """A StatefulSet does not replace a pod of a broken revision by itself, even after the rollback."""
    item = stateful_set("db", at.name, "db", "serve", replicas=1)
    item["spec"]["template"]["spec"].update(SOON)
    at.apply(headless("db", at.name), item)
    at.cluster.wait_for("it runs", lambda: rolled_out("statefulset", "db")(at))
    at.cluster.kubectl("set", "image", "statefulset/db", f"app={image('checkout', '9.9.9')}", "-n", at.name)
    at.cluster.wait_for("it waits for the image", lambda: at.waiting("db", "ImagePullBackOff"))
    at.cluster.kubectl("rollout", "undo", "statefulset/db", "-n", at.name)


CASES = {
    "all-at-once": Case(
        "workloads/rollout-removed-all",
        ("deploy", "web"),
        ("Roll back to the previous revision", "Then set maxUnavailable to 25%"),
        all_at_once,
        careful_again,
    ),
    "surge-into-its-own-port": Case(
        "workloads/daemonset-blocks-itself",
        ("daemonset", "agent"),
        ("Set maxSurge to 0 and maxUnavailable to 1",),
        surges_into_its_own_port,
        daemon_set_is_new,
    ),
    "no-longer-tolerated": Case(
        "workloads/daemonset-misscheduled",
        ("daemonset", "agent"),
        ("If these nodes need it, add a toleration",),
        no_longer_tolerated,
        tolerated,
        undo=untaint,
    ),
    "behind-its-own-port": Case(
        "workloads/rollout-blocks-itself",
        ("deploy", "checkout"),
        ("Set maxUnavailable to 1",),
        behind_its_own_port,
        rolled_out("deployment", "checkout"),
    ),
    "back-and-forth": Case(
        "workloads/rewritten-again",
        ("scan",),
        ("Suspend CronJob rebalance",),
        back_and_forth,
        its_cron_job_is_suspended,
        says="a run of CronJob",
        stays=True,
    ),
    "waits-for-its-peer": Case(
        "workloads/peers-not-created",
        ("statefulset", "db"),
        ("Recreate the StatefulSet with podManagementPolicy Parallel",),
        waits_for_its_peer,
        both_are_there,
        later=timedelta(minutes=7),
    ),
    "rolled-back-and-stuck": Case(
        "workloads/rollout-stuck",
        ("statefulset", "db"),
        ("Delete pod db-0",),
        rolled_back_and_stuck,
        rolled_out("statefulset", "db"),
        later=timedelta(minutes=15),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_proposed_repairs_it(namespace: Namespace, tmp_path: Path, name: str) -> None:
    check(namespace, tmp_path, CASES[name])
