"""Pods and requests that the real API server refuses: the proposed command is pasted, and the workload is well."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.real.diagnosis import Diagnosis, said
from tests.real.namespace import Namespace
from tests.real.workloads import deployment, manifest

pytestmark = pytest.mark.real

Ask = Callable[..., Diagnosis]
AS_A_USER = {"runAsUser": 65532}


def test_pods_of_a_restricted_namespace(namespace: Namespace, ask: Ask) -> None:
    cluster = namespace.cluster
    cluster.kubectl("label", "namespace", namespace.name, "pod-security.kubernetes.io/enforce=restricted")
    namespace.apply(deployment("checkout", namespace.name, pod={"securityContext": AS_A_USER}))
    cluster.wait_for("the refusal", lambda: bool(namespace.event("FailedCreate", "violates PodSecurity")))

    found = ask("deploy", "checkout", "-n", namespace.name).culprit
    assert (found["diagnostic"], found["confidence"]) == ("admission/pods-refused", "certain")
    (fix,) = found["fixes"]
    assert fix["verified"], fix
    cluster.paste(fix["command"])
    namespace.wait_until_available("checkout")


@pytest.mark.parametrize(
    ("item", "resources", "says", "event"),
    [
        (
            {"max": {"memory": "64Mi"}},
            {"limits": {"memory": "128Mi"}},
            "maximum memory usage per Container is 64Mi, but limit is 128Mi",
            "maximum memory usage",
        ),
        (
            {"default": {"memory": "32Mi"}},
            {"requests": {"memory": "64Mi"}},
            "container app requests 64Mi memory and has no limit",
            "must be less than or equal to memory limit",
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}},
            {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"cpu": "200m", "memory": "64Mi"}},
            "max limit to request ratio per Container is 2",
            "ratio",
        ),
    ],
    ids=["above-the-maximum", "below-its-request", "ratio"],
)
def test_pods_that_a_limit_range_refuses(
    namespace: Namespace, ask: Ask, item: dict[str, object], resources: dict[str, object], says: str, event: str
) -> None:
    limits = {"limits": [{"type": "Container", **item}]}
    namespace.apply(manifest("LimitRange", "bounds", namespace.name, spec=limits))
    namespace.apply(deployment("checkout", namespace.name, container={"resources": resources}))
    namespace.cluster.wait_for("the refusal", lambda: bool(namespace.event("FailedCreate", event)))

    found = ask("deploy", "checkout", "-n", namespace.name).culprit
    assert found["diagnostic"] == "admission/pods-refused"
    assert says in said(found)
    fix = next(fix for fix in found["fixes"] if fix["verified"])
    namespace.cluster.paste(fix["command"])
    namespace.wait_until_available("checkout")


@pytest.mark.parametrize(
    ("verb", "resource"), [("list", "configmaps"), ("get", "deployments/scale"), ("get", "/metrics"), ("list", "nodes")]
)
def test_a_right_that_is_granted(namespace: Namespace, ask: Ask, verb: str, resource: str) -> None:
    """The proposed role is what the API server's own answer needs to change."""
    cluster, user = namespace.cluster, f"system:serviceaccount:{namespace.name}:default"
    name, _, subresource = resource.partition("/") if not resource.startswith("/") else (resource, "", "")
    words = [verb, name, *([f"--subresource={subresource}"] if subresource else [])]

    def may() -> bool:
        place = [] if name in ("nodes", "/metrics") else ["-n", namespace.name]
        try:
            return cluster.kubectl("auth", "can-i", *words, f"--as={user}", *place).strip() == "yes"
        except RuntimeError:
            return False

    assert not may()
    answer = ask("can", *words, "--as", f"{namespace.name}/default", "-n", namespace.name)
    assert answer.exit_code == 1
    (fix,) = answer.report["fixes"]
    assert fix["verified"], fix
    cluster.paste(fix["command"])
    cluster.wait_for("the right", may)
    assert ask("can", *words, "--as", f"{namespace.name}/default", "-n", namespace.name).exit_code == 0
    if "clusterrole" in fix["command"]:
        for kind in ("clusterrolebinding", "clusterrole"):
            cluster.kubectl("delete", kind, fix["command"].split()[3])
