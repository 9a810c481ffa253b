"""Ingresses in a cluster where ingress-nginx's controller runs: what it writes about each is in its log and in the status."""

from __future__ import annotations

from tests.real.cluster.layout import Document
from tests.real.ingress_controller import NETWORKING
from tests.real.namespace import Namespace
from tests.real.recording.fault import Fault
from tests.real.recording.networks.clients import ready, service, unready, web
from tests.real.recording.networks.entrances import OVERDUE
from tests.real.recording.networks.services import not_ready
from tests.real.workloads import manifest

INGRESS = (("Ingress", "web"),)
SNIPPET = "nginx.ingress.kubernetes.io/configuration-snippet"


def ingress(namespace: str, backend: str = "web", *, annotations: Document | None = None, **spec: object) -> Document:
    """For a host of its own, as all namespaces share one controller."""
    paths = [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": backend, "port": {"number": 80}}}}]
    rules = [{"host": f"{namespace}.acme.example", "http": {"paths": paths}}]
    made = manifest("Ingress", "web", namespace, NETWORKING, spec={"ingressClassName": "nginx", "rules": rules, **spec})
    made["metadata"]["annotations"] = annotations or {}
    return made


def without_a_class(namespace: str) -> list[Document]:
    made = ingress(namespace)
    del made["spec"]["ingressClassName"]
    return [*web(namespace), made]


def behind_unready(namespace: str) -> list[Document]:
    server, behind, _ = not_ready(namespace)
    return [server, behind, ingress(namespace)]


def with_address(at: Namespace) -> bool:
    found = at.cluster.get("ingress", "web", at.name)
    return bool(found.get("status", {}).get("loadBalancer", {}).get("ingress")) and ready("web")(at)


def tls(namespace: str) -> Document:
    return ingress(namespace, tls=[{"hosts": [f"{namespace}.acme.example"], "secretName": "web-tls"}])


SERVED = (
    Fault(
        "served-ingress-without-a-class",
        "An Ingress names no class, and no class is the default: the controller ignores it.",
        "ingress-class",
        "The Ingress has no ingressClassName, and no IngressClass is the default.",
        INGRESS,
        without_a_class,
        ready("web"),
        settle=OVERDUE,
    ),
    Fault(
        "served-ingress-of-a-misspelled-class",
        "An Ingress names the class ngnix: the controller of nginx ignores it.",
        "ingress-class",
        "There is no IngressClass ngnix; the cluster has nginx.",
        INGRESS,
        lambda namespace: [*web(namespace), ingress(namespace, ingressClassName="ngnix")],
        ready("web"),
        settle=OVERDUE,
    ),
    Fault(
        "served-ingress-of-a-missing-service",
        "An Ingress sends to Service wbe, which does not exist.",
        "ingress-backend",
        "There is no Service wbe; the Service is web.",
        INGRESS,
        lambda namespace: [*web(namespace), ingress(namespace, "wbe")],
        with_address,
        settle=20,
    ),
    Fault(
        "served-ingress-without-its-certificate",
        "The TLS Secret of an Ingress does not exist: the controller serves its own certificate instead.",
        "ingress-tls",
        "There is no Secret web-tls.",
        INGRESS,
        lambda namespace: [*web(namespace), tls(namespace)],
        with_address,
        settle=20,
    ),
    Fault(
        "served-ingress-of-unready-pods",
        "The Service of an Ingress has no ready pod: clients get 503.",
        "readiness",
        "The readiness probe of web gets status 503.",
        (("Deployment", "web"),),
        behind_unready,
        unready("web", 40),
        settle=20,
    ),
    Fault(
        "served-ingress-with-a-refused-snippet",
        "An Ingress has a configuration snippet, which the controller does not allow: it does not serve the Ingress.",
        "ingress-annotation",
        "The controller refuses the annotation configuration-snippet.",
        INGRESS,
        lambda namespace: [*web(namespace), ingress(namespace, annotations={SNIPPET: "more_set_headers 'X: 1';"})],
        ready("web"),
        settle=OVERDUE,
    ),
    Fault(
        "healthy-served-ingress",
        "An Ingress that the controller serves, with its Service and the class.",
        "healthy",
        "Nothing is wrong.",
        (),
        lambda namespace: [*web(namespace), ingress(namespace), service(namespace, "unused", selector={"app": "web"})],
        with_address,
        settle=20,
    ),
)
