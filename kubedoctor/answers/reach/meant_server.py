"""The server that a program's settings name, where the line of its log that tells of a failed connection names none."""

from __future__ import annotations

from typing import Final

from kubedoctor.answers.reach.connections import denial, service_of_host, targets
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.relations.services import ready_endpoints
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.services.hosts import is_address
from kubedoctor.replay.services.settings import NamedServer, hides_servers, named_servers

_OF_A_CONNECTION: Final = (LogFault.CONNECTION_TIMEOUT, LogFault.CONNECTION_REFUSED)


def meant_server(pod: Pod, container: str, fault: LogFault, cluster: Cluster) -> NamedServer | None:
    """Of the Services that the settings name, the only one whose state fits the fault: a policy blocks it, or it has no
    ready endpoint; where none does, the only one that they name. Of names that do not resolve, the only one of the
    cluster that no Service has, else the only name. Where settings are hidden, a server that works is not meant."""
    if fault not in (*_OF_A_CONNECTION, LogFault.NAME_NOT_RESOLVED):
        return None
    servers = [server for server in named_servers(pod, container, cluster) if not is_address(server.host)]
    if fault in _OF_A_CONNECTION:
        servers = [server for server in servers if service_of_host(pod, server.host, cluster) is not None]
    fitting = [server for server in servers if _fits(pod, server, fault, cluster)]
    if not fitting and hides_servers(pod, container, cluster):
        servers = [server for server in servers if not _works(pod, server, fault, cluster)]
    chosen = fitting or servers
    return chosen[0] if len({server.host for server in chosen}) == 1 else None


def _fits(pod: Pod, server: NamedServer, fault: LogFault, cluster: Cluster) -> bool:
    service = service_of_host(pod, server.host, cluster)
    if fault is LogFault.NAME_NOT_RESOLVED:
        return service is None and ("." not in server.host or ".svc" in server.host)
    if fault is LogFault.CONNECTION_TIMEOUT:
        return denial(pod, targets(pod, server.host, server.port, cluster), cluster) is not None
    return service is not None and bool(service.spec.selector) and not ready_endpoints(service, cluster.maybe)


def _works(pod: Pod, server: NamedServer, fault: LogFault, cluster: Cluster) -> bool:
    """Nothing is seen that could be the fault: the Service exists, has ready endpoints, and the port."""
    service = service_of_host(pod, server.host, cluster)
    if service is None:
        return False
    if fault is LogFault.NAME_NOT_RESOLVED:
        return True
    ports = {port.port for port in service.spec.ports or ()}
    return bool(ready_endpoints(service, cluster.maybe)) and (not server.port or not ports or server.port in ports)
