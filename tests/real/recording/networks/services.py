"""Services that lead nowhere, or elsewhere than their client expects."""

from __future__ import annotations

from tests.real.cluster.layout import NODE_ADDRESS, Document
from tests.real.namespace import Namespace
from tests.real.recording.fault import Fault
from tests.real.recording.networks.clients import (
    CRASHED,
    address_of,
    client,
    patient_client,
    service,
    slice_of,
    unready,
    web,
)
from tests.real.recording.parts import CHECKOUT, probe
from tests.real.recording.workloads import headless, stateful_set
from tests.real.workloads import deployment, manifest

WEB = (("Service", "web"),)
GET = ("-get", "http://web/")


def ports(*, name: str = "http", protocol: str = "TCP", port: int = 80, target: int | str = 8080) -> Document:
    return {"ports": [{"name": name, "protocol": protocol, "port": port, "targetPort": target}]}


def metrics(namespace: str, protocol: str) -> list[Document]:
    """A program that takes UDP on port 8125 behind a Service of some protocol, and a client that sends there."""
    declared = {"ports": [{"name": "statsd", "containerPort": 8125, "protocol": "UDP"}]}
    spec = {"selector": {"app": "statsd"}, **ports(name="statsd", protocol=protocol, port=8125, target=8125)}
    return [
        deployment("statsd", namespace, "echo", "-port", "8125", container=declared),
        manifest("Service", "statsd", namespace, spec=spec),
        client(namespace, "-send", "statsd:8125"),
    ]


def not_ready(namespace: str) -> list[Document]:
    container = probe("readiness", httpGet={"path": "/ready", "port": "http"})
    return [
        deployment("web", namespace, "serve", "-not-ready", container=container),
        service(namespace),
        client(namespace, *GET),
    ]


def governed_by_another_name(namespace: str) -> list[Document]:
    set_of_db = stateful_set("db", namespace, "db", "serve", replicas=2)
    other = headless("database", namespace)
    other["spec"]["selector"] = {"app": "db"}
    return [set_of_db, other, client(namespace, "-dial", "db-0.database:8080")]


def headless_with_a_target_port(namespace: str) -> list[Document]:
    return [*web(namespace, clusterIP="None"), client(namespace, *GET)]


def without_a_selector(namespace: str, **more: object) -> list[Document]:
    spec = {**ports(), **more}
    return [manifest("Service", "web", namespace, spec=spec), deployment("backend", namespace)]


def local_only(namespace: str) -> list[Document]:
    return [*without_a_selector(namespace, internalTrafficPolicy="Local"), client(namespace, *GET)]


def write_slice(at: Namespace, name: str = "http") -> None:
    at.apply(slice_of(at.name, "web", address_of(at, "backend"), name=name))


def write_slice_of_a_pod_that_goes(at: Namespace) -> None:
    write_slice(at)
    at.cluster.kubectl("delete", "pods", "-l", "app=backend", "-n", at.name, "--force", "--grace-period=0")
    at.wait_until_available("backend")


def node_port(namespace: str, opened: int, called: int) -> list[Document]:
    opens = {"name": "http", "port": 80, "targetPort": "http", "nodePort": opened}
    return [
        *web(namespace, type="NodePort", ports=[opens]),
        client(namespace, "-get", f"http://{NODE_ADDRESS}:{called}/"),
    ]


