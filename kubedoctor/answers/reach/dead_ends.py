"""Why a hop of a connection leads nowhere, in words."""

from __future__ import annotations

from typing import Final, NamedTuple

from kubedoctor.answers.reach.destination import ReachEnd
from kubedoctor.cluster.grammar.nearest import misspellings
from kubedoctor.cluster.grammar.text import counted, listed
from kubedoctor.cluster.kinds.core import Node, Service, ServicePort
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.services import pods_selected_by
from kubedoctor.cluster.seen.reading import Cluster, slices_want
from kubedoctor.cluster.seen.wants import Want
from kubedoctor.cluster.triage import finished, ready, terminating
from kubedoctor.replay.services.proxy import Fate, ProxyClient, ProxyVerdict, ServiceProxy, balancer_ips

_SHOWN: Final = 3


class DeadEnd(NamedTuple):
    """Why a hop leads nowhere: a clause, and the object that decides. fate: as the client sees it. known: False where it is
    only not known how it goes on."""

    text: str
    about: Ref | None = None
    fate: str = ""
    known: bool = True


def in_part(cluster: Cluster, *wants: Want) -> str:
    """Why what is missing may exist all the same: only a part was seen. Empty where all was."""
    snapshot = cluster.snapshot
    return next((why for want in wants if not snapshot.covers(want) and (why := snapshot.limitation(want))), "")


def unresolved(host: str, namespace: str, name: str, namespaces: list[str], cluster: Cluster) -> DeadEnd:
    """A name that no Service has, and the nearest that one has."""
    if why := in_part(cluster, Want("Service", namespace, name)):
        return DeadEnd(f"Service {namespace}/{name} was not seen ({why})", known=False)
    if namespaces and namespace not in namespaces:
        return DeadEnd(f"{host} does not resolve: there is no Namespace {namespace}", fate="not found")
    elsewhere = sorted(row.namespace for row in cluster.maybe.all(Service) if row.name == name)
    hint = f"; {name} exists in {listed(elsewhere, _SHOWN)}: write {name}.{elsewhere[0]}" if elsewhere else ""
    if not elsewhere:
        own = sorted(row.name for row in cluster.maybe.all(Service) if row.namespace == namespace)
        near = next(iter(misspellings(name, own)), "")
        hint = f"; did you mean {near}?" if near else ""
    return DeadEnd(f"{host} does not resolve: there is no Service {namespace}/{name}{hint}", fate="not found")


def no_backend(about: Ref, path: str, backend: Ref, cluster: Cluster) -> DeadEnd | None:
    """Of a rule for a path without a Service, or with one that does not exist; None where it does."""
    if not backend.name:
        return DeadEnd(f"{about.title} sends {path} to no Service", about, known=False)
    if cluster.get_ref(backend) is not None:
        return None
    if why := in_part(cluster, Want("Service", backend.namespace, backend.name)):
        return DeadEnd(f"{backend.title} of {about.title} was not seen ({why})", about, known=False)
    return DeadEnd(f"{about.title} sends {path} to {backend.title}, which does not exist", about, "503")


def ports_of(service: Service) -> str:
    """`80/TCP, 443/TCP`."""
    rows = service.spec.ports or ()
    return listed((f"{row.port}/{row.protocol or 'TCP'}" for row in rows), 5) if rows else "no ports"


def no_such_port(service: Service, end: ReachEnd) -> DeadEnd:
    """The ports that it has instead."""
    asked = f"{end.port}/{end.protocol}" if end.number else f"named {end.port}"
    return DeadEnd(f"{ref(service).title} has no port {asked}: it has {ports_of(service)}", ref(service), "refused")


def no_endpoint(
    service: Service, port: ServicePort, verdict: ProxyVerdict, cluster: Cluster, node: str = "the node of the source"
) -> DeadEnd:
    """kube-proxy has nothing to send to. node: where it decides."""
    title = ref(service).title
    if why := in_part(cluster, slices_want(service.namespace, service.name)):
        return DeadEnd(f"no ready endpoint of {title} was seen ({why})", ref(service), known=False)
    if verdict.fate is Fate.DROPPED:
        return DeadEnd(f"{title} has no endpoint on {node} ({verdict.why} Local)", ref(service), "timeout")
    pods = [pod for pod in pods_selected_by(service, cluster.maybe) if not finished(pod)]
    target = port.target_port
    named = isinstance(target, str) and target != ""
    if any(ready(pod) for pod in pods) and named:
        text = (
            f"{title} port {port.port} targets port name {target}, which no ready pod has for {port.protocol or 'TCP'}"
        )
        return DeadEnd(text, ref(service), "refused")
    return DeadEnd(f"{title} has no ready endpoints: {state_of_endpoints(service, cluster)}", ref(service), "refused")


def state_of_endpoints(service: Service, cluster: Cluster) -> str:
    """How the pods of the selector are, as a clause."""
    selector = service.spec.selector
    if not selector:
        return "it has no selector, and nothing else lists addresses for it"
    text = ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    pods = [pod for pod in pods_selected_by(service, cluster.maybe) if not finished(pod)]
    if not pods:
        return f"no pod matches its selector {text}"
    serving = sum(ready(pod) and not terminating(pod) for pod in pods)
    return f"{serving} of {counted(len(pods), 'pod')} with {text} ready"


def outside_its_ranges(service: Service, port: ServicePort, host: str, addresses: list[str]) -> DeadEnd | None:
    """Where the load balancer's address is open for some sources only, and none of these; None where it may be open."""
    ranges = service.spec.load_balancer_source_ranges or ()
    if not ranges or not addresses or host not in balancer_ips(service):
        return None
    proxy = ServiceProxy([service], (), None)
    fates = {
        proxy.connect(host, port.port, port.protocol or "TCP", ProxyClient(outside=True, address=address)).fate
        for address in addresses
    }
    if fates != {Fate.DROPPED}:
        return None
    only = listed(ranges, _SHOWN)
    text = f"{ref(service).title} is open at {host} for {only} only (spec.loadBalancerSourceRanges), not for {addresses[0]}"
    return DeadEnd(text, ref(service), "timeout")


def failing_health_check(number: int, node: Node, cluster: Cluster) -> DeadEnd | None:
    """Where the port is one by which load balancers ask whether a node has an endpoint, and it has none: they send nothing to
    this node then."""
    for service in cluster.maybe.all(Service):
        if number and service.spec.health_check_node_port == number:
            slices = cluster.maybe.slices_of(service.namespace, service.name)
            if not ServiceProxy([service], slices, node).healthy_locally(service):
                text = f"health check of {ref(service).title}: the node has no ready endpoint, so it answers 503"
                return DeadEnd(f"{text} and load balancers send it nothing", ref(service), "503")
    return None
