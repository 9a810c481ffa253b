"""Autoscalers that cannot compute, are held or evict: what is proposed is pasted, and they go on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.layout import Document, image
from tests.real.metrics import measured
from tests.real.namespace import Namespace
from tests.real.repairs import Case, Step, Test, available, check, define_vertical, field
from tests.real.workloads import VERTICAL, autoscaler, deployment, manifest

pytestmark = pytest.mark.real

HPA = ("hpa", "web")
KINDS = f"verticalpodautoscalers.{VERTICAL}"
BOUNDS = {
    "lowerBound": {"cpu": "600m", "memory": "300Mi"},
    "target": {"cpu": "800m", "memory": "400Mi"},
    "upperBound": {"cpu": "2", "memory": "2Gi"},
}


@pytest.fixture(scope="module")
def with_metrics(cluster: RealCluster) -> Iterator[None]:
    with measured(cluster, cpu="400m", memory="60Mi"):
        yield


def limited(at: Namespace) -> None:
    scaler = autoscaler(at.name, "web", "web")
    scaler["spec"]["maxReplicas"] = 2
    available(at, deployment("web", at.name, replicas=2), scaler)


def with_room(at: Namespace) -> bool:
    most = field(at, "hpa", "web", "spec", "maxReplicas")
    return isinstance(most, int) and most > 2


def beside_another_container(at: Namespace) -> None:
    """The second container has no CPU request."""
    web = deployment("web", at.name)
    web["spec"]["template"]["spec"]["containers"].append({"name": "log", "image": image("checkout"), "args": ["sleep"]})
    available(at, web, autoscaler(at.name, "web", "web"))


def computes(at: Namespace) -> bool:
    conditions = field(at, "hpa", "web", "status", "conditions")
    rows = conditions if isinstance(conditions, list) else []
    return any(row["type"] == "ScalingActive" and row["status"] == "True" for row in rows)


def vertical(at: Namespace, **policy: object) -> None:
    """What the recommender writes is written by hand: its programs are not here."""
    define_vertical(at)
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"targetRef": target, "updatePolicy": {"updateMode": "Recreate", **policy}}
    at.apply(manifest("VerticalPodAutoscaler", "web", at.name, f"{VERTICAL}/v1", spec=spec))
    provided = {"type": "RecommendationProvided", "status": "True", "lastTransitionTime": "2026-01-15T00:00:00Z"}
    recommended = {"containerRecommendations": [{"containerName": "app", **BOUNDS}]}
    status = json.dumps({"status": {"conditions": [provided], "recommendation": recommended}})
    at.cluster.kubectl("patch", KINDS, "web", "--type=merge", "-p", status, "-n", at.name)


def evicted(number: int, **annotations: str) -> Step:
    def steps(at: Namespace) -> None:
        web = deployment("web", at.name, replicas=2, pod={"terminationGracePeriodSeconds": 1})
        web["spec"]["template"]["metadata"]["annotations"] = annotations
        available(at, web)
        vertical(at)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        about = {"apiVersion": f"{VERTICAL}/v1", "kind": "VerticalPodAutoscaler", "name": "web", "namespace": at.name}
        for count in range(number):
            words = f"VPA Updater evicted Pod web-{count} to apply resource recommendation."
            body: Document = {"involvedObject": about, "reason": "EvictedPod", "message": words, "type": "Normal"}
            body |= {"count": 1, "firstTimestamp": now, "lastTimestamp": now, "source": {"component": "vpa-updater"}}
            at.apply(manifest("Event", f"web.{count}", at.name, **body))

    return steps


def one_pod(at: Namespace) -> None:
    available(at, deployment("web", at.name, pod={"terminationGracePeriodSeconds": 1}))
    vertical(at)
    hook = {"name": "vpa.k8s.io", "sideEffects": "None", "admissionReviewVersions": ["v1"], "failurePolicy": "Ignore"}
    client = {"clientConfig": {"url": "https://127.0.0.1:1/"}}
    kind, version = "MutatingWebhookConfiguration", "admissionregistration.k8s.io/v1"
    at.apply(manifest(kind, "vpa-webhook-config", None, version, webhooks=[{**hook, **client}]))


def without_webhook(at: Namespace) -> None:
    at.cluster.kubectl("delete", "mutatingwebhookconfiguration", "vpa-webhook-config")


def policy(name: str, value: object) -> Test:
    return lambda at: field(at, KINDS, "web", "spec", "updatePolicy", name) == value


def restarted_and_policy(at: Namespace) -> bool:
    restarted = str(at.cluster.get("deployment", "web", at.name)["spec"]["template"]["metadata"])
    return "kubectl.kubernetes.io/restartedAt" in restarted and policy("minReplicas", 1)(at)


MEASURED = {
    "at-its-maximum": Case("autoscaling/at-maximum", HPA, ("Raise maxReplicas to 20",), limited, with_room, stays=True),
    "no-request": Case(
        "autoscaling/no-metrics",
        HPA,
        ("Give container log a cpu request",),
        beside_another_container,
        computes,
        says="container log",
    ),
    "measured-alone": Case(
        "autoscaling/no-metrics",
        HPA,
        ("Or measure container app alone",),
        beside_another_container,
        computes,
    ),
}
VERTICALS = {
    "evicts-again-and-again": Case(
        "autoscaling/vertical-evicts",
        ("scan",),
        ("Or let it evict nothing",),
        evicted(6, vpaUpdates="Pod resources updated by web: container 0: cpu request"),
        policy("updateMode", "Initial"),
        kinds=KINDS,
    ),
    "evicts-in-vain": Case(
        "autoscaling/vertical-not-applied",
        ("scan",),
        ("Until then let it only recommend",),
        evicted(4),
        policy("updateMode", "Off"),
        kinds=KINDS,
        later=timedelta(minutes=15),
    ),
    "one-pod": Case(
        "autoscaling/vertical-not-applied",
        ("scan",),
        ("Restart the workload", "Or let it evict the only pod"),
        one_pod,
        restarted_and_policy,
        kinds=KINDS,
        later=timedelta(minutes=15),
        undo=without_webhook,
    ),
}


@pytest.mark.parametrize("name", MEASURED)
def test_what_is_proposed_lets_it_scale(with_metrics: None, namespace: Namespace, tmp_path: Path, name: str) -> None:
    check(namespace, tmp_path, MEASURED[name])


@pytest.mark.parametrize("name", VERTICALS)
def test_what_is_proposed_of_a_vertical_autoscaler(namespace: Namespace, tmp_path: Path, name: str) -> None:
    check(namespace, tmp_path, VERTICALS[name])
