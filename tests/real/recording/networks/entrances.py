"""Entrances to a cluster in which no controller serves them: Ingress and Gateway API."""

from __future__ import annotations

from tests.real.cluster.layout import Document
from tests.real.recording.fault import Fault
from tests.real.recording.networks.clients import ready, web
from tests.real.workloads import manifest

INGRESS = (("Ingress", "web"),)
NETWORKING = "networking.k8s.io/v1"


def ingress(namespace: str, *, port: Document | None = None, **more: object) -> Document:
    backend = {"service": {"name": "web", "port": port or {"name": "http"}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    rules = [{"host": "shop.acme.example", "http": {"paths": paths}}]
    return manifest("Ingress", "web", namespace, NETWORKING, spec={"rules": rules, **more})


def nginx() -> Document:
    """The class of a controller that does not run."""
    return manifest("IngressClass", "nginx", None, NETWORKING, spec={"controller": "k8s.io/ingress-nginx"})


OVERDUE = 130.0
"""Seconds after which nobody is still at work on it."""
ENTRANCES = (
    Fault(
        "ingress-of-a-misspelled-class",
        "An Ingress names the class ngnix; the cluster has nginx.",
        "ingress-class",
        "There is no IngressClass ngnix.",
        INGRESS,
        lambda namespace: [nginx(), *web(namespace), ingress(namespace, ingressClassName="ngnix")],
        ready("web"),
        settle=OVERDUE,
    ),
    Fault(
        "ingress-of-a-controller-that-is-gone",
        "An Ingress names a class whose controller does not run.",
        "ingress-not-served",
        "No pod of controller k8s.io/ingress-nginx runs.",
        INGRESS,
        lambda namespace: [nginx(), *web(namespace), ingress(namespace, ingressClassName="nginx")],
        ready("web"),
        settle=OVERDUE,
    ),
    Fault(
        "ingress-to-a-port-that-the-service-lacks",
        "An Ingress sends to port 8080 of a Service that has port 80 only.",
        "ingress-backend",
        "Service web has port 80 and no port 8080.",
        INGRESS,
        lambda namespace: [*web(namespace), ingress(namespace, port={"number": 8080})],
        ready("web"),
    ),
)
