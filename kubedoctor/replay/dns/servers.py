"""Where the lookups of pods go, and whether network policies allow them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kubedoctor.cluster.kinds.core import Namespace, Service
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.relations.services import pods_selected_by
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished, ready, terminating
from kubedoctor.replay.dns.service import DNS_PORT, is_cluster_dns
from kubedoctor.replay.network import ConnectionVerdict, Party, PolicySet
from kubedoctor.replay.services.ports import find_port

NODE_LOCAL = "169.254.20.10"
"""Where NodeLocal DNSCache listens; outside of every pod network, so no selector matches it."""


@dataclass(frozen=True)
class Server:
    """A pod that answers lookups, and the port on which it does so over UDP."""

    party: Party
    port: int


@dataclass(frozen=True)
class Resolvers:
    """The DNS of a cluster. `detours`: other addresses, one of which may be what pods really ask."""

    service: Service
    servers: tuple[Server, ...]
    detours: tuple[Server, ...]

    def verdicts(self, source: Party, policies: PolicySet) -> tuple[ConnectionVerdict, ...] | None:
        """Why no server can be reached over UDP, one verdict for each; None if one can be."""
        found = tuple(policies.judge(source, each.party, each.port, "UDP") for each in self.servers)
        if any(each.allowed for each in found):
            return None
        if any(policies.judge(source, each.party, each.port, "UDP").allowed for each in self.detours):
            return None
        return found


def resolvers(cluster: Cluster) -> Resolvers | None:
    """None where the cluster's DNS or its pods are not to be found, so that nothing can be said."""
    service = _service(cluster)
    if service is None:
        return None
    cluster.together(
        lambda: pods_selected_by(service, cluster),
        lambda: cluster.maybe.get(Namespace, "", service.namespace),
        lambda: _caches(cluster),
    )
    pods = [each for each in pods_selected_by(service, cluster) if not finished(each) and not terminating(each)]
    serving = [each for each in pods if ready(each)] or pods
    udp = next((each for each in service.spec.ports or () if each.port == DNS_PORT and each.protocol == "UDP"), None)
    if not serving or udp is None:
        return None
    space = cluster.maybe.get(Namespace, "", service.namespace)
    labels = space.labels if space is not None else {}
    servers = tuple(
        Server(Party.of_pod(each, labels), number) for each in serving if (number := find_port(each, udp)) is not None
    )
    return Resolvers(service, servers, tuple(_detours(service, cluster))) if servers else None


def uses_cluster_dns(pod: Pod) -> bool:
    """Whether the pod asks the cluster's DNS, from an address that policies apply to."""
    return not pod.spec.host_network and pod.spec.dns_policy in ("", "ClusterFirst", "ClusterFirstWithHostNet")


def _service(cluster: Cluster) -> Service | None:
    for namespace, name in (("kube-system", "kube-dns"), ("openshift-dns", "dns-default")):
        found = cluster.get(Service, namespace, name)
        if found is not None and is_cluster_dns(found):
            return found
    labelled = cluster.labelled(Service, "kube-system", "k8s-app=kube-dns")
    return next((each for each in labelled if isinstance(each, Service) and is_cluster_dns(each)), None)


def _detours(service: Service, cluster: Cluster) -> Iterable[Server]:
    """With NodeLocal DNSCache pods ask it, at its own address or at the Service's, which it takes over."""
    caches = _caches(cluster)
    if not caches:
        return
    nodes = {each.status.host_ip for each in caches}
    for address in (NODE_LOCAL, service.spec.cluster_ip, *sorted(nodes)):
        if address not in ("", "None"):
            yield Server(Party.outside(address), DNS_PORT)


def _caches(cluster: Cluster) -> list[Pod]:
    found = cluster.maybe.labelled(Pod, "kube-system", "k8s-app=node-local-dns")
    return [each for each in found if isinstance(each, Pod) and each.labels.get("k8s-app") == "node-local-dns"]
