"""Containers that end or are not ready on a real node: the proposed command is pasted, and the workload is well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from tests.real.cluster.layout import Document
from tests.real.diagnosis import Diagnosis, said
from tests.real.namespace import Namespace
from tests.real.workloads import deployment, manifest

pytestmark = pytest.mark.real

STEADY = timedelta(seconds=8)
QUICK_END = {"terminationGracePeriodSeconds": 1}


@dataclass(frozen=True)
class Case:
    """diagnostic: the one that names the cause; says: what it must state; fix: how the pasted fix begins; shows: an
    event's reason and words, or a reason for which the container ended or waits."""

    name: str
    diagnostic: str
    says: str
    fix: str
    shows: tuple[str, ...]
    arguments: tuple[str, ...]
    container: Document
    objects: tuple[tuple[str, str, Document], ...] = ()


def http(path: str, port: int, **more: object) -> Document:
    return {"httpGet": {"path": path, "port": port}, "periodSeconds": 1, **more}


MEMORY = {"requests": {"cpu": "50m"}, "limits": {"memory": "48Mi"}}
FROM_SETTINGS = {"valueFrom": {"configMapKeyRef": {"name": "settings", "key": "CURRENCY"}}}
CASES = (
    Case(
        "memory-limit",
        "pods/out-of-memory",
        "OOMKilled at its 48Mi memory limit",
        "Raise the memory limit of container `app` to 96Mi",
        ("OOMKilled",),
        ("eat", "-mb", "56"),
        {"resources": MEMORY},
    ),
    Case(
        "child-at-the-memory-limit",
        "pods/out-of-memory",
        "a child process was OOMKilled at its 48Mi memory limit",
        "Raise the memory limit of container `app` to 96Mi",
        ("OOMKilled",),
        ("parent", "-mb", "56"),
        {"resources": MEMORY},
    ),
    Case(
        "startup-time",
        "pods/startup-probe-too-short",
        "startup probe fails for 5s",
        "Raise failureThreshold of the startup probe to 10",
        ("CrashLoopBackOff",),
        ("serve", "-slow-start", "7s"),
        {"startupProbe": http("/healthz", 8080, failureThreshold=5)},
    ),
    Case(
        "liveness-before-start",
        "pods/liveness-kills",
        "connection refused",
        "Add a startup probe like the liveness probe, with failureThreshold 8",
        ("CrashLoopBackOff",),
        ("serve", "-slow-start", "6s"),
        {"livenessProbe": http("/healthz", 8080, failureThreshold=4)},
    ),
    Case(
        "readiness-port",
        "pods/readiness-fails",
        "the program listens on port 8080",
        "Set the port of the readiness probe to 8080",
        ("Unhealthy", "connection refused"),
        ("serve",),
        {"readinessProbe": http("/ready", 8081)},
    ),
    Case(
        "readiness-scheme",
        "pods/readiness-fails",
        "server gave HTTP response to HTTPS client",
        "Set the scheme of the readiness probe to HTTP",
        ("Unhealthy", "HTTP response to HTTPS client"),
        ("serve",),
        {"readinessProbe": {"httpGet": {"path": "/ready", "port": 8080, "scheme": "HTTPS"}, "periodSeconds": 1}},
    ),
    Case(
        "missing-variable",
        "pods/crash-loop",
        "environment variable DATABASE_URL is not set",
        "Set environment variable DATABASE_URL from ConfigMap settings",
        ("CrashLoopBackOff",),
        ("require", "-env", "DATABASE_URL"),
        {},
        (("ConfigMap", "settings", {"data": {"DATABASE_URL": "db.shop"}}),),
    ),
    Case(
        "missing-key",
        "pods/missing-config-key",
        "CURRENCY",
        "Add key CURRENCY to ConfigMap settings",
        ("CreateContainerConfigError",),
        ("serve",),
        {"env": [{"name": "CURRENCY", **FROM_SETTINGS}]},
        (("ConfigMap", "settings", {"data": {"COUNTRY": "CH"}}),),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_pasted_command_repairs_it(namespace: Namespace, ask: Callable[..., Diagnosis], case: Case) -> None:
    objects = [manifest(kind, name, namespace.name, **body) for kind, name, body in case.objects]
    namespace.apply(
        *objects, deployment("checkout", namespace.name, *case.arguments, container=case.container, pod=QUICK_END)
    )
    namespace.cluster.wait_for(" ".join(case.shows), lambda: shown(namespace, case.shows))
    if case.diagnostic == "pods/readiness-fails":  # No program is called unready before it had the time to start.
        namespace.cluster.wait_for("16 s", lambda: namespace.running_for("checkout") > timedelta(seconds=16))

    culprit = ask("deploy", "checkout", "-n", namespace.name).culprit

    assert culprit["diagnostic"] == case.diagnostic
    assert case.says in said(culprit)
    fix = next(fix for fix in culprit["fixes"] if fix["summary"].startswith(case.fix))
    namespace.cluster.paste(fix["command"])
    namespace.wait_until_available("checkout")
    namespace.cluster.wait_for("it stays up", lambda: well(namespace), 90)
    after = ask("deploy", "checkout", "-n", namespace.name)
    assert [found for found in after.findings if found["severity"] != "notice"] == []


def shown(namespace: Namespace, what: tuple[str, ...]) -> bool:
    if len(what) == 2:
        return bool(namespace.event(*what))
    (reason,) = what
    return namespace.waiting("checkout", reason) or namespace.last_ended("checkout", reason)


def well(namespace: Namespace) -> bool:
    """One pod is left, and its container has run for some time without a restart."""
    containers = list(namespace.containers("checkout"))
    steady = namespace.running_for("checkout") > STEADY
    return steady and len(containers) == 1 and containers[0]["ready"] and not containers[0]["restartCount"]
