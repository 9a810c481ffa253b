"""The way of a connection, hop by hop: source, name, Service, endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final, NamedTuple

import msgspec

from kubedoctor.answers.reach.connections import (
    API_SERVER,
    ConnectionTarget,
    Outsider,
    is_ready,
    labels_of,
    targets_behind,
)
from kubedoctor.answers.reach.dead_ends import (
    DeadEnd,
    failing_health_check,
    in_part,
    no_backend,
    no_endpoint,
    no_such_port,
    outside_its_ranges,
    ports_of,
    state_of_endpoints,
    unresolved,
)
from kubedoctor.answers.reach.destination import ReachEnd, at_node, entered_by, families_apart, node_entered
from kubedoctor.answers.reach.fronts import Front, front_of, front_of_ingress
from kubedoctor.answers.resolve.aliases import followed, is_alias
from kubedoctor.cluster.kinds.core import Namespace, Node, Service, ServicePort
from kubedoctor.cluster.kinds.meta import ObjectMeta
from kubedoctor.cluster.kinds.networking import Endpoint, EndpointSlice, Ingress
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS, pods_of, template_of
from kubedoctor.cluster.seen.reading import Cluster, slices_want
from kubedoctor.cluster.seen.wants import Want
from kubedoctor.cluster.triage import finished, ready
from kubedoctor.problems import NoSuchObject, UsageProblem
from kubedoctor.replay.network import Party
from kubedoctor.replay.services.hosts import is_address, is_local, service_named
from kubedoctor.replay.services.proxy import (
    Fate,
    ProxyClient,
    ProxyVerdict,
    ServiceProxy,
    cluster_ips,
    service_port,
)

API_SERVER_NAME: Final = "the API server"
"""The endpoints of the Service default/kubernetes, where they were not seen."""
ADDRESS: Final = "Address"
"""The kind of a source that was named by its IP address."""
_SHOWN: Final = 3


class ReachSource(NamedTuple):
    """Who connects. pod: None for a node or an address. planned: the pod stands for a workload that has none now.
    address: of a source that is no pod, as text. asked: the namespace that was given with an address."""

    name: Ref
    party: Party
    pod: Pod | None = None
    planned: bool = False
    address: str = ""
    asked: str = ""

    @property
    def namespace(self) -> str:
        return self.pod.namespace if self.pod is not None else self.asked

    @property
    def addresses(self) -> list[str]:
        """All that it has; none where there may be more than are seen, as of a node."""
        own = [] if self.party.node else [self.address]
        return own if self.pod is None else [row.ip for row in self.pod.status.pod_ips or ()]

    @property
    def outsider(self) -> Outsider | None:
        """Where it is no pod."""
        return Outsider(self.name.title, self.address) if self.pod is None else None


class Way(msgspec.Struct, frozen=True):
    """service, port: which the name or address belongs to, if any. targets: where the connection may end. obstacle: why it
    ends before. outside: it leaves the cluster for a name whose address is not known. proxy: kube-proxy's choice.
    entrance: the address and port by which the Service was entered, where that is not its cluster address. front: what serves
    the host name; its proxy then connects. unread: the endpoints follow from the selector, since no EndpointSlice was seen.
    aliases: the Services of type ExternalName that lead to `service`."""

    service: Service | None = None
    port: ServicePort | None = None
    targets: tuple[ConnectionTarget, ...] = ()
    obstacle: DeadEnd | None = None
    outside: bool = False
    named: str = ""
    proxy: ProxyVerdict | None = None
    entrance: str = ""
    front: Front | None = None
    proxy_source: ReachSource | None = None
    unread: bool = False
    aliases: tuple[Service, ...] = ()


def source_of(subject: Ref, cluster: Cluster) -> ReachSource:
    """Raises NoSuchObject. Of a workload a pod that runs, else one from its template; of an address whoever has it."""
    if subject.kind == ADDRESS:
        return _source_at(subject, cluster)
    obj = cluster.get_ref(subject)
    if obj is None:
        raise NoSuchObject(f"{subject.title} not found", "", ())
    if isinstance(obj, Node):
        return ReachSource(subject, Party.of_node(obj), address=_internal(obj))
    planned = False
    pod = obj if isinstance(obj, Pod) else None
    if pod is None:
        pods = [row for row in pods_of(obj, cluster) if not finished(row)]
        pod = min(pods, key=lambda row: (not ready(row), row.name), default=None)
        template = template_of(obj)
        if pod is None and template is not None:
            meta = ObjectMeta(name=obj.name, namespace=obj.namespace, labels=template.metadata.labels)
            pod, planned = Pod(metadata=meta, spec=template.spec), True
    if pod is None:
        raise NoSuchObject(f"{subject.title} has no pods", "", ())
    return ReachSource(subject, Party.of_pod(pod, labels_of(pod.namespace, cluster)), pod, planned)


def _source_at(subject: Ref, cluster: Cluster) -> ReachSource:
    name, asked = Ref(ADDRESS, "", subject.name), subject.namespace
    for pod in cluster.maybe.all(Pod):
        if not finished(pod) and not pod.spec.host_network and subject.name == pod.status.pod_ip:
            return ReachSource(name, Party.of_pod(pod, labels_of(pod.namespace, cluster)), pod, address=name.name)
    for node in cluster.maybe.all(Node):
        if any(row.address == subject.name for row in node.status.addresses or ()):
            return ReachSource(name, Party.of_node(node), None, False, name.name, asked)
    return ReachSource(name, Party.outside(name.name), None, False, name.name, asked)


def _internal(node: Node) -> str:
    return next((row.address for row in node.status.addresses or () if row.type == "InternalIP"), "")


def way_of(source: ReachSource, end: ReachEnd, cluster: Cluster) -> Way:
    """From the name to the endpoints. Raises UsageProblem where a port is missing."""
    if end.kind:
        return _to_object(source, end, cluster)
    if is_local(end.host):
        return _to_itself(source, end)
    if is_address(end.host):
        if apart := families_apart(source.addresses, end.host):
            return Way(obstacle=DeadEnd(apart))
        entered = entered_by(end, cluster)
        if entered is not None:
            return _entered(*entered, source, end, cluster)
        return _direct(end, cluster)
    namespaces = [space.name for space in cluster.maybe.all(Namespace)]
    named = service_named(end.host, source.namespace or "default", [*namespaces, API_SERVER.namespace])
    if named is None:
        front = front_of(end.host, end.path, cluster, end.number)
        return _fronted(front, source, end, cluster) if front is not None else Way(outside=True, named=end.host)
    service = cluster.get(Service, named.namespace, named.name)
    if service is not None:
        return _through(service, source, end, cluster)
    if Ref("Service", named.namespace, named.name) == API_SERVER:
        return Way(outside=True, named=API_SERVER_NAME)
    if "." not in end.host:
        found = _object_named(end.host, source.namespace, cluster)
        if found is not None:
            return _to_object(source, end._replace(kind=found.kind), cluster)
    return Way(obstacle=unresolved(end.host, named.namespace, named.name, namespaces, cluster))


def _fronted(front: Front, source: ReachSource, end: ReachEnd, cluster: Cluster) -> Way:
    """Its proxy connects to the backend, whoever asks."""
    pod = min(front.proxies, key=lambda row: (not ready(row), row.namespace, row.name), default=None)
    proxy = (
        ReachSource(ref(pod), Party.of_pod(pod, labels_of(pod.namespace, cluster)), pod) if pod is not None else None
    )
    if front.obstacle is not None:
        return Way(obstacle=front.obstacle, front=front, proxy_source=proxy)
    if proxy is None:
        text = f"{end.host} is served by {front.about.title}, whose proxy was not seen"
        return Way(obstacle=DeadEnd(text, front.about, known=False), front=front)
    backend = Ref("Service", front.namespace, front.service)
    if (obstacle := no_backend(front.about, front.path, backend, cluster)) is not None:
        return Way(obstacle=obstacle, front=front, proxy_source=proxy)
    service = cluster.get_ref(backend)
    assert isinstance(service, Service)
    way = _through(service, proxy, end._replace(port=front.port), cluster)
    among = tuple(row for row in way.targets if row.pod is None or front.subset.items() <= row.pod.labels.items())
    return msgspec.structs.replace(way, front=front, proxy_source=proxy, targets=among)


def _object_named(name: str, namespace: str, cluster: Cluster) -> Ref | None:
    """A pod or workload of the name, where no Service has it."""
    names = [Ref(kind, namespace, name) for kind in ("Pod", "Deployment", "StatefulSet", "DaemonSet")]
    cluster.together(*(partial(cluster.maybe.get_ref, row) for row in names))
    return next((row for row in names if cluster.maybe.get_ref(row) is not None), None)


def _to_object(source: ReachSource, end: ReachEnd, cluster: Cluster) -> Way:
    name, _, namespace = end.host.partition(".")
    subject = Ref(end.kind, namespace or source.namespace or "default", name)
    if end.kind == "Node":
        subject = Ref("Node", "", end.host)
    if subject.kind not in ("Service", "Pod", "Node", "Ingress", *WORKLOAD_KINDS):
        raise UsageProblem(
            f"{subject.title} has no address", "Name a Service, an Ingress, a pod, a workload, a node or an address."
        )
    obj = cluster.get_ref(subject)
    if obj is None:
        raise NoSuchObject(f"{subject.title} not found", "", ())
    if isinstance(obj, Service):
        return _through(obj, source, end, cluster)
    if isinstance(obj, Ingress):
        front = front_of_ingress(obj, "", end.path, cluster)
        if front is None:
            return Way(obstacle=DeadEnd(f"{subject.title} has no rule for this path", subject))
        return _fronted(front, source, end, cluster)
    if isinstance(obj, Node):
        address, number, entered = _internal(obj), _number(end), at_node(end, cluster)
        if entered is not None:
            return _entered(*entered, source, end, cluster)
        if failing := failing_health_check(number, obj, cluster):
            return Way(obstacle=failing)
        return Way(targets=(ConnectionTarget(None, address, number, end.protocol),))
    if isinstance(obj, Pod) and finished(obj):
        return Way(obstacle=DeadEnd(f"{subject.title} has ended ({obj.status.phase}): nothing answers", subject))
    pods = [obj] if isinstance(obj, Pod) else [pod for pod in pods_of(obj, cluster) if not finished(pod)]
    if not pods and (why := in_part(cluster, Want("Pod", subject.namespace))):
        return Way(obstacle=DeadEnd(f"no pod of {subject.title} was seen ({why})", subject, known=False))
    if not pods:
        return Way(obstacle=DeadEnd(f"{subject.title} has no pods", subject))
    number = _number(end)
    return Way(targets=tuple(ConnectionTarget(pod, pod.status.pod_ip, number, end.protocol) for pod in pods))


def _number(end: ReachEnd) -> int:
    if not end.number:
        raise UsageProblem(f"{end.text} lacks a port number", f"Write {end.host}:PORT.")
    return end.number


def _to_itself(source: ReachSource, end: ReachEnd) -> Way:
    """A loopback address never leaves the network of the pod, or that of its node."""
    pod = source.pod if source.pod is not None and not source.pod.spec.host_network else None
    return Way(targets=(ConnectionTarget(pod, end.host, _number(end), end.protocol),))


def _entered(service: Service, port: ServicePort | None, source: ReachSource, end: ReachEnd, cluster: Cluster) -> Way:
    """kube-proxy sends requests to the endpoints of the Service, wherever it was entered."""
    if port is None:
        return _through(service, source, end, cluster)
    own = source.addresses or ([source.pod.status.pod_ip] if source.pod is not None else [])
    closed = outside_its_ranges(service, port, end.host, list(filter(None, own)))
    if closed is not None:
        return Way(service, port, obstacle=closed, entrance=f"{end.host}:{end.number}")
    node = node_entered(end, cluster) if service.spec.external_traffic_policy == "Local" else None
    if node is not None and _is_outside(source, node) and not _slices_unread(service, cluster):
        way = _at_port_of(node, service, port, end, cluster)
    else:
        way = _through(service, source, end._replace(port=str(port.port)), cluster)
    return msgspec.structs.replace(way, entrance=f"{end.host}:{end.number}")


def _is_outside(source: ReachSource, node: Node) -> bool:
    """Whether a node port of the node takes it for a client from outside: neither a pod nor the node itself."""
    return not (source.pod and not source.pod.spec.host_network) and source.party.node != node.name


def _at_port_of(node: Node, service: Service, port: ServicePort, end: ReachEnd, cluster: Cluster) -> Way:
    """What comes from outside to a node port with `externalTrafficPolicy: Local` goes to the endpoints of this node alone."""
    slices = cluster.maybe.slices_of(service.namespace, service.name)
    proxy = ServiceProxy([service], slices, node)
    verdict = proxy.connect(_internal(node), port.node_port or 0, end.protocol, ProxyClient(outside=True))
    if verdict.fate is Fate.SENT:
        rows = [(row.endpoint, row.address, row.port) for row in verdict.endpoints]
        return Way(service, port, tuple(_targets(service, rows, end.protocol, cluster)), proxy=verdict)
    obstacle = no_endpoint(service, port, verdict, cluster, f"node {node.name}")
    return Way(service, port, obstacle=obstacle, proxy=verdict)


def _direct(end: ReachEnd, cluster: Cluster) -> Way:
    number = _number(end)
    cluster.require(Pod)
    for pod in cluster.maybe.all(Pod):
        if (
            not finished(pod)
            and not pod.spec.host_network
            and end.host in (pod.status.pod_ip, *(row.ip for row in pod.status.pod_ips or ()))
        ):
            return Way(targets=(ConnectionTarget(pod, end.host, number, end.protocol),))
    return Way(targets=(ConnectionTarget(None, end.host, number, end.protocol),))


def _through(service: Service, source: ReachSource, end: ReachEnd, cluster: Cluster) -> Way:
    if is_alias(service):
        return _by_alias(service, source, end, cluster)
    spec = service.spec
    port = _port_of(service, end)
    if port is None and not (spec.is_headless and end.number):
        return Way(service, obstacle=no_such_port(service, end))
    slices = cluster.maybe.slices_of(service.namespace, service.name)
    if not slices and _slices_unread(service, cluster):
        # The pods tell enough where slices were not read.
        number = port.port if port is not None else end.number
        reached = tuple(row for row in targets_behind(service, number, end.protocol, cluster) if is_ready(row))
        if reached:
            return Way(service, port, reached, unread=True)
        if any(gap.kind == "EndpointSlice" for gap in cluster.gaps):
            text = f"the endpoints of {ref(service).title} could not be read"
            return Way(service, port, obstacle=DeadEnd(text, ref(service), known=False))
    if not slices and ref(service) == API_SERVER:
        return Way(service, port, outside=True, named=API_SERVER_NAME)
    if spec.is_headless:
        return _headless(service, port, end, slices, cluster)
    node = cluster.maybe.get(Node, "", source.party.node) if source.party.node else None
    client = ProxyClient(address=source.pod.status.pod_ip if source.pod is not None else None)
    proxy = ServiceProxy([service], slices, node)
    assert port is not None
    verdict = proxy.connect(next(iter(cluster_ips(service)), ""), port.port, end.protocol, client)
    if verdict.fate is Fate.SENT:
        rows = [(row.endpoint, row.address, row.port) for row in verdict.endpoints]
        return Way(service, port, tuple(_targets(service, rows, end.protocol, cluster)), proxy=verdict)
    return Way(service, port, obstacle=no_endpoint(service, port, verdict, cluster), proxy=verdict)


def _by_alias(service: Service, source: ReachSource, end: ReachEnd, cluster: Cluster) -> Way:
    found = followed(service, cluster)
    last = found.passed[-1]
    if found.obstacle is not None:
        return Way(last, obstacle=found.obstacle, aliases=found.passed[:-1])
    if found.service is None:
        return Way(last, outside=True, named=found.outside, aliases=found.passed[:-1])
    named = next((row.port for row in service.spec.ports or () if end.port and row.name == end.port), 0)
    way = _through(found.service, source, end._replace(port=str(named)) if named else end, cluster)
    return msgspec.structs.replace(way, aliases=found.passed)


def _slices_unread(service: Service, cluster: Cluster) -> bool:
    """They could not be read, or a state without any was recorded: each Service with a selector has one."""
    if any(gap.kind == "EndpointSlice" for gap in cluster.gaps):
        return True
    return bool(service.spec.selector) and not cluster.snapshot.of_kind("EndpointSlice")


def _port_of(service: Service, end: ReachEnd) -> ServicePort | None:
    rows = service.spec.ports or ()
    if end.number:
        return service_port(service, end.number, end.protocol)
    if end.port:
        return next((row for row in rows if row.name == end.port), None)
    if len(rows) == 1:
        return rows[0]
    raise UsageProblem(f"{end.text} lacks a port", f"{ref(service).title} has {ports_of(service)}.")


def _headless(
    service: Service, port: ServicePort | None, end: ReachEnd, slices: tuple[EndpointSlice, ...], cluster: Cluster
) -> Way:
    """The name stands for the endpoints' own addresses, and the port is theirs."""
    rows = []
    for row in slices:
        numbers = [entry.port for entry in row.ports or () if port is not None and (entry.name or "") == port.name]
        number = end.number or next((number for number in numbers if number), 0)
        rows += [
            (endpoint, address, number)
            for endpoint in row.endpoints or ()
            if endpoint.is_ready
            for address in (endpoint.addresses or ())[:1]
        ]
    if rows:
        return Way(service, port, tuple(_targets(service, rows, end.protocol, cluster)))
    if why := in_part(cluster, slices_want(service.namespace, service.name)):
        unseen = f"no ready endpoint of {ref(service).title} was seen ({why})"
        return Way(service, port, obstacle=DeadEnd(unseen, ref(service), known=False))
    text = f"{ref(service).title} is headless and has no ready endpoint, so its name does not resolve"
    return Way(
        service, port, obstacle=DeadEnd(f"{text}: {state_of_endpoints(service, cluster)}", ref(service), "not found")
    )


def _targets(
    service: Service, rows: list[tuple[Endpoint, str, int]], protocol: str, cluster: Cluster
) -> Iterator[ConnectionTarget]:
    names = {
        address: Ref("Pod", service.namespace, endpoint.target_ref.name)
        for endpoint, address, _ in rows
        if endpoint.target_ref is not None and endpoint.target_ref.kind == "Pod"
    }
    cluster.together(*(partial(cluster.maybe.get_ref, name) for name in names.values()))
    for _, address, number in rows:
        pod = cluster.maybe.get_ref(names[address]) if address in names else None
        yield ConnectionTarget(pod if isinstance(pod, Pod) else None, address, number, protocol, service)
