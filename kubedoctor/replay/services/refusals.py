"""Signs that a Service's target port is not the one that its pods listen on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.grammar.redaction import REDACTED
from kubedoctor.cluster.kinds.containers import Container, Probe
from kubedoctor.cluster.kinds.core import Service, ServicePort
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.relations.services import services_selecting
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.wants import LogTail
from kubedoctor.cluster.triage import finished, ready, terminating
from kubedoctor.replay.kubelet.endings import failing
from kubedoctor.replay.services.ports import declared_ports, find_port

if TYPE_CHECKING:
    from kubedoctor.replay.logs.faults import LogFault

MOST_LOGS = 3
_REFUSED = compiled_later(r"connection refused|ECONNREFUSED|actively refused", re.IGNORECASE)
_FAILED = compiled_later(
    r"connection refused|ECONNREFUSED|actively refused|timed? ?out|ETIMEDOUT|deadline exceeded|Client\.Timeout",
    re.IGNORECASE,
)
_SCHEMES = {80: "http", 443: "https"}
"""What a URL without a port stands for."""


class WrongNumber(msgspec.Struct, frozen=True):
    """`target` is declared by no pod. `container` declares the ports `declared`, one of which answers its probe.

    others_lead_there: another Service port targets that port, so this one may be an undeclared port.
    """

    target: int
    declared: tuple[int, ...]
    container: str
    others_lead_there: bool


class ConnectionRefusal(msgspec.Struct, frozen=True):
    """A line of a client's log about a connection that the Service refused."""

    pod: Pod
    tail: LogTail
    index: int


def wrong_number(service: Service, port: ServicePort, pods: list[Pod], cluster: Cluster) -> WrongNumber | None:
    """None unless each pod declares ports of this protocol, none of them the target, and a ready pod's readiness probe
    succeeds on a declared port.

    Declared ports are only information, so this alone proves nothing.
    """
    for pod, container, target, declared in _undeclared(port, pods):
        probed = probed_port(container, container.readiness_probe)
        if probed in declared and probed != target:
            return WrongNumber(target, declared, container.name, _leads_to(probed, pod, service, port, cluster))
    return None


def undeclared_number(port: ServicePort, pods: list[Pod]) -> WrongNumber | None:
    """As `wrong_number`, without a probe that answers on a declared port: only a client that is refused makes it a fault."""
    found = next(_undeclared(port, pods), None)
    return WrongNumber(found[2], found[3], found[1].name, False) if found is not None else None


def _undeclared(port: ServicePort, pods: list[Pod]) -> Iterator[tuple[Pod, Container, int, tuple[int, ...]]]:
    """The containers of ready pods that declare ports, where no pod declares the target: with the target and their ports."""
    protocol = port.protocol or "TCP"
    target = find_port(pods[0], port)
    if target is None or protocol != "TCP" or any(may_listen(pod, port) for pod in pods):
        return
    for pod in pods:
        for container in pod.spec.containers if ready(pod) else ():
            declared = tuple(
                container_port.container_port
                for container_port in container.ports or ()
                if container_port.protocol == protocol
            )
            if declared:
                yield pod, container, target, declared


def may_listen(pod: Pod, port: ServicePort) -> bool:
    """Whether a pod may listen on the port's target by what it declares: the target itself, or nothing."""
    protocol = port.protocol or "TCP"
    numbers = [
        declared.container_port for _, declared in declared_ports(pod) if (declared.protocol or "TCP") == protocol
    ]
    target = find_port(pod, port)
    return target is not None and (not numbers or target in numbers)


def probed_port(container: Container, probe: Probe | None) -> int | None:
    """The port number that a probe checks; a name is one of the container's own ports."""
    if probe is None:
        return None
    action = probe.http_get or probe.tcp_socket or probe.grpc
    port = action.port if action is not None else None
    if isinstance(port, str):
        return next(
            (container_port.container_port for container_port in container.ports or () if container_port.name == port),
            None,
        )
    return port


def _leads_to(number: int | None, pod: Pod, service: Service, port: ServicePort, cluster: Cluster) -> bool:
    return any(
        find_port(pod, service_port) == number
        for neighbour in services_selecting(pod, cluster)
        for service_port in neighbour.spec.ports or ()
        if (neighbour.name, service_port) != (service.name, port)
    )


def refused_by(service: Service, port: ServicePort, pods: Sequence[Pod], cluster: Cluster) -> ConnectionRefusal | None:
    """A log line about a refused connection that names this Service, by name or address, from a pod in trouble of the
    namespace."""
    from kubedoctor.replay.logs.faults import LogFault  # a healthy Service needs no log

    own = {pod.name for pod in pods}
    clients = [pod for pod in cluster.maybe.all(Pod, service.namespace) if pod.name not in own]
    return _failure(service, port, clients, _REFUSED, (LogFault.CONNECTION_REFUSED,), cluster)


