"""Workloads and autoscalers that are set up wrongly: the proposed command is pasted, and the object is well."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.cluster.layout import Document, image
from tests.real.namespace import Namespace
from tests.real.repairs import Case, available, check, define_vertical, field
from tests.real.workloads import VERTICAL, autoscaler, deployment, manifest

pytestmark = pytest.mark.real


def scaled_to_zero(namespace: Namespace) -> None:
    namespace.apply(deployment("web", namespace.name, replicas=0))


def paused(namespace: Namespace) -> None:
    available(namespace, deployment("web", namespace.name))
    namespace.cluster.kubectl("rollout", "pause", "deployment/web", "-n", namespace.name)


def suspended(namespace: Namespace) -> None:
    pod = {"restartPolicy": "Never", "containers": [{"name": "app", "image": image("checkout"), "args": ["exit"]}]}
    spec = {"schedule": "0 3 * * *", "suspend": True, "jobTemplate": {"spec": {"template": {"spec": pod}}}}
    namespace.apply(manifest("CronJob", "backup", namespace.name, "batch/v1", spec=spec))


def image_changed_in_the_pod(namespace: Namespace) -> None:
    available(namespace, deployment("web", namespace.name, pod={"terminationGracePeriodSeconds": 1}))
    pod = namespace.pod_name("web")
    namespace.cluster.kubectl("set", "image", f"pod/{pod}", f"app={image('checkout', '9.9.9')}", "-n", namespace.name)
    namespace.cluster.wait_for("it waits for the image", lambda: namespace.waiting("web", "ImagePullBackOff"))


def left_behind(namespace: Namespace) -> None:
    available(namespace, deployment("web", namespace.name, pod={"terminationGracePeriodSeconds": 1}))
    namespace.cluster.kubectl("delete", "deployment", "web", "--cascade=orphan", "-n", namespace.name)
    namespace.cluster.wait_for("an orphan", lambda: not owners(namespace))


def owners(namespace: Namespace) -> list[object]:
    sets = namespace.cluster.items("replicasets", namespace.name)
    return [owner for one in sets for owner in one["metadata"].get("ownerReferences", [])]


def target_misspelled(namespace: Namespace) -> None:
    available(namespace, deployment("checkout", namespace.name), autoscaler(namespace.name, "web", "chekout"))
    namespace.cluster.wait_for("FailedGetScale", lambda: bool(namespace.event("FailedGetScale")), 60)


def two_autoscalers(namespace: Namespace) -> None:
    available(
        namespace,
        deployment("web", namespace.name),
        autoscaler(namespace.name, "a", "web"),
        autoscaler(namespace.name, "b", "web"),
    )


def both_autoscalers(namespace: Namespace) -> None:
    define_vertical(namespace)
    target = {"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}
    vertical = manifest("VerticalPodAutoscaler", "web", namespace.name, f"{VERTICAL}/v1", spec=target)
    available(namespace, deployment("web", namespace.name), autoscaler(namespace.name, "web", "web"), vertical)


def memory_only(namespace: Namespace) -> bool:
    policies = field(namespace, f"verticalpodautoscalers.{VERTICAL}", "web", "spec", "resourcePolicy")
    return policies == {"containerPolicies": [{"containerName": "*", "controlledResources": ["memory"]}]}


def hook_as_long_as_the_grace_period(namespace: Namespace) -> None:
    hook = {"lifecycle": {"preStop": {"sleep": {"seconds": 4}}}}
    pod = {"terminationGracePeriodSeconds": 4}
    available(namespace, deployment("web", namespace.name, container=hook, pod=pod))


def longer_grace(namespace: Namespace) -> bool:
    return field(namespace, "deployment", "web", "spec", "template", "spec", "terminationGracePeriodSeconds") == 34


def api_without_a_service(namespace: Namespace) -> None:
    service = {"name": "acme-api", "namespace": namespace.name, "port": 443}
    spec = {"group": "acme.example", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10}
    more = {"service": service, "insecureSkipTLSVerify": True}
    namespace.apply(manifest("APIService", "v1.acme.example", None, "apiregistration.k8s.io/v1", spec={**spec, **more}))
    namespace.cluster.wait_for("it is unavailable", lambda: unavailable(namespace))


def unavailable(namespace: Namespace) -> bool:
    (one,) = [
        item
        for item in namespace.cluster.items("apiservices", namespace.name)
        if item["metadata"]["name"] == "v1.acme.example"
    ] or [{}]
    conditions = one.get("status", {}).get("conditions", [])
    return any(row["type"] == "Available" and row["status"] == "False" for row in conditions)


def no_such_api(namespace: Namespace) -> bool:
    return not any(
        item["metadata"]["name"] == "v1.acme.example" for item in namespace.cluster.items("apiservices", namespace.name)
    )


def with_labels(namespace: Namespace, own: str) -> tuple[Document, Document]:
    """Two Deployments; the selector of the first matches the pods of both unless it has a label of its own."""
    first, second = deployment("web", namespace.name), deployment("worker", namespace.name)
    labels = {"app": "web", **({"part": own} if own else {})}
    first["spec"]["selector"]["matchLabels"] = labels
    first["spec"]["template"]["metadata"]["labels"] = labels
    second["spec"]["selector"]["matchLabels"] = {"app": "web", "part": "worker"}
    second["spec"]["template"]["metadata"]["labels"] = {"app": "web", "part": "worker"}
    return first, second


def selector_too_wide(namespace: Namespace) -> None:
    available(namespace, *with_labels(namespace, ""), autoscaler(namespace.name, "web", "web"))


def a_label_of_its_own(namespace: Namespace) -> None:
    namespace.cluster.kubectl("delete", "deployment", "web", "-n", namespace.name)
    available(namespace, with_labels(namespace, "web")[0])


def no(kind: str, name: str) -> Callable[[Namespace], bool]:
    return lambda namespace: (
        name not in [one["metadata"]["name"] for one in namespace.cluster.items(kind, namespace.name)]
    )


CASES = {
    "scaled-to-zero": Case(
        "workloads/replicas-zero",
        ("deploy", "web"),
        ("Scale the Deployment up",),
        scaled_to_zero,
        lambda namespace: field(namespace, "deployment", "web", "status", "readyReplicas") == 1,
    ),
    "paused": Case(
        "workloads/rollout-paused",
        ("deploy", "web"),
        ("Resume the Deployment",),
        paused,
        lambda namespace: not field(namespace, "deployment", "web", "spec", "paused"),
    ),
    "suspended": Case(
        "workloads/cronjob-suspended",
        ("cronjob", "backup"),
        ("Resume the CronJob",),
        suspended,
        lambda namespace: field(namespace, "cronjob", "backup", "spec", "suspend") is False,
    ),
    "image-changed-in-the-pod": Case(
        "workloads/pod-differs-from-template",
        ("deploy", "web"),
        ("Delete the pod",),
        image_changed_in_the_pod,
        lambda namespace: all(status["ready"] for status in namespace.containers("web")),
    ),
    "left-behind": Case(
        "workloads/orphan",
        ("scan",),
        ("Delete it, if it is not needed",),
        left_behind,
        lambda namespace: namespace.cluster.items("replicasets", namespace.name) == [],
    ),
    "target-misspelled": Case(
        "autoscaling/target-missing",
        ("hpa", "web"),
        ("Let it scale Deployment",),
        target_misspelled,
        lambda namespace: field(namespace, "hpa", "web", "spec", "scaleTargetRef", "name") == "checkout",
    ),
    "two-autoscalers": Case(
        "autoscaling/several-autoscalers", ("hpa", "a"), ("Keep one: delete b",), two_autoscalers, no("hpa", "b")
    ),
    "both-autoscalers": Case(
        "autoscaling/vertical-and-horizontal", ("scan",), ("Let it manage memory only",), both_autoscalers, memory_only
    ),
    "pre-stop-hook": Case(
        "pods/pre-stop-slow",
        ("deploy", "web"),
        ("Set terminationGracePeriodSeconds to 34",),
        hook_as_long_as_the_grace_period,
        longer_grace,
    ),
    "api-without-a-service": Case(
        "control-plane/api-service-unavailable",
        ("scan",),
        ("Delete the APIService",),
        api_without_a_service,
        no_such_api,
    ),
    "selector-too-wide": Case(
        "workloads/selects-foreign-pods",
        ("hpa", "web"),
        (),
        selector_too_wide,
        lambda namespace: field(namespace, "deployment", "web", "status", "readyReplicas") == 1,
        a_label_of_its_own,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_proposed_repairs_it(namespace: Namespace, tmp_path: Path, name: str) -> None:
    check(namespace, tmp_path, CASES[name])
