"""The ports that pods declare, as a Service's `targetPort` finds them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from kubedoctor.cluster.grammar.nearest import misspellings
from kubedoctor.cluster.kinds.containers import Container, ContainerPort
from kubedoctor.cluster.kinds.core import Service, ServicePort
from kubedoctor.cluster.kinds.pods import Pod


def declared_ports(pod: Pod) -> Iterator[tuple[Container, ContainerPort]]:
    """Of the containers, then of the init containers that keep running."""
    sidecars = (container for container in pod.spec.init_containers or () if container.restarts_always)
    for container in (*pod.spec.containers, *sidecars):
        for port in container.ports or ():
            yield container, port


def find_port(pod: Pod, port: ServicePort) -> int | None:
    """The number that the Service sends to on this pod, None where the pod has no port of that name and protocol.

    Source: `pkg/api/v1/pod.FindPort`, v1.37.
    """
    target = port.target_port if port.target_port not in (None, 0, "") else port.port
    if isinstance(target, int):
        return target
    for _, declared in declared_ports(pod):
        if declared.name == target and (declared.protocol or "TCP") == (port.protocol or "TCP"):
            return declared.container_port
    return None


def names_of(pod: Pod, protocol: str) -> tuple[str, ...]:
    """The names of the ports that a pod declares for a protocol."""
    return tuple(
        declared.name
        for _, declared in declared_ports(pod)
        if declared.name and (declared.protocol or "TCP") == protocol
    )


class UnknownName(msgspec.Struct, frozen=True):
    """A target port's name that no pod has.

    names: the names of the pods' ports of the protocol. protocols: other protocols with this name.
    meant: the name that was probably intended, of those that no other port of the Service targets; empty if unclear.
    """

    target: str
    protocol: str
    names: tuple[str, ...]
    protocols: tuple[str, ...]
    meant: str


def unknown_name(service: Service, port: ServicePort, pods: Sequence[Pod]) -> UnknownName:
    """The names that the pods have instead of the name that a port targets."""
    target, protocol = str(port.target_port), port.protocol or "TCP"
    names = tuple(dict.fromkeys(name for pod in pods for name in names_of(pod, protocol)))
    same_name = (declared for pod in pods for _, declared in declared_ports(pod) if declared.name == target)
    used = {str(service_port.target_port) for service_port in service.spec.ports or ()}
    free = [name for name in names if name not in used]
    intended = next(iter(misspellings(target, free)), free[0] if len(names) == 1 and free else "")
    return UnknownName(target, protocol, names, tuple(sorted({declared.protocol for declared in same_name})), intended)