SERVICES = (
    Fault(
        "client-of-a-wrong-target-port",
        "A Service sends to port 9090 of its pods, which listen on 8080; its client is refused.",
        "service-target-port",
        "targetPort 9090 of Service web is a port on which nothing listens.",
        WEB,
        lambda namespace: [*web(namespace, **ports(target=9090)), client(namespace, *GET)],
        CRASHED,
    ),
    Fault(
        "client-of-an-unknown-port-name",
        "A Service names the port `web` of its pods, which is called `http`; its client is not ready.",
        "service-target-port",
        "No container of the pods declares a port named web.",
        WEB,
        lambda namespace: [*web(namespace, **ports(target="web")), patient_client(namespace, *GET)],
        unready(),
    ),
    Fault(
        "client-of-a-misspelled-selector",
        "The selector of a Service has a typo, and matches no pod; its client is refused.",
        "service-selector",
        "The selector is app=wbe; the pods have app=web.",
        WEB,
        lambda namespace: [*web(namespace, selector={"app": "wbe"}), client(namespace, *GET)],
        CRASHED,
    ),
    Fault(
        "service-udp-for-a-tcp-server",
        "A Service forwards UDP, and its pods serve HTTP.",
        "service-protocol",
        "The port of Service web is UDP, so TCP connections to it are refused.",
        WEB,
        lambda namespace: [*web(namespace, **ports(protocol="UDP")), client(namespace, *GET)],
        CRASHED,
    ),
    Fault(
        "service-tcp-for-a-udp-server",
        "A Service leaves its protocol at TCP, and its pods take UDP.",
        "service-protocol",
        "The port of Service statsd is TCP, so the packets of its clients are refused.",
        (("Service", "statsd"),),
        lambda namespace: metrics(namespace, "TCP"),
        CRASHED,
    ),
    Fault(
        "client-of-unready-pods",
        "The pods of a Service fail their readiness probe, so that its client is refused.",
        "readiness",
        "The readiness probe of web gets status 503.",
        (("Deployment", "web"),),
        not_ready,
        CRASHED,
    ),
    Fault(
        "pods-named-by-another-service",
        "A client looks up db-0.database; the StatefulSet's serviceName is db.",
        "stateful-set-service-name",
        "Only the Service that serviceName names gives pods their names: it is db, and does not exist.",
        (*CHECKOUT, ("StatefulSet", "db"), ("Service", "database")),
        governed_by_another_name,
        CRASHED,
    ),
    Fault(
        "headless-service-with-a-target-port",
        "A client calls port 80 of a headless Service, whose targetPort is 8080.",
        "headless-ports",
        "The name of a headless Service resolves to its pods, so clients must use the port of the pods, 8080.",
        (*CHECKOUT, *WEB),
        headless_with_a_target_port,
        CRASHED,
    ),
    Fault(
        "local-traffic-to-an-endpoint-without-node",
        "internalTrafficPolicy is Local, and the endpoint was written by hand without a node.",
        "local-traffic-policy",
        "An endpoint without nodeName is local nowhere, so each connection is dropped.",
        (*WEB, ("EndpointSlice", "web-by-hand")),
        local_only,
        CRASHED,
        steps=write_slice,
    ),
    Fault(
        "slice-by-hand-of-a-pod-that-went",
        "The EndpointSlice of a Service without selector has the address of a pod that was recreated since.",
        "stale-endpoints",
        "No pod has the address in EndpointSlice web-by-hand.",
        (*WEB, ("EndpointSlice", "web-by-hand")),
        lambda namespace: [*without_a_selector(namespace), patient_client(namespace, *GET)],
        unready(),
        steps=write_slice_of_a_pod_that_goes,
    ),
    Fault(
        "slice-by-hand-with-another-port-name",
        "The port in the EndpointSlice of a Service without selector has another name than in the Service.",
        "slice-port-name",
        "Port http of Service web has no endpoint: the port of its EndpointSlice is named web.",
        (*WEB, ("EndpointSlice", "web-by-hand")),
        lambda namespace: [*without_a_selector(namespace), client(namespace, *GET)],
        CRASHED,
        steps=lambda at: write_slice(at, "web"),
    ),
    Fault(
        "node-port-of-nobody",
        "A client calls node port 31081; the Service has 31080.",
        "node-port",
        "No Service has node port 31081.",
        (*CHECKOUT, *WEB),
        lambda namespace: node_port(namespace, 31080, 31081),
        CRASHED,
    ),
    Fault(
        "port-that-the-service-lacks",
        "A client calls port 8080 of a Service that has port 80 only; its pods listen on 8080.",
        "service-port",
        "Service web has port 80 and no port 8080.",
        (*CHECKOUT, *WEB),
        lambda namespace: [*web(namespace), patient_client(namespace, "-get", "http://web:8080/")],
        unready(),
    ),
    Fault(
        "load-balancer-without-a-controller",
        "A Service of type LoadBalancer in a cluster where no controller serves it.",
        "load-balancer-pending",
        "No controller gives the Service an address.",
        WEB,
        lambda namespace: web(namespace, type="LoadBalancer"),
        lambda at: at.running_for("web").seconds > 5,
        settle=20,
    ),
)
