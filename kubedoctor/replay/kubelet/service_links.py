"""The environment variables that name the Services of a pod's namespace (pkg/kubelet/envvars, v1.37)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.kinds.pods import Pod

_LINK = compiled_later(
    r"(?:tcp|udp|sctp)://(?P<address>(?:\d{1,3}\.){3}\d{1,3}|\[[0-9A-Fa-f:]+\]|[0-9A-Fa-f:]+):(?P<port>\d+)"
)


class ServiceLink(NamedTuple):
    """A value that the kubelet sets in each container of the namespace: `LDAP_PORT=tcp://10.96.0.9:389`."""

    service: Service
    variable: str
    value: str


def service_link(pod: Pod, message: str, services: Iterable[Service]) -> ServiceLink | None:
    """The Service whose link a message repeats; None where it repeats none, or the pod gets no links."""
    match = _LINK.search(message)
    if match is None or pod.spec.enable_service_links is False:
        return None
    address, port = match["address"].strip("[]"), int(match["port"])
    for service in services:
        if service.spec.cluster_ip == address and any(one.port == port for one in service.spec.ports or ()):
            prefix = service.name.upper().replace("-", "_")
            return ServiceLink(service, f"{prefix}_PORT", match[0])
    return None
