"""Two namespaces, a client and a server: the states of which the tests of `reach` ask."""

from __future__ import annotations

from typing import Any

from kubedoctor.answers.question import Choices
from kubedoctor.answers.questions.reach import reach
from kubedoctor.answers.sheet import Sheet
from kubedoctor.cluster import Cluster, Ref
from kubedoctor.cluster.kinds.admin_policies import GROUP
from kubedoctor.cluster.seen.decoding import convert_object
from tests.engine.clinic import complete

Manifest = dict[str, Any]
SUBJECT = Ref("Pod", "shop", "web")
READY = {"conditions": [{"type": "Ready", "status": "True"}]}
NODE = {
    "kind": "Node",
    "metadata": {"name": "n1"},
    "status": {"addresses": [{"type": "InternalIP", "address": "192.168.0.1"}]},
}


def space(name: str) -> Manifest:
    return {"kind": "Namespace", "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}}}


def pod(namespace: str, name: str, ip: str, ports: tuple[int, ...] = (8080,), **status: Any) -> Manifest:
    container = {"name": "c", "ports": [{"name": f"p{port}", "containerPort": port} for port in ports]}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"nodeName": "n1", "containers": [container]},
        "status": {"phase": "Running", "podIP": ip, **READY, **status},
    }


def service(namespace: str, name: str, ip: str = "10.96.0.5", target: Any = 8080, **spec: Any) -> Manifest:
    return {
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"clusterIP": ip, "selector": {"app": name}, "ports": [{"port": 80, "targetPort": target}], **spec},
    }


def slices(namespace: str, name: str, *pods: tuple[str, str], ready: bool = True, number: int = 8080) -> Manifest:
    return {
        "kind": "EndpointSlice",
        "metadata": {"name": f"{name}-1", "namespace": namespace, "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "ports": [{"port": number, "protocol": "TCP"}],
        "endpoints": [
            {"addresses": [ip], "conditions": {"ready": ready}, "nodeName": "n1", "targetRef": {"kind": "Pod", "name": pod_name}}
            for pod_name, ip in pods
        ],
    }  # fmt: skip


def policy(namespace: str, name: str = "deny", **spec: Any) -> Manifest:
    return {
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"podSelector": {}, **spec},
    }


WEB, DB, OTHER = (
    pod("shop", "web", "10.0.0.1"),
    pod("data", "db", "10.0.0.2"),
    pod("shop", "other", "10.0.0.3"),
)
BASE = (
    NODE,
    space("shop"),
    space("data"),
    WEB,
    DB,
    OTHER,
    service("data", "db"),
    slices("data", "db", ("db", "10.0.0.2")),
)
DENY_INGRESS = policy("data", policyTypes=["Ingress"])
DENY_EGRESS = policy("shop", policyTypes=["Egress"])


def asked(destination: str, *manifests: Manifest, subject: Ref = SUBJECT) -> Sheet:
    choices = Choices({"destination": (destination,)})
    snapshot = complete(*(row for row in manifests if GROUP not in row.get("apiVersion", "")))
    for row in manifests:
        if GROUP in row.get("apiVersion", ""):
            snapshot.add(convert_object(f"{row['kind']}.{GROUP}", row).objects)
    return reach.answer(subject, choices, Cluster(snapshot))


def hops(sheet: Sheet) -> list[str]:
    return [f"{link.mark.value} {link.text}" for link in sheet.chain]


def alias(name: str, target: str, namespace: str = "shop", **spec: Any) -> Manifest:
    return service(namespace, name, "", type="ExternalName", externalName=target, selector=None, **spec)


DB_NAME = "db.data.svc.cluster.local"


def daemon(name: str, image: str = "x", *containers: Manifest) -> Manifest:
    spec = {"containers": [{"name": name, "image": image}, *containers]}
    return {
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": "kube-system"},
        "spec": {"template": {"spec": spec}},
    }
