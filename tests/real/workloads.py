"""Builders of the workloads that the tests apply, as plain manifests."""

from __future__ import annotations

import json

from tests.real.cluster.images import COREDNS, KUBE_ROUTER
from tests.real.cluster.layout import DNS_SERVICE_ADDRESS, REGISTRY, SERVICE_RANGE, Document, image

COREFILE = """\
.:53 {
    errors
    health
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    cache 30
    loop
    reload
    loadbalance
}
"""
RBAC = "rbac.authorization.k8s.io"
VERTICAL = "autoscaling.k8s.io"
CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}


def manifest(kind: str, name: str, namespace: str | None, version: str = "v1", **body: object) -> Document:
    metadata = {"name": name} if namespace is None else {"name": name, "namespace": namespace}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **body}


def deployment(
    name: str,
    namespace: str,
    *arguments: str,
    replicas: int = 1,
    container: Document | None = None,
    pod: Document | None = None,
) -> Document:
    """A Deployment of the test program with a readiness probe; `container` and `pod` replace fields of its spec.

    The arguments are those of `go/app`: without any it serves on port 8080 until it is stopped.
    """
    main: Document = {
        "name": "app",
        "image": image("checkout"),
        "args": list(arguments) or ["serve"],
        "resources": {"requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        **(container or {}),
    }
    if not arguments:
        main["ports"] = [{"name": "http", "containerPort": 8080}]
        main["readinessProbe"] = {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 1}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [main], **(pod or {})}}
    specification = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    return manifest("Deployment", name, namespace, "apps/v1", spec=specification)


def network_plugin(namespace: str, folder: str, network: Document) -> list[Document]:
    """A DaemonSet that writes the configuration of the pod network into a folder of the node when its pod starts."""
    name = "10-bridge.conflist"
    container = {
        "name": "install",
        "image": image("checkout"),
        "args": ["install", "-file", f"/source/{name}", "-path", f"/target/{name}"],
        "volumeMounts": [{"name": "source", "mountPath": "/source"}, {"name": "target", "mountPath": "/target"}],
    }
    specification = {
        "hostNetwork": True,
        "terminationGracePeriodSeconds": 1,
        "tolerations": [{"operator": "Exists"}],
        "containers": [container],
        "volumes": [
            {"name": "source", "configMap": {"name": "network"}},
            {"name": "target", "hostPath": {"path": folder}},
        ],
    }
    template = {"metadata": {"labels": {"app": "network"}}, "spec": specification}
    spec = {"selector": {"matchLabels": {"app": "network"}}, "template": template}
    return [
        manifest("ConfigMap", "network", namespace, data={name: json.dumps(network)}),
        manifest("DaemonSet", "network", namespace, "apps/v1", spec=spec),
    ]


def policy_engine() -> list[Document]:
    """kube-router's network policy controller as a DaemonSet: it writes the node's packet filter, and undoes that at its end."""
    namespace, name = "kube-system", "kube-router"
    node = {"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
    switches = ["--run-router=false", "--run-firewall=true", "--run-service-proxy=false"]
    container: Document = {
        "name": name,
        "image": f"{REGISTRY}/{KUBE_ROUTER}",
        "args": [*switches, f"--service-cluster-ip-range={SERVICE_RANGE}"],
        "env": [node],
        "securityContext": {"privileged": True},
    }
    pod: Document = {
        "hostNetwork": True,
        "priorityClassName": "system-node-critical",
        "serviceAccountName": name,
        "tolerations": [{"operator": "Exists"}],
        "containers": [container],
    }
    labels = {"k8s-app": name}
    template = {"metadata": {"labels": labels}, "spec": pod}
    rules = [
        {"apiGroups": [""], "resources": ["pods", "namespaces", "nodes"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": ["list", "watch"]},
    ]
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": name}
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    return [
        manifest("ServiceAccount", name, namespace),
        manifest("ClusterRole", name, None, f"{RBAC}/v1", rules=rules),
        manifest("ClusterRoleBinding", name, None, f"{RBAC}/v1", roleRef=role, subjects=[subject]),
        manifest("DaemonSet", name, namespace, "apps/v1", spec=spec),
    ]


def pods_only_account(name: str, namespace: str) -> list[Document]:
    """A service account that may read the pods of its namespace, and nothing else."""
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]
    role = {"apiGroup": RBAC, "kind": "Role", "name": name}
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    return [
        manifest("ServiceAccount", name, namespace),
        manifest("Role", name, namespace, f"{RBAC}/v1", rules=rules),
        manifest("RoleBinding", name, namespace, f"{RBAC}/v1", roleRef=role, subjects=[subject]),
    ]


def cluster_dns() -> list[Document]:
    """The cluster DNS as clusters usually have it: CoreDNS in kube-system behind the Service kube-dns."""
    namespace, name = "kube-system", "coredns"
    labels = {"k8s-app": "kube-dns"}
    ports = [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"}]
    container: Document = {
        "name": name,
        "image": f"{REGISTRY}/{COREDNS}",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "ports": [{"name": port["name"], "containerPort": 53, "protocol": port["protocol"]} for port in ports],
        "resources": {"requests": {"cpu": "100m", "memory": "70Mi"}, "limits": {"memory": "170Mi"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1},
        "volumeMounts": [{"name": "config-volume", "mountPath": "/etc/coredns", "readOnly": True}],
    }
    pod: Document = {
        "priorityClassName": "system-cluster-critical",
        "serviceAccountName": name,
        "dnsPolicy": "Default",
        "containers": [container],
        "volumes": [{"name": "config-volume", "configMap": {"name": name}}],
    }
    template = {"metadata": {"labels": labels}, "spec": pod}
    rules = [
        {"apiGroups": [""], "resources": ["services", "pods", "namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ]
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "system:coredns"}
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    specification = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    service = {"clusterIP": DNS_SERVICE_ADDRESS, "selector": labels, "ports": ports}
    objects = [
        manifest("ServiceAccount", name, namespace),
        manifest("ConfigMap", name, namespace, data={"Corefile": COREFILE}),
        manifest("ClusterRole", "system:coredns", None, f"{RBAC}/v1", rules=rules),
        manifest("ClusterRoleBinding", "system:coredns", None, f"{RBAC}/v1", roleRef=role, subjects=[subject]),
        manifest("Deployment", name, namespace, "apps/v1", spec=specification),
        manifest("Service", "kube-dns", namespace, spec=service),
    ]
    for labelled in objects[-2:]:
        labelled["metadata"]["labels"] = labels
    return objects


def autoscaler(namespace: str, name: str, target: str) -> Document:
    scaled = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
    spec = {"scaleTargetRef": scaled, "minReplicas": 1, "maxReplicas": 3, "metrics": [CPU]}
    return manifest("HorizontalPodAutoscaler", name, namespace, "autoscaling/v2", spec=spec)
