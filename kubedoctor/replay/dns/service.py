"""Which Service is the cluster's DNS."""

from __future__ import annotations

from kubedoctor.cluster.kinds.core import Service

DNS_PORT = 53
_NAMES = frozenset({("kube-system", "kube-dns"), ("kube-system", "coredns"), ("openshift-dns", "dns-default")})
_LABELS = frozenset({"kube-dns", "coredns"})


def is_cluster_dns(service: Service) -> bool:
    """Whether pods send their lookups here: by the names that distributions use, or by the label `k8s-app`. Services
    that only serve its metrics have no port 53.
    """
    by_name = (service.namespace, service.name) in _NAMES or (
        service.namespace == "kube-system" and service.labels.get("k8s-app") in _LABELS
    )
    return by_name and any(port.port == DNS_PORT for port in service.spec.ports or ())
