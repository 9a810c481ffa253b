"""A client and a server, as most faults of the network have them."""

from __future__ import annotations

from tests.real.cluster.layout import Document
from tests.real.namespace import Namespace
from tests.real.recording.fault import Test, restarts
from tests.real.workloads import deployment, manifest

CRASHED = restarts("checkout", 2)
"""The client has given up twice."""
READY_WHILE_ANSWERED = {
    "ports": [{"name": "http", "containerPort": 8080}],
    "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 2},
}
"""A client whose readiness probe fails while its calls do."""


def client(namespace: str, *call: str, name: str = "checkout", pod: Document | None = None) -> Document:
    """Gives up after three failures. call: as of `app client`."""
    return deployment(name, namespace, "client", *call, "-limit", "3", pod=pod)


def patient_client(namespace: str, *call: str, name: str = "checkout", pod: Document | None = None) -> Document:
    """Tries for ever, and is ready while it succeeds."""
    return deployment(name, namespace, "client", *call, container=READY_WHILE_ANSWERED, pod=pod)


def service(namespace: str, name: str = "web", *, port: int = 80, **more: object) -> Document:
    """Leads to port `http` of the pods with the label `app` of its name. more: fields of its spec."""
    ports = [{"name": "http", "port": port, "targetPort": "http"}]
    return manifest("Service", name, namespace, spec={"selector": {"app": name}, "ports": ports, **more})


def web(namespace: str, **more: object) -> list[Document]:
    """A server, and its Service with some fields of its spec replaced."""
    made = service(namespace)
    made["spec"].update(more)
    return [deployment("web", namespace), made]


def unready(app: str = "checkout", seconds: int = 20) -> Test:
    """The pods of a patient client run for so long and are not ready."""

    def test(at: Namespace) -> bool:
        found = list(at.containers(app))
        return bool(found) and not any(row["ready"] for row in found) and at.running_for(app).seconds >= seconds

    return test


def ready(*apps: str) -> Test:
    """All pods of these workloads are ready."""

    def test(at: Namespace) -> bool:
        found = [list(at.containers(app)) for app in apps]
        return all(rows and all(row["ready"] for row in rows) for rows in found)

    return test


def slice_of(namespace: str, service: str, *addresses: str, port: int = 8080, name: str = "http") -> Document:
    """An EndpointSlice written by hand. name: of the port."""
    made = manifest("EndpointSlice", f"{service}-by-hand", namespace, "discovery.k8s.io/v1", addressType="IPv4")
    made["metadata"]["labels"] = {"kubernetes.io/service-name": service}
    made["endpoints"] = [{"addresses": list(addresses), "conditions": {"ready": True}}]
    made["ports"] = [{"name": name, "port": port, "protocol": "TCP"}]
    return made


def address_of(at: Namespace, app: str) -> str:
    at.wait_until_available(app)
    return str(at.pods(app)[0]["status"]["podIP"])
