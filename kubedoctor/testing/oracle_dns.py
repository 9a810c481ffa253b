"""The oracle's modes about names: `answer`, `corefile`, `resolvconf`, `dns` and `lookup`."""

from __future__ import annotations

import msgspec

from kubedoctor.cluster.kinds.core import Namespace, Service
from kubedoctor.cluster.kinds.networking import EndpointSlice
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.dns.clients.resolv_conf import (
    KubeletDns,
    dns_refusals,
    lacks_server,
    parse_resolv_conf,
    resolv_conf_of,
)
from kubedoctor.replay.dns.clients.walks import RESOLVERS, look_up
from kubedoctor.replay.dns.coredns.kubernetes import DnsObjects
from kubedoctor.replay.dns.coredns.loading import LoadingContext, loaded
from kubedoctor.replay.dns.coredns.records import NXDOMAIN, Ask, DnsQuestion, DnsReply
from kubedoctor.replay.dns.coredns.serving import CoreDns
from kubedoctor.replay.dns.coredns.syntax import CorefileProblem, server_blocks
from kubedoctor.testing.asked import Answer, BadRequest, State, converted

IN_CLUSTER = "in-cluster"
"""The Corefile of the CoreDNS that pods ask."""
MEASURED_PORT = 5390
"""The port of server blocks without one, where Corefiles were started as processes of their own."""
KUBELET_PORTS = frozenset({10248, 10250})
"""What the machine's kubelet listens on, beside which they were started."""


def answer_query(request: msgspec.Raw, state: State) -> Answer:
    """What CoreDNS answers with a Corefile that the state names."""
    data = msgspec.json.decode(request)
    reply = server(data["config"], state)(DnsQuestion(data["query"], data["type"]))
    answers = [{"name": row.name, "type": row.type, "data": row.data} for row in reply.answers]
    return {"rcode": reply.rcode, "answers": answers}


def server(config: str, state: State) -> Ask:
    """The CoreDNS of a Corefile; UPSTREAM in it is the server outside, NOTHING in that one's the last."""
    settings = state.settings
    if config not in settings.get("corefiles", {}):
        raise BadRequest(f'no corefile "{config}"')
    objects = DnsObjects(state.of(Namespace), state.of(Service), state.of(EndpointSlice), state.of(Pod))
    nothing = CoreDns(server_blocks(f"{settings.get('nothing', '')}"), objects, lambda _: None)
    upstream = CoreDns(server_blocks(f"{settings.get('upstream', '')}"), objects, {"NOTHING": nothing.ask}.get)
    text = settings["corefiles"][config]
    return CoreDns(server_blocks(text), objects, {"UPSTREAM": upstream.ask}.get).ask


def answer_corefile(request: msgspec.Raw, state: State) -> Answer:
    """Whether CoreDNS keeps running with a Corefile, as a process of its own beside a node."""
    data = msgspec.json.decode(request)
    around = LoadingContext(files=data.get("files") or {}, in_pod=False, port=MEASURED_PORT, taken=KUBELET_PORTS)
    try:
        loaded(data["corefile"], around)
    except CorefileProblem as problem:
        return {"loads": False, "problem": str(problem)}
    return {"loads": True}


def answer_resolv_conf(request: msgspec.Raw, state: State) -> Answer:
    """The resolv.conf of a pod, or what the API server says against it."""
    pod = converted(Pod, msgspec.json.decode(request)["pod"])
    if refusals := list(dns_refusals(pod)):
        return {"refused": f'The Pod "{pod.name}" is invalid: {"; ".join(refusals)}'}
    conf = resolv_conf_of(pod, _kubelet(state))
    return {"nameservers": conf.servers, "search": conf.searches, "options": sorted(conf.options)}


def answer_dns(request: msgspec.Raw) -> Answer:
    """The resolv.conf of a pod from everything that a kubelet is configured with."""
    data = msgspec.json.decode(request)
    node_file = data.get("resolvConf")
    kubelet = KubeletDns(
        tuple(data.get("clusterDNS") or ()),
        data.get("clusterDomain") or "",
        node_file,
        tuple(data.get("nodeIPs") or ()),
    )
    if lacks_server(node_file or ""):
        return {
            "error": "Encountered error while parsing resolv conf file. Error: nameserver list is empty ",
            "events": [],
        }
    pod = converted(Pod, data["pod"])
    conf = resolv_conf_of(pod, kubelet)
    # Go's lists: nil where lists without entries were joined, or where no file was read.
    joined, read = pod.spec.dns_config is not None, node_file is not None
    return {
        "events": [f"Warning {event}" for event in conf.left_out],
        "options": sorted(conf.options) if conf.options or joined or read else None,
        "searches": conf.searches if conf.searches or (read and not joined) else None,
        "servers": conf.servers if conf.servers or not joined else None,
    }


def answer_lookup(request: msgspec.Raw, state: State) -> Answer:
    """The questions and the result of a program in a pod that looks up a name, by its resolver."""
    data = msgspec.json.decode(request)
    if data["resolver"] not in RESOLVERS:
        raise BadRequest(f'no resolver "{data["resolver"]}"')
    pod = converted(Pod, data["pod"])
    kubelet = _kubelet(state)
    conf = resolv_conf_of(pod, kubelet)
    cluster = {address: server(IN_CLUSTER, state) for address in kubelet.servers}
    # The machine's own resolver knows no name at all.
    node = dict.fromkeys(parse_resolv_conf(kubelet.node_file or "").servers, _knows_nothing)
    hosts = {"localhost": ("127.0.0.1",) if pod.spec.host_network else ("127.0.0.1", "::1")}
    found = look_up(data["resolver"], data["name"], conf, {**node, **cluster}, hosts)
    queries = [[step.question.name, step.question.type] for step in found.steps if step.server in cluster]
    return {"addresses": sorted(found.addresses), "failed": bool(found.failure), "queries": queries}


def _knows_nothing(question: DnsQuestion) -> DnsReply:
    return DnsReply(NXDOMAIN)


def _kubelet(state: State) -> KubeletDns:
    servers = tuple(
        service.spec.cluster_ip for service in state.of(Service) if service.labels.get("k8s-app") == "kube-dns"
    )
    settings = state.settings
    return KubeletDns(servers, settings.get("cluster_domain", "cluster.local"), settings.get("node_resolv_conf", ""))
