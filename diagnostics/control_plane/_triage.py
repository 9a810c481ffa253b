"""What some diagnostics of the control plane are about: predicates that are asked without importing those."""

from __future__ import annotations

from kubedoctor.cluster import Namespace, Pod

NAMESPACE = "kube-system"


def member_of_etcd(pod: Pod) -> bool:
    """A static pod of etcd, as kubeadm labels it."""
    return pod.namespace == NAMESPACE and pod.labels.get("component") == "etcd"


def of_the_control_plane(namespace: Namespace) -> bool:
    """Where the control plane has its leases: a scan of another namespace is spared what it may not read."""
    return namespace.name == NAMESPACE
