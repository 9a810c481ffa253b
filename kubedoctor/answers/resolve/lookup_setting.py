"""What decides about lookups in a pod, read from the cluster: its resolv.conf, the Corefile, who serves the DNS."""

from __future__ import annotations

from functools import partial
from typing import Final

import msgspec

from kubedoctor.cluster.kinds.core import ConfigMap, Namespace, Service, ServicePort, ServiceSpec
from kubedoctor.cluster.kinds.meta import ManagedMeta, ObjectMeta
from kubedoctor.cluster.kinds.networking import EndpointSlice, NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import ready
from kubedoctor.replay.dns.clients.resolv_conf import KubeletDns, ResolvConf, policy_of, resolv_conf_of
from kubedoctor.replay.dns.coredns.kubernetes import DnsObjects
from kubedoctor.replay.dns.coredns.loading import LoadingContext, loaded
from kubedoctor.replay.dns.coredns.records import UNKNOWN, Ask, DnsQuestion, DnsReply, is_reverse
from kubedoctor.replay.dns.coredns.serving import CoreDns
from kubedoctor.replay.dns.coredns.syntax import CorefileProblem, ServerBlock
from kubedoctor.replay.dns.servers import NODE_LOCAL, Resolvers, dns_service, resolvers
from kubedoctor.replay.network import ADMIN_KINDS, ConnectionVerdict, Party
from kubedoctor.replay.network.seen import with_admin_policies

COREFILE: Final = "Corefile"
CONFIG: Final = Ref("ConfigMap", "kube-system", "coredns")
CUSTOM: Final = Ref("ConfigMap", "kube-system", "coredns-custom")
USUAL_DOMAIN: Final = "cluster.local"
_DEFAULT: Final = Namespace(metadata=ObjectMeta(name="default"))
_API_SERVER: Final = Service(
    metadata=ManagedMeta(name="kubernetes", namespace="default"),
    spec=ServiceSpec(cluster_ip="192.0.2.1", ports=(ServicePort(name="https", port=443),)),
)
_UNSEEN: Final = "unseen"
"""Stands for the server that the kubelet is configured with, where the cluster's DNS was not seen."""


class LookupSetting(msgspec.Struct, frozen=True):
    """conf: as far as it is known: the node's own servers and searches are not. dns: the Service and its pods. server: the
    replayed CoreDNS; None where its configuration was not read. problem: why it would not load.
    blocked: the verdicts of policies where none of its pods may be asked. not_seen: which servers the pod asks that were
    not seen, as a clause; empty where they were."""

    conf: ResolvConf
    domain: str
    dns: Resolvers | None
    server: Ask | None
    problem: str = ""
    blocked: tuple[ConnectionVerdict, ...] = ()
    down: str = ""
    not_seen: str = ""
    namespace: str = ""

    @property
    def by_cluster(self) -> bool:
        """Whether the pod asks the cluster's DNS."""
        return self.dns is not None and bool({*_addresses(self.dns)} & {*self.conf.servers})

    def servers(self) -> dict[str, Ask]:
        """Who answers at each address of the resolv.conf."""
        own = _addresses(self.dns) if self.dns is not None else ()
        server = self.server or _unseen
        return {address: server if address in own else _unseen for address in self.conf.servers}


def lookup_setting(pod: Pod, name: str, cluster: Cluster) -> LookupSetting:
    """For a pod and a name."""
    maybe = cluster.maybe
    cluster.together(
        partial(resolvers, cluster),
        partial(maybe.get_ref, CONFIG),
        partial(maybe.get_ref, CUSTOM),
        partial(maybe.all, Service),
        partial(maybe.all, Namespace),
        partial(maybe.all, NetworkPolicy, pod.namespace),
        *(partial(maybe.all, kind) for kind in ADMIN_KINDS),
    )
    dns = resolvers(maybe)
    config, custom = maybe.get_ref(CONFIG), maybe.get_ref(CUSTOM)
    blocks: tuple[ServerBlock, ...] = ()
    problem = ""
    if isinstance(config, ConfigMap) and COREFILE in (config.data or {}):
        files = _custom_files(custom if isinstance(custom, ConfigMap) else None)
        try:
            blocks = loaded((config.data or {})[COREFILE], LoadingContext(files=files))
        except CorefileProblem as found:
            problem = str(found)
    domain = _domain(blocks)
    conf = resolv_conf_of(pod, KubeletDns(_addresses(dns)[:1] if dns is not None else (_UNSEEN,), domain))
    conf = msgspec.structs.replace(conf, servers=tuple(server for server in conf.servers if server != _UNSEEN))
    client = client_address(pod, dns)
    server = CoreDns(blocks, _objects(name, cluster), _elsewhere, client=client).ask if blocks else None
    return LookupSetting(
        conf,
        domain,
        dns,
        server,
        problem,
        _blocked(pod, dns, cluster) if policy_of(pod) == "Cluster" else (),
        _down(pod, dns, cluster),
        _not_seen(pod, dns, conf, cluster),
        pod.namespace,
    )


class CorefileAnswer(msgspec.Struct, frozen=True):
    """What a Corefile makes CoreDNS answer for a name of a Service."""

    name: str
    reply: DnsReply


