"""Pods that do not start, do not end or are not resized: what is proposed is pasted, and the pod is well."""

from __future__ import annotations

import json
import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from tests.real.cluster.layout import REGISTRY, Document, image
from tests.real.namespace import Namespace
from tests.real.recording.parts import probe
from tests.real.repairs import Case, Step, Test, check
from tests.real.workloads import deployment, manifest

pytestmark = pytest.mark.real

SOON = {"terminationGracePeriodSeconds": 1}
WEB = ("deploy", "web")


def web(container: Document | None = None, pod: Document | None = None, *arguments: str) -> Step:
    return lambda at: at.apply(deployment("web", at.name, *arguments, container=container, pod={**SOON, **(pod or {})}))


def available(at: Namespace) -> bool:
    return bool(at.cluster.get("deployment", "web", at.name)["status"].get("availableReplicas"))


def exists(kind: str, name: str) -> Test:
    return lambda at: bool(at.cluster.get(kind, name, at.name))


def beside_a_good_one(at: Namespace) -> None:
    at.apply(deployment("checkout", at.name, pod=SOON))
    at.wait_until_available("checkout")
    web({"image": f"{REGISTRY.replace('internal', 'internl')}/checkout:1.4.2"})(at)


def without_a_key(at: Namespace) -> None:
    at.apply(manifest("Secret", "login", at.name, stringData={"user": "web"}))
    reads = {"secretKeyRef": {"name": "login", "key": "password"}}
    web({"env": [{"name": "PASSWORD", "valueFrom": reads}]})(at)


def ends_late(at: Namespace) -> None:
    at.apply(deployment("web", at.name, "deaf", pod={"terminationGracePeriodSeconds": 600}))
    at.wait_until_available("web")
    at.cluster.kubectl("scale", "deployment/web", "--replicas=0", "-n", at.name)


def deleted_twice(at: Namespace) -> None:
    """The kubelet hears of no second grace period once it has begun to stop a container."""
    ends_late(at)
    at.cluster.kubectl("delete", "pod", at.pod_name("web"), "--grace-period=20", "--wait=false", "-n", at.name)


def kill_its_program(at: Namespace) -> None:
    """As `crictl stop --timeout 0` does on the node."""
    os.kill(at.cluster.pid_in_container(at.pod_name("web"), at.name), signal.SIGKILL)


def kept_by_a_finalizer(at: Namespace) -> None:
    web()(at)
    at.wait_until_available("web")
    keep = json.dumps({"metadata": {"finalizers": ["acme.example/books"]}})
    at.cluster.kubectl("patch", "pod", at.pod_name("web"), "--type=merge", "-p", keep, "-n", at.name)
    at.cluster.kubectl("scale", "deployment/web", "--replicas=0", "-n", at.name)


def no_pods(at: Namespace) -> bool:
    return at.pods("web") == []


def resized_above_what_is_free(at: Namespace) -> None:
    web()(at)
    at.wait_until_available("web")
    more = {"name": "app", "resources": {"requests": {"cpu": "1950m"}}}
    patch = json.dumps({"spec": {"containers": [more]}})
    at.cluster.kubectl("patch", "pod", at.pod_name("web"), "--subresource=resize", "-p", patch, "-n", at.name)


def runs_as_it_should(at: Namespace) -> bool:
    (pod,) = at.pods("web")
    asked = pod["spec"]["containers"][0]["resources"]["requests"]["cpu"]
    return asked == "50m" and not any(row["type"] == "PodResizePending" for row in pod["status"]["conditions"])


def hook_without_its_program(at: Namespace) -> None:
    hook = {"lifecycle": {"preStop": {"exec": {"command": ["/bin/drain", "--all"]}}}}
    web(hook)(at)
    at.wait_until_available("web")
    at.cluster.kubectl("rollout", "restart", "deployment/web", "-n", at.name)
    at.wait_until_available("web")


def hook_that_sleeps(at: Namespace) -> None:
    sleeps = {"lifecycle": {"preStop": {"sleep": {"seconds": 1}}}}
    web(sleeps, {"terminationGracePeriodSeconds": 10})(at)
    at.wait_until_available("web")


CASES = {
    "image-in-capitals": Case(
        "pods/image-name-invalid",
        WEB,
        (f"Use {REGISTRY}/checkout:1.4.2",),
        web({"image": f"{REGISTRY}/Checkout:1.4.2"}),
        available,
    ),
    "image-never-pulled": Case(
        "pods/image-never-pull",
        WEB,
        ("Set imagePullPolicy of container `app` to IfNotPresent",),
        web({"image": image("web"), "imagePullPolicy": "Never"}),
        available,
    ),
    "registry-misspelled": Case(
        "pods/registry-unreachable", WEB, (f"Use registry {REGISTRY}",), beside_a_good_one, available
    ),
    "login-of-the-registry": Case(
        "pods/registry-denied",
        WEB,
        ("Create Secret registry-login",),
        web({"image": image("private/web")}, {"imagePullSecrets": [{"name": "registry-login"}]}),
        exists("secret", "registry-login"),
        stays=True,
    ),
    "config-map": Case(
        "pods/missing-config",
        WEB,
        ("Create ConfigMap web-settings",),
        web({"envFrom": [{"configMapRef": {"name": "web-settings"}}]}),
        available,
    ),
    "secret": Case(
        "pods/missing-secret",
        WEB,
        ("Create Secret web-login",),
        web({"envFrom": [{"secretRef": {"name": "web-login"}}]}),
        available,
    ),
    "key-of-a-secret": Case(
        "pods/missing-config-key", WEB, ("Add key password to Secret login",), without_a_key, available
    ),
    "root": Case(
        "pods/security-context-refused",
        WEB,
        ("Run container `app` as a non-root user",),
        web({"securityContext": {"runAsNonRoot": True}}),
        available,
    ),
    "port-of-the-liveness-probe": Case(
        "pods/liveness-kills",
        WEB,
        ("Set the port of the liveness probe to 8080",),
        web(probe("liveness", httpGet={"path": "/healthz", "port": 8081}), None, "serve"),
        available,
    ),
    "scheme-of-the-liveness-probe": Case(
        "pods/liveness-kills",
        WEB,
        ("Set the scheme of the liveness probe to HTTP",),
        web(probe("liveness", httpGet={"path": "/healthz", "port": 8080, "scheme": "HTTPS"}), None, "serve"),
        available,
    ),
    "long-grace-period": Case(
        "pods/terminating-slowly",
        ("scan",),
        (),
        deleted_twice,
        no_pods,
        kill_its_program,
        says="a second deletion, with 20s, does not change it",
    ),
    "finalizer": Case(
        "pods/terminating-stuck",
        ("scan",),
        ("Remove the finalizer by hand",),
        kept_by_a_finalizer,
        no_pods,
        says="acme.example/books",
    ),
    "resize": Case(
        "pods/resize-refused",
        WEB,
        ("Return to the resources that it runs with",),
        resized_above_what_is_free,
        runs_as_it_should,
        says="it requests 1950m CPU and node node-1 has",
        later=timedelta(minutes=15),
    ),
    "hook-without-its-program": Case(
        "pods/pre-stop-slow",
        ("scan",),
        (),
        hook_without_its_program,
        available,
        hook_that_sleeps,
        says="/bin/drain",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_proposed_repairs_it(namespace: Namespace, tmp_path: Path, name: str) -> None:
    check(namespace, tmp_path, CASES[name])