def lost_by(service: Service, port: ServicePort, nodes: set[str], cluster: Cluster) -> ConnectionRefusal | None:
    """A log line about a connection to this Service that failed, from a pod in trouble that runs on another node than
    these, of any namespace. In another namespace the bare name means another Service."""
    from kubedoctor.replay.logs.faults import LogFault  # a healthy Service needs no log

    clients = [pod for pod in cluster.maybe.all(Pod) if pod.spec.node_name and pod.spec.node_name not in nodes]
    both = (LogFault.CONNECTION_REFUSED, LogFault.CONNECTION_TIMEOUT)
    return _failure(service, port, clients, _FAILED, both, cluster)


def _failure(
    service: Service,
    port: ServicePort,
    clients: Sequence[Pod],
    words: re.Pattern[str],
    faults: tuple[LogFault, ...],
    cluster: Cluster,
) -> ConnectionRefusal | None:
    troubled = [pod for pod in clients if _is_troubled(pod, cluster) and not finished(pod) and not terminating(pod)]
    named = [client for client in troubled if _mentions(client, service)]
    hidden = [client for client in troubled if client not in named and _hides_settings(client)]
    logs = [
        (pod, container.name, previous)
        for pod in [*named, *hidden][:MOST_LOGS]
        for container in pod.spec.containers
        for previous in (True, False)
    ]
    cluster.together(*(partial(cluster.log_tail, pod, name, previous=previous) for pod, name, previous in logs))
    for pod, name, previous in logs:
        tail = cluster.log_tail(pod, name, previous=previous)
        spots = _spots(service, port, pod.namespace)
        for index in range(len(tail.lines) - 1, -1, -1) if tail is not None else ():
            line = tail.lines[index] if tail is not None else ""
            if tail is not None and words.search(line) and spots.search(line):
                return ConnectionRefusal(pod, tail, index)
        place = _of_a_trace(tail, faults, spots) if tail is not None else None
        if tail is not None and place is not None:
            return ConnectionRefusal(pod, tail, place)
    return None


def _of_a_trace(tail: LogTail, faults: tuple[LogFault, ...], spots: re.Pattern[str]) -> int | None:
    """The deciding line, where it states an exception and another of the same trace names the Service."""
    from kubedoctor.replay.logs.reading import read_log  # only where a log may name the Service
    from kubedoctor.replay.logs.traces import is_exception

    cause = read_log(tail.lines)
    if cause is None or cause.fault not in faults or not is_exception(tail.lines[cause.index]):
        return None
    return cause.index if spots.search(cause.subject) else None


def _is_troubled(pod: Pod, cluster: Cluster) -> bool:
    """A program without a readiness probe is ready between its crashes."""
    return not ready(pod) or any(failing(status, cluster.taken_at) for status in pod.status.container_statuses or ())


def _spots(service: Service, port: ServicePort, namespace: str) -> re.Pattern[str]:
    """Patterns for the port of the Service as a client in this namespace writes it: by an address or a name, and not as a
    part of another (`web:8080`), or by a URL of the usual port (`http://web/`)."""
    name = _name_from(service, namespace)
    full = f"{service.name}.{service.namespace}"
    hosts = (*_addresses(service), name, full, f"{full}.svc", f"{full}.svc.cluster.local")
    spots = "|".join(re.escape(host) for host in hosts)
    numbered = rf"(?<![\w.-])(?:{spots}):{port.port}(?!\d)"
    scheme = _SCHEMES.get(port.port)
    return re.compile(numbered if scheme is None else rf"{numbered}|\b{scheme}://(?:{spots})(?![\w.:-])")


def _addresses(service: Service) -> list[str]:
    """As a client writes them before a port."""
    addresses = service.spec.cluster_ips or (service.spec.cluster_ip,)
    return [f"[{address}]" if ":" in address else address for address in addresses if address not in ("", "None")]


def _name_from(service: Service, namespace: str) -> str:
    """The shortest name of the Service in a pod of this namespace."""
    return service.name if namespace == service.namespace else f"{service.name}.{service.namespace}"


def _hides_settings(pod: Pod) -> bool:
    """Whether settings come from elsewhere, or are not shown: connection strings hold passwords."""
    return any(
        container.env_from or any(row.value == REDACTED or row.value_from is not None for row in container.env or ())
        for container in pod.spec.containers
    )


def _mentions(pod: Pod, service: Service) -> bool:
    hosts = "|".join(map(re.escape, (_name_from(service, pod.namespace), *_addresses(service))))
    word = re.compile(rf"(?<![\w.-])(?:{hosts})(?=[.:/\s\"',;]|$)")
    return any(
        word.search(text)
        for container in pod.spec.containers
        for text in (
            *(container.command or ()),
            *(container.args or ()),
            *(variable.value for variable in container.env or ()),
        )
    )
