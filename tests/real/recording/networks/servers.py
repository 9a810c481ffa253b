"""Servers and clients that meet, and do not understand or hear each other."""

from __future__ import annotations

from tests.real.cluster.layout import Document
from tests.real.namespace import Namespace
from tests.real.recording.fault import Fault
from tests.real.recording.networks.clients import CRASHED, address_of, client, service, slice_of, web
from tests.real.recording.parts import CHECKOUT
from tests.real.workloads import deployment, manifest

GET = ("-get", "http://web/")
NOBODY = "10.244.0.250"
"""An address of the pod network that no pod has."""
NO_SERVICE = "10.96.77.77"
"""An address of the range of Services that no Service has."""


def on_the_loopback(namespace: str) -> list[Document]:
    declared = {"ports": [{"name": "http", "containerPort": 8080}]}
    server = deployment("web", namespace, "serve", "-host", "127.0.0.1", container=declared)
    return [server, service(namespace), client(namespace, *GET)]


def of_two_programs(namespace: str) -> list[Document]:
    """A server and a program without a port, both with the label that the Service selects."""
    objects = [deployment("web", namespace), deployment("worker", namespace, "sleep", replicas=3)]
    for one in objects:
        one["spec"]["template"]["metadata"]["labels"]["tier"] = "shop"
    # By number: a port that is named leaves out the pods that do not have it.
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    return [*objects, service(namespace, selector={"tier": "shop"}, ports=ports), client(namespace, *GET)]


def of_another_service(at: Namespace) -> None:
    made = slice_of(at.name, "ledger", address_of(at, "backend"))
    made["metadata"]["labels"]["kubernetes.io/service-name"] = "ledgers"
    at.apply(made)


def without_a_slice(namespace: str) -> list[Document]:
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    return [
        deployment("backend", namespace),
        manifest("Service", "ledger", namespace, spec={"ports": ports}),
        client(namespace, "-get", "http://ledger/"),
    ]


def calls_an_address(namespace: str, address: str) -> list[Document]:
    return [*web(namespace), client(namespace, "-dial", address)]


def calls_a_pod_that_went(at: Namespace) -> None:
    """By the address that the pod of web had before it was created again."""
    address = address_of(at, "web")
    at.cluster.kubectl("delete", "pods", "-l", "app=web", "-n", at.name, "--force", "--grace-period=0")
    at.wait_until_available("web")
    at.apply(client(at.name, "-dial", f"{address}:8080"))


def with_an_alias(namespace: str) -> list[Document]:
    aliases = [{"ip": NOBODY, "hostnames": ["web"]}]
    return [*web(namespace), client(namespace, *GET, pod={"hostAliases": aliases})]


SERVERS = (
    Fault(
        "server-on-its-loopback",
        "A server listens on 127.0.0.1 only, so that no other pod can connect; its client is refused.",
        "loopback",
        "web listens on 127.0.0.1:8080, which only its own pod reaches.",
        (("Deployment", "web"), ("Service", "web"), *CHECKOUT),
        on_the_loopback,
        CRASHED,
    ),
    Fault(
        "service-selects-two-programs",
        "A Service selects tier=shop, which also a worker without a port has: most connections are refused.",
        "service-selector",
        "The Service also selects the pods of worker, which listen on no port.",
        (("Service", "web"),),
        of_two_programs,
        CRASHED,
    ),
    Fault(
        "slice-by-hand-of-another-service",
        "The EndpointSlice for Service ledger, which has no selector, names the Service ledgers.",
        "slice-service-name",
        "Label kubernetes.io/service-name is ledgers; the Service is ledger.",
        (("EndpointSlice", "ledger-by-hand"), ("Service", "ledger")),
        without_a_slice,
        CRASHED,
        steps=of_another_service,
    ),
    Fault(
        "cluster-ip-of-nobody",
        "A client calls an address of the range of Services that no Service has.",
        "unknown-address",
        f"No Service has the address {NO_SERVICE}.",
        CHECKOUT,
        lambda namespace: calls_an_address(namespace, f"{NO_SERVICE}:80"),
        CRASHED,
    ),
    Fault(
        "address-of-a-pod-that-went",
        "A client calls a pod by the address that it had before it was created again.",
        "unknown-address",
        "No pod has the address any more.",
        CHECKOUT,
        web,
        CRASHED,
        steps=calls_a_pod_that_went,
    ),
    Fault(
        "host-alias-of-nobody",
        "hostAliases of a pod gives the name of a Service an address that nobody has.",
        "host-alias",
        f"hostAliases maps web to {NOBODY}, so the name of Service web is not asked of the DNS.",
        CHECKOUT,
        with_an_alias,
        CRASHED,
    ),
    Fault(
        "tls-to-a-plain-port",
        "A client calls https:// on a port that serves plain HTTP.",
        "tls-mismatch",
        "web serves plain HTTP on the port that is called with TLS.",
        CHECKOUT,
        lambda namespace: [*web(namespace), client(namespace, "-get", "https://web:80/")],
        CRASHED,
    ),
)
