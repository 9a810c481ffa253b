"""What diagnostics of Istio's objects share: the hosts that the mesh knows, and the proxies' access logs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final, NamedTuple

from kubedoctor.cluster import Cluster, CustomResource, LogTail, Pod, Ref, Service, finished
from kubedoctor.findings import Evidence, quote_line, ref
from kubedoctor.replay.mesh import injection
from kubedoctor.replay.mesh.access_log import Access, accesses
from kubedoctor.replay.mesh.config import GATEWAY, NETWORKING, words
from kubedoctor.replay.mesh.gateways import serving_pods
from kubedoctor.replay.mesh.registry import Registry, covers, full_name
from kubedoctor.replay.mesh.routes import gateways_of, serves_sidecars
from kubedoctor.replay.status.vocabulary import START

MOST_PROXIES: Final = 3
"""Of the proxies that a configuration applies to, those whose logs are read."""


class Seen(NamedTuple):
    """A request in a proxy's access log."""

    tail: LogTail
    access: Access

    def quoted(self, shows: str) -> Evidence:
        return quote_line(self.tail, self.access.line, shows)


def settling(obj: CustomResource, cluster: Cluster) -> bool:
    """Being deleted, or so new that what it names may be created just after it."""
    created = obj.metadata.creation_timestamp
    young = created is not None and cluster.taken_at - created < START
    return young or obj.metadata.deletion_timestamp is not None


def registry(cluster: Cluster) -> Registry:
    """All hosts of the mesh. A host that is no Service raises CannotSee where ServiceEntries cannot be read."""
    return Registry(
        lambda host: cluster.get(Service, host.namespace, host.name),
        lambda: cluster.custom("ServiceEntry", NETWORKING),
    )


def services(cluster: Cluster) -> Registry:
    """The hosts that are Services."""
    return Registry(lambda host: cluster.get(Service, host.namespace, host.name), tuple)


def proxies_of(service: CustomResource, cluster: Cluster) -> tuple[Pod, ...]:
    """Proxies that a VirtualService applies to: of its gateways, and sidecars of its namespace."""
    pods = [pod for pod in cluster.maybe.all(Pod) if not finished(pod)]
    found: list[Pod] = []
    for named in gateways_of(service):
        gateway = cluster.maybe.get_ref(Ref(GATEWAY, named.namespace, named.name))
        if isinstance(gateway, CustomResource):
            found += serving_pods(gateway, pods)
    if serves_sidecars(service):
        found += [pod for pod in pods if pod.namespace == service.namespace and injection.has_sidecar(pod)]
    return tuple({ref(pod): pod for pod in found}.values())[:MOST_PROXIES]


def requests_seen(
    pods: Iterable[Pod], cluster: Cluster, wanted: Callable[[Access], bool], *, optional: bool = False
) -> Iterator[Seen]:
    """The newest request of each proxy's log that is wanted. optional: a log that cannot be read is no gap."""
    logs = [partial(cluster.log_tail, pod, injection.PROXY, optional=optional) for pod in pods]
    cluster.together(*logs)
    for tail in (log() for log in logs):
        if tail is not None:
            for access in reversed([access for access in accesses(tail.lines) if wanted(access)]):
                yield Seen(tail, access)
                break


def is_for(service: CustomResource, access: Access) -> bool:
    """Whether the hosts of a VirtualService take the request, by the authority that the client wrote."""
    hosts = [full_name(host, service.namespace) for host in words(service.spec, "hosts")]
    asked = {access.host, full_name(access.host, service.namespace)}
    return any(covers(host, name) or host.startswith(f"{name}.") for host in hosts for name in asked)
