"""Faults of pods and workloads that have drifted from what made them."""

from __future__ import annotations

from tests.real.cluster.layout import Document
from tests.real.namespace import Namespace
from tests.real.recording.fault import Fault, event, every_container
from tests.real.recording.parts import CHECKOUT, service
from tests.real.recording.workloads import container, stateful_set, template
from tests.real.workloads import deployment, manifest

LONG = "analytics-warehouse-ingest-primary-europe-west-production"


def surging(namespace: str) -> list[Document]:
    port = {**container("serve"), "ports": [{"containerPort": 8080, "hostPort": 18081}]}
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    spec = {
        "selector": {"matchLabels": {"app": "agent"}},
        "updateStrategy": strategy,
        "template": template("agent", port),
    }
    return [manifest("DaemonSet", "agent", namespace, "apps/v1", spec=spec)]


def new_agent(at: Namespace) -> None:
    at.cluster.kubectl("rollout", "status", "daemonset/agent", "-n", at.name, "--timeout=120s")
    at.cluster.kubectl("set", "env", "daemonset/agent", "LEVEL=debug", "-n", at.name)


def image_of_a_pod(at: Namespace) -> None:
    at.wait_until_available("checkout")
    pod = at.pods("checkout")[0]
    image = pod["spec"]["containers"][0]["image"].replace("checkout", "web")
    at.cluster.kubectl("set", "image", f"pod/{pod['metadata']['name']}", f"app={image}", "-n", at.name)


def all_at_once(namespace: str) -> list[Document]:
    found = deployment("checkout", namespace, replicas=2)
    found["spec"]["strategy"] = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": "100%"}}
    return [found, service(namespace, "checkout")]


def bad_revision(at: Namespace) -> None:
    at.wait_until_available("checkout")
    at.apply(*[_never_ready(item) if item["kind"] == "Deployment" else item for item in all_at_once(at.name)])


def _never_ready(item: Document) -> Document:
    first = item["spec"]["template"]["spec"]["containers"][0]
    first["readinessProbe"] = {"httpGet": {"path": "/ready", "port": 9999}, "periodSeconds": 2}
    return item


STRAYS = (
    Fault(
        "daemon-set-behind-its-own-host-port",
        "A DaemonSet with maxSurge 1 and a host port: the new pod of the node does not fit beside the old one.",
        "rollout-deadlock",
        "The old pod holds host port 18081, and with maxSurge the old pod ends after the new one is available.",
        (("DaemonSet", "agent"),),
        surging,
        event("FailedScheduling", "free ports"),
        steps=new_agent,
    ),
    Fault(
        "image-changed-in-a-pod",
        "Somebody has set another image in the pod of a Deployment.",
        "pod-differs",
        "The pod runs web, its template has checkout.",
        (("Pod", "checkout-*"), *CHECKOUT),
        lambda namespace: [deployment("checkout", namespace)],
        lambda at: any(status["restartCount"] for status in every_container(at, "checkout")),
        steps=image_of_a_pod,
        settle=15,
    ),
    Fault(
        "rollout-all-at-once",
        "A rollout with maxUnavailable 100%, whose new pods are never ready.",
        "rollout-removed-all",
        "maxUnavailable 100% ended both old pods; nothing listens on port 9999 of the readiness probe.",
        CHECKOUT,
        all_at_once,
        event("Unhealthy", "Readiness"),
        steps=bad_revision,
        settle=75,
    ),
    Fault(
        "stateful-set-name-too-long",
        "A StatefulSet whose name and hash are longer than a label may be.",
        "name-too-long",
        "The label controller-revision-hash would have more than 63 characters.",
        (("StatefulSet", LONG),),
        lambda namespace: [stateful_set(LONG, namespace, "db", "serve", replicas=1)],
        event("FailedCreate", "no more than 63"),
    ),
)
