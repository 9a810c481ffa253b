"""ingress-nginx's controller: it reads Ingresses, writes their status and its log; the nginx below it takes each
configuration and serves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.images import INGRESS_NGINX
from tests.real.cluster.layout import REGISTRY, Document
from tests.real.workloads import RBAC, manifest

PLACE, NAME = "ingress-nginx", "ingress-nginx-controller"
NETWORKING = "networking.k8s.io/v1"
READS = ["get", "list", "watch"]
RULES = [
    {
        "apiGroups": [""],
        "resources": ["configmaps", "endpoints", "nodes", "pods", "secrets", "namespaces"],
        "verbs": READS,
    },
    {"apiGroups": [""], "resources": ["services"], "verbs": READS},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
    {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses", "ingressclasses"], "verbs": READS},
    {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses/status"], "verbs": ["update"]},
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": [*READS, "create", "update"]},
    {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": READS},
]


def ingress_class() -> Document:
    return manifest("IngressClass", "nginx", None, NETWORKING, spec={"controller": "k8s.io/ingress-nginx"})


def controller() -> list[Document]:
    labels = {"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "controller"}
    container: Document = {
        "name": "controller",
        "image": f"{REGISTRY}/{INGRESS_NGINX}",
        "args": [
            "--controller-class=k8s.io/ingress-nginx",
            "--ingress-class=nginx",
            "--election-id=ingress-nginx-leader",
            "--configmap=$(POD_NAMESPACE)/ingress-nginx-controller",
            "--report-node-internal-ip-address",
        ],
        "env": [
            {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
            for name, path in (("POD_NAME", "metadata.name"), ("POD_NAMESPACE", "metadata.namespace"))
        ],
        "ports": [{"name": "http", "containerPort": 80}, {"name": "https", "containerPort": 443}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": 10254}, "periodSeconds": 2},
    }
    pod = {"serviceAccountName": "ingress-nginx", "containers": [container]}
    spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "ingress-nginx"}
    subject = {"kind": "ServiceAccount", "name": "ingress-nginx", "namespace": PLACE}
    ports = [{"name": name, "port": number, "targetPort": name} for name, number in (("http", 80), ("https", 443))]
    return [
        manifest("ServiceAccount", "ingress-nginx", PLACE),
        manifest("ClusterRole", "ingress-nginx", None, f"{RBAC}/v1", rules=RULES),
        manifest("ClusterRoleBinding", "ingress-nginx", None, f"{RBAC}/v1", roleRef=role, subjects=[subject]),
        manifest("ConfigMap", NAME, PLACE, data={}),
        manifest("Service", NAME, PLACE, spec={"type": "NodePort", "selector": labels, "ports": ports}),
        manifest("Deployment", NAME, PLACE, "apps/v1", spec=spec),
        ingress_class(),
    ]


@contextmanager
def ingresses_served(cluster: RealCluster) -> Iterator[None]:
    cluster.apply(manifest("Namespace", PLACE, None))
    cluster.wait_for("account", lambda: bool(cluster.get("serviceaccount", "default", PLACE)))
    cluster.apply(*controller())
    cluster.kubectl("rollout", "status", f"deployment/{NAME}", "-n", PLACE, "--timeout=120s")
    yield
    cluster.kubectl("delete", "namespace", PLACE, "--wait=false")
