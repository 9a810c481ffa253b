"""Whether pods use the cluster's DNS Service, as far as the API shows it.

A kubelet writes its own `clusterDNS` into the pods' /etc/resolv.conf (`pkg/kubelet/network/dns`, v1.37), and the API
does not show a kubelet's configuration. kubeadm stores its configuration in the ConfigMap `kubelet-config`.
"""

from __future__ import annotations

import enum
import re
from ipaddress import ip_address

import msgspec

from kubedoctor.cluster.kinds.apps import Deployment
from kubedoctor.cluster.kinds.core import ConfigMap, Node, Service
from kubedoctor.cluster.relations.services import ready_endpoints
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.replay.dns.service import is_cluster_dns

KUBELETS = ("kube-system", "kubelet-config")
"""Where kubeadm stores the kubelets' configuration, under the key `kubelet`."""
AUTOSCALER = ("kube-system", "kube-dns-autoscaler")
"""The autoscaler of kube-dns on GKE: kube-dns stays at 0 pods only where this is at 0 too."""
_BLOCK = re.compile(r"^clusterDNS:[ \t]*\n((?:[ \t]*-[ \t]*\S+[ \t]*(?:\n|$))+)", re.MULTILINE)
_INLINE = re.compile(r"^clusterDNS:[ \t]*\[([^\]]*)\]", re.MULTILINE)
_GKE = "-gke."


class DnsUse(enum.Enum):
    """HERE: the kubelets' configuration names the Service. ELSEWHERE: it names another address.
    UNKNOWN: nothing shows it, so most likely here. DOUBTFUL: nothing shows it, and another server may answer."""

    HERE = "here"
    ELSEWHERE = "elsewhere"
    UNKNOWN = "unknown"
    DOUBTFUL = "doubtful"


class Dependence(msgspec.Struct, frozen=True):
    """The verdict and its basis: the kubelets' configuration, another DNS Service with ready endpoints, or a
    node of GKE."""

    use: DnsUse
    configuration: ConfigMap | None = None
    rival: Service | None = None
    gke: Node | None = None


def cluster_addresses(service: Service) -> set[str]:
    """The addresses of a Service in the cluster; a headless one has none."""
    return {service.spec.cluster_ip, *(service.spec.cluster_ips or ())} - {"", "None"}


def dependence(service: Service, needed: bool, cluster: Cluster) -> Dependence:
    """`needed`: a workload should have pods behind the Service. All reads are optional: unreadable objects count as no
    information."""
    lenient = cluster.maybe
    cluster.together(
        lambda: lenient.get(ConfigMap, *KUBELETS),
        lambda: lenient.all(Node),
        lambda: lenient.get(Deployment, *AUTOSCALER),
        lambda: lenient.all(Service, service.namespace),
    )
    configuration = lenient.get(ConfigMap, *KUBELETS)
    addresses = addresses_of(configuration) if configuration is not None else ()
    if cluster_addresses(service) & set(addresses):
        return Dependence(DnsUse.HERE, configuration)
    # A cache on the node, at a link-local address, itself queries the pods behind the Service.
    if addresses and not any(_is_link_local(address) for address in addresses):
        return Dependence(DnsUse.ELSEWHERE, configuration)
    if needed:
        return Dependence(DnsUse.UNKNOWN)
    gke = next((node for node in lenient.all(Node) if _GKE in node.status.node_info.kubelet_version), None)
    if gke is not None and _at_zero(lenient.get(Deployment, *AUTOSCALER)):
        return Dependence(DnsUse.DOUBTFUL, gke=gke)
    for service_of_node in lenient.all(Service, service.namespace):
        if (
            service_of_node.name != service.name
            and is_cluster_dns(service_of_node)
            and ready_endpoints(service_of_node, lenient)
        ):
            return Dependence(DnsUse.DOUBTFUL, rival=service_of_node)
    return Dependence(DnsUse.UNKNOWN)


def addresses_of(configuration: ConfigMap) -> tuple[str, ...]:
    """The `clusterDNS` of a KubeletConfiguration in YAML; empty where it names none."""
    text = (configuration.data or {}).get("kubelet", "")
    if match := _BLOCK.search(text):
        words = [line.strip().removeprefix("-") for line in match[1].splitlines()]
    elif match := _INLINE.search(text):
        words = match[1].split(",")
    else:
        return ()
    return tuple(word.strip().strip("\"'") for word in words if word.strip())


def _is_link_local(address: str) -> bool:
    try:
        return ip_address(address).is_link_local
    except ValueError:
        return False


def _at_zero(autoscaler: Deployment | None) -> bool:
    return autoscaler is None or autoscaler.spec.replicas == 0
