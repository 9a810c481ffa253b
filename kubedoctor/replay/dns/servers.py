"""The DNS servers that pods query, and whether network policies allow it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

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


class Server(msgspec.Struct, frozen=True):
    """A pod that answers DNS queries, and its UDP port for them."""

    party: Party
    port: int


class Resolvers(msgspec.Struct, frozen=True):
    """The DNS of a cluster. `detours`: other addresses that pods may query instead."""

    service: Service
    servers: tuple[Server, ...]
    detours: tuple[Server, ...]

    def verdicts(self, source: Party, policies: PolicySet) -> tuple[ConnectionVerdict, ...] | None:
        """Why no server can be reached over UDP, one verdict for each; None if one can be."""
        verdicts = tuple(policies.judge(source, server.party, server.port, "UDP") for server in self.servers)
        if any(verdict.allowed for verdict in verdicts):
            return None
        if any(policies.judge(source, detour.party, detour.port, "UDP").allowed for detour in self.detours):
            return None
        return verdicts


def resolvers(cluster: Cluster) -> Resolvers | None:
    """None where the cluster's DNS or its pods are not found, so that nothing can be concluded."""
    service = dns_service(cluster)
    if service is None:
        return None
    cluster.together(
        lambda: pods_selected_by(service, cluster),
        lambda: cluster.maybe.get(Namespace, "", service.namespace),
        lambda: _caches(cluster),
    )
    pods = [pod for pod in pods_selected_by(service, cluster) if not finished(pod) and not terminating(pod)]
    serving = [pod for pod in pods if ready(pod)] or pods
    udp = next(
        (
            service_port
            for service_port in service.spec.ports or ()
            if service_port.port == DNS_PORT and service_port.protocol == "UDP"
        ),
        None,
    )
    if not serving or udp is None:
        return None
    space = cluster.maybe.get(Namespace, "", service.namespace)
    labels = space.labels if space is not None else {}
    servers = tuple(
        Server(Party.of_pod(pod, labels), number) for pod in serving if (number := find_port(pod, udp)) is not None
    )
    return Resolvers(service, servers, tuple(_detours(service, cluster))) if servers else None


MOST_ANSWERING = 2


def answering_pods(pod: Pod, cluster: Cluster) -> tuple[Pod, ...]:
    """The DNS servers that may have answered a pod: the cache of its node, then some that are ready behind the Service."""
    if not uses_cluster_dns(pod):
        return ()
    service = dns_service(cluster.maybe)
    if service is None:
        return ()
    cluster.together(lambda: pods_selected_by(service, cluster.maybe), lambda: _caches(cluster))
    here = [cache for cache in _caches(cluster) if cache.spec.node_name == pod.spec.node_name]
    behind = [server for server in pods_selected_by(service, cluster.maybe) if ready(server)]
    return (*here, *behind[:MOST_ANSWERING])


def uses_cluster_dns(pod: Pod) -> bool:
    """Whether the pod queries the cluster's DNS, from an address that policies apply to."""
    return not pod.spec.host_network and pod.spec.dns_policy in ("", "ClusterFirst", "ClusterFirstWithHostNet")


def dns_service(cluster: Cluster) -> Service | None:
    """The Service that pods send their lookups to."""
    for namespace, name in (("kube-system", "kube-dns"), ("openshift-dns", "dns-default")):
        service = cluster.get(Service, namespace, name)
        if service is not None and is_cluster_dns(service):
            return service
    labelled = cluster.labelled(Service, "kube-system", "k8s-app=kube-dns")
    return next((service for service in labelled if isinstance(service, Service) and is_cluster_dns(service)), None)


def _detours(service: Service, cluster: Cluster) -> Iterable[Server]:
    """With NodeLocal DNSCache pods query the cache, at its own address or at that of the Service, which it takes
    over."""
    caches = _caches(cluster)
    if not caches:
        return
    nodes = {cache.status.host_ip for cache in caches}
    for address in (NODE_LOCAL, service.spec.cluster_ip, *sorted(nodes)):
        if address not in ("", "None"):
            yield Server(Party.outside(address), DNS_PORT)


def _caches(cluster: Cluster) -> list[Pod]:
    pods = cluster.maybe.labelled(Pod, "kube-system", "k8s-app=node-local-dns")
    return [pod for pod in pods if isinstance(pod, Pod) and pod.labels.get("k8s-app") == "node-local-dns"]
