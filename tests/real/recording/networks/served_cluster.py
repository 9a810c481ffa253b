"""Faults of ingress-nginx's controller itself and of its webhook, which concern every Ingress."""

from __future__ import annotations

import json

from tests.real.cluster.layout import Document
from tests.real.ingress_controller import ACCOUNT, NAME, PLACE, RULES, WEBHOOK, admission, controller, rolled_out
from tests.real.namespace import Namespace
from tests.real.recording.fault import Fault
from tests.real.recording.networks.clients import ready, service, web
from tests.real.recording.networks.entrances import OVERDUE
from tests.real.recording.networks.served import INGRESS, backend, ingress, listed
from tests.real.workloads import RBAC, deployment, manifest

WORKLOAD = (("Deployment", f"{PLACE}/{NAME}"), ("Pod", f"{PLACE}/{NAME}-*"))
CONFIGURATION = (("ValidatingWebhookConfiguration", f"/{WEBHOOK}"),)


def scale(at: Namespace, replicas: int) -> None:
    at.cluster.kubectl("scale", f"deployment/{NAME}", "-n", PLACE, f"--replicas={replicas}")


def pods(at: Namespace) -> list[Document]:
    return at.cluster.items("pods", PLACE, "app.kubernetes.io/component=controller")


def gone(at: Namespace) -> bool:
    return not pods(at)


def stopped(at: Namespace) -> None:
    at.cluster.wait_for("its address", lambda: listed()(at))
    scale(at, 0)


def uninstalled(at: Namespace) -> None:
    """All but the webhook's configuration, which belongs to no namespace."""
    at.cluster.wait_for("its address", lambda: listed()(at))
    at.cluster.kubectl("delete", "deployment/" + NAME, "service/" + NAME, f"service/{NAME}-admission", "-n", PLACE)


def without_slices(at: Namespace) -> None:
    """It starts with a role that lacks the right to list EndpointSlices."""
    rules = [rule for rule in RULES if rule["resources"] != ["endpointslices"]]
    at.apply(manifest("ClusterRole", ACCOUNT, None, f"{RBAC}/v1", rules=rules))
    again(at)


def without_its_secret(at: Namespace) -> None:
    at.cluster.kubectl("delete", "secret", WEBHOOK, "-n", PLACE)
    again(at)


def again(at: Namespace) -> None:
    scale(at, 0)
    at.cluster.wait_for("the end of its pods", lambda: gone(at))
    scale(at, 1)


def restored(at: Namespace) -> None:
    at.cluster.kubectl("delete", "ingresses", "--all", "-n", at.name)
    at.cluster.kubectl("delete", "validatingwebhookconfiguration", WEBHOOK, "--ignore-not-found")
    at.apply(*admission(), *controller())
    scale(at, 1)
    rolled_out(at.cluster)
    at.cluster.kubectl("delete", "events", "--all", "-n", PLACE)


def refused(at: Namespace, *ingresses: Document) -> None:
    """Ingresses that the webhook would have refused: it is not installed, as with `admissionWebhooks.enabled=false`."""
    at.cluster.kubectl("delete", "validatingwebhookconfiguration", WEBHOOK)
    at.apply(*ingresses)


def with_a_wrong_setting(at: Namespace) -> None:
    """The controller checks the values of annotations, as it does by default from version 1.12 on."""
    checks = [
        {"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--enable-annotation-validation"}
    ]
    at.cluster.kubectl("patch", f"deployment/{NAME}", "-n", PLACE, "--type=json", "-p", json.dumps(checks))
    rolled_out(at.cluster)
    refused(at, ingress(at.name, settings={"proxy-read-timeout": "60s"}))


def next_version(namespace: str) -> list[Document]:
    return [deployment("next", namespace), service(namespace, "next")]


def at_work_again(at: Namespace) -> bool:
    rows = [row for pod in pods(at) for row in pod["status"].get("containerStatuses", [])]
    return bool(rows) and all(row["started"] for row in rows)


SERVED_CLUSTER = (
    Fault(
        "served-by-a-controller-scaled-to-zero",
        "The ingress controller is scaled to 0, and its webhook still decides about each Ingress: none can be written.",
        "controller-scaled-to-zero",
        "Deployment ingress-nginx-controller has 0 replicas.",
        (*WORKLOAD, *CONFIGURATION, *INGRESS),
        lambda namespace: [*web(namespace), ingress(namespace)],
        gone,
        steps=stopped,
        repair=restored,
        settle=20,
    ),
    Fault(
        "served-webhook-left-behind",
        "The ingress controller was removed, and the configuration of its webhook stayed: no Ingress can be written.",
        "webhook-unavailable",
        "Service ingress-nginx-controller-admission of the webhook does not exist.",
        (*CONFIGURATION, *INGRESS),
        lambda namespace: [*web(namespace), ingress(namespace)],
        gone,
        steps=uninstalled,
        repair=restored,
        settle=OVERDUE,
    ),
    Fault(
        "served-by-a-controller-without-its-rights",
        "The ClusterRole of the ingress controller lacks EndpointSlices, as after an upgrade without its RBAC.",
        "rbac-forbidden",
        "ClusterRole ingress-nginx grants no list of endpointslices.",
        (*WORKLOAD, ("ClusterRole", f"/{ACCOUNT}")),
        lambda namespace: web(namespace),
        at_work_again,
        steps=without_slices,
        repair=restored,
        settle=100,
    ),
    Fault(
        "served-by-a-controller-without-its-secret",
        "The Secret of the webhook's certificate was never made: the controller cannot start.",
        "secret-missing",
        "Secret ingress-nginx-admission does not exist.",
        WORKLOAD,
        lambda namespace: web(namespace),
        lambda at: any("ingress-nginx-admission" in one["message"] for one in at.cluster.items("events", PLACE)),
        steps=without_its_secret,
        repair=restored,
        settle=30,
    ),
    Fault(
        "served-ingresses-in-conflict",
        "Two Ingresses have the same host and path: the controller takes the older one.",
        "ingress-conflict",
        "Host and path of Ingress other are those of Ingress web already.",
        (("Ingress", "other"), ("Ingress", "web")),
        lambda namespace: [*web(namespace), *next_version(namespace), ingress(namespace)],
        listed("other"),
        steps=lambda at: refused(at, ingress(at.name, backend("next"), name="other")),
        repair=restored,
        settle=20,
    ),
    Fault(
        "served-ingress-with-a-wrong-setting",
        "An annotation has `60s` where ingress-nginx takes a number: the controller serves the Ingress no more.",
        "ingress-annotation",
        "proxy-read-timeout takes a number of seconds; 60s is none.",
        INGRESS,
        web,
        ready("web"),
        steps=with_a_wrong_setting,
        repair=restored,
        settle=OVERDUE,
    ),
    Fault(
        "served-ingress-with-a-refused-snippet",
        "An Ingress has a configuration snippet, which the controller does not allow.",
        "ingress-annotation",
        "Snippets are not allowed in the controller's ConfigMap.",
        INGRESS,
        web,
        ready("web"),
        steps=lambda at: refused(at, ingress(at.name, settings={"configuration-snippet": "more_set_headers 'X: 1';"})),
        repair=restored,
        settle=OVERDUE,
    ),
)
