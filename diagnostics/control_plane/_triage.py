"""Which pods some diagnostics of the control plane are about: predicates that are asked without importing those."""

from __future__ import annotations

from kubedoctor.cluster import Pod


def member_of_etcd(pod: Pod) -> bool:
    """A static pod of etcd, as kubeadm labels it."""
    return pod.namespace == "kube-system" and pod.labels.get("component") == "etcd"
