"""The hosts that a mesh knows: Services and ServiceEntries (Istio, `pilot/pkg/model/config.go`, ResolveShortnameToFQDN;
`pkg/config/analysis/analyzers/util/service_lookup.go`; `pkg/config/host/name.go`; 1.31)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.replay.mesh.config import exported_to, number, rows, words

EXPORT_TO: Final = "networking.istio.io/exportTo"
DOMAIN: Final = "svc.cluster.local"


class ServiceHost(NamedTuple):
    """The Service that a full name stands for."""

    namespace: str
    name: str


class Known(NamedTuple):
    """A host that the mesh knows. `service`: None for ServiceEntries, which add their ports; `ports`: by number."""

    service: Service | None
    ports: tuple[int, ...]


def full_name(host: str, namespace: str) -> str:
    """A host as Istio reads it in an object of a namespace: only a name without a dot is a Service of that namespace."""
    if not host or "." in host or host.startswith("*"):
        return host
    return f"{host}.{namespace}.{DOMAIN}"


def service_host(host: str) -> ServiceHost | None:
    """The Service of `name.namespace.svc.<domain>`; None for another host."""
    labels = host.split(".")
    return ServiceHost(labels[1], labels[0]) if len(labels) > 3 and labels[2] == "svc" else None


def covers(wildcard: str, host: str) -> bool:
    """Whether a host of a configuration object stands for a host; `*` at its start for any beginning."""
    if host.startswith("*") and wildcard.startswith("*"):
        return host.endswith(wildcard[1:]) or wildcard.endswith(host[1:])
    return host.endswith(wildcard[1:]) if wildcard.startswith("*") else wildcard == host


class Registry:
    """The hosts that a snapshot makes known. Both functions are called only for what is asked."""

    def __init__(
        self,
        service: Callable[[ServiceHost], Service | None],
        entries: Callable[[], Iterable[CustomResource]],
    ) -> None:
        self._service = service
        self._entries = entries

    def find(self, host: str, namespace: str) -> Known | None:
        """What a full host name means in an object of a namespace; None where nothing makes it known there."""
        named = service_host(host)
        service = self._service(named) if named is not None else None
        if service is not None and _seen_from(service, namespace):
            return Known(service, tuple(port.port for port in service.spec.ports or ()))
        entries = [
            entry
            for entry in self._entries()
            if exported_to(entry, namespace) and any(covers(known, host) for known in words(entry.spec, "hosts"))
        ]
        ports = {number(row.get("number")) for entry in entries for _, row in rows(entry.spec, "ports")} - {0}
        return Known(None, tuple(sorted(ports))) if entries else None


def _seen_from(service: Service, namespace: str) -> bool:
    names = {name.strip() for name in service.annotations.get(EXPORT_TO, "").split(",") if name.strip()}
    return not names or "*" in names or namespace in names or ("." in names and namespace == service.namespace)