def client_address(pod: Pod, dns: Resolvers | None) -> str:
    """Where CoreDNS sees the pod's questions come from; empty where that is the node's, which network plugins decide: of a
    pod on its node's network, and of one that asks the cache of its node."""
    return "" if pod.spec.host_network or dns is None or dns.detours else pod.status.pod_ip


def answer_for_service(config: ConfigMap, cluster: Cluster, client: str = "") -> CorefileAnswer | None:
    """What CoreDNS answers for the Service of the API server, which each cluster has: a stand-in for it, so that neither
    Services nor Namespaces have to be read. None where the Corefile does not load, or where CoreDNS does not answer for
    Services by it. client: the address that asks, where `acl` decides by it."""
    text = (config.data or {}).get(COREFILE, "")
    custom = cluster.maybe.get_ref(CUSTOM) if "import" in text else None
    files = _custom_files(custom if isinstance(custom, ConfigMap) else None)
    try:
        blocks = loaded(text, LoadingContext(files=files))
    except CorefileProblem:
        return None
    if not any(block.all("kubernetes") for block in blocks):
        return None
    name = f"{_API_SERVER.name}.{_API_SERVER.namespace}.svc.{_domain(blocks)}."
    objects = DnsObjects((_DEFAULT,), (_API_SERVER,), (), ())
    reply = CoreDns(blocks, objects, _elsewhere, client=client).ask(DnsQuestion(name, "A"))
    return CorefileAnswer(name, reply)


def cluster_domain(cluster: Cluster) -> str:
    """The domain of the Services' names, as the Corefile has it; empty where that was not read."""
    config = cluster.maybe.get_ref(CONFIG)
    if not isinstance(config, ConfigMap) or COREFILE not in (config.data or {}):
        return ""
    try:
        blocks = loaded((config.data or {})[COREFILE], LoadingContext(files={}))
    except CorefileProblem:
        return ""
    return _domain(blocks) if any(block.all("kubernetes") for block in blocks) else ""


def _addresses(dns: Resolvers | None) -> tuple[str, ...]:
    return (dns.service.spec.cluster_ip, NODE_LOCAL) if dns is not None else ()


def _custom_files(custom: ConfigMap | None) -> dict[str, str]:
    """Where AKS and others mount `coredns-custom`."""
    data = (custom.data or {}) if custom is not None else {}
    places = ("custom/", "/etc/coredns/custom/")
    return {f"{place}{name}": text for place in places for name, text in data.items()}


def _domain(blocks: tuple[ServerBlock, ...]) -> str:
    for block in blocks:
        for config in block.all("kubernetes"):
            for zone in config.head:
                if not is_reverse(f"{zone.rstrip('.')}."):
                    return zone.rstrip(".")
    return USUAL_DOMAIN


def _objects(name: str, cluster: Cluster) -> DnsObjects:
    """The slices of those Services only that the name may mean."""
    maybe = cluster.maybe
    words = set(name.lower().rstrip(".").split("."))
    services = maybe.all(Service)
    meant = [service for service in services if service.name in words]
    cluster.together(*(partial(maybe.slices_of, service.namespace, service.name) for service in meant))
    slices: list[EndpointSlice] = []
    for service in meant:
        slices += maybe.slices_of(service.namespace, service.name)
    pods = tuple(row for row in cluster.snapshot.of_kind("Pod") if isinstance(row, Pod))
    return DnsObjects(maybe.all(Namespace), services, tuple(slices), pods)


def _elsewhere(target: str) -> Ask:
    """What servers outside answer is not seen."""
    return lambda question: DnsReply(UNKNOWN, by=f"forward to {target}")


def _unseen(question: DnsQuestion) -> DnsReply:
    return DnsReply(UNKNOWN, by="a server outside of the cluster")


def _blocked(pod: Pod, dns: Resolvers | None, cluster: Cluster) -> tuple[ConnectionVerdict, ...]:
    if dns is None:
        return ()
    names = sorted({pod.namespace, dns.service.namespace})
    policies = with_admin_policies([row for name in names for row in cluster.maybe.all(NetworkPolicy, name)], cluster)
    space = cluster.maybe.get(Namespace, "", pod.namespace)
    return dns.verdicts(Party.of_pod(pod, space.labels if space is not None else {}), policies) or ()


def _not_seen(pod: Pod, dns: Resolvers | None, conf: ResolvConf, cluster: Cluster) -> str:
    policy = policy_of(pod)
    if policy == "Host" and not conf.servers:
        return "it asks the DNS servers of its node, which were not seen"
    if policy != "Cluster" or dns is not None:
        return ""
    service = dns_service(cluster.maybe)
    behind = f": no pod behind {ref(service).title} was" if service is not None else ""
    return f"the cluster's DNS was not seen{behind}"


def _down(pod: Pod, dns: Resolvers | None, cluster: Cluster) -> str:
    """Why no server answers: a clause, empty where a pod of the DNS is ready."""
    if dns is None:
        service = dns_service(cluster.maybe) if policy_of(pod) == "Cluster" else None
        if service is None or not service.spec.selector or not cluster.maybe.all(Pod, service.namespace):
            return ""
        return f"no pod is behind {ref(service).title}"
    pods = [cluster.maybe.get_ref(server.party.pod) for server in dns.servers if server.party.pod is not None]
    seen = [pod for pod in pods if isinstance(pod, Pod)]
    if seen and not any(ready(pod) for pod in seen):
        return f"no pod of {ref(dns.service).title} is ready"
    return ""
