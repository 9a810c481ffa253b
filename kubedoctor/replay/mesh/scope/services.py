"""The services of a mesh as istiod keeps them: those of Kubernetes and the hosts of ServiceEntries (Istio,
`pilot/pkg/serviceregistry/kube/conversion.go`, `serviceentry/conversion.go`, `pilot/pkg/model/push_context.go`,
`pkg/config/kube/conversion.go`; 1.31)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.replay.mesh.config import number, rows, text, words
from kubedoctor.replay.mesh.registry import DOMAIN, EXPORT_TO
from kubedoctor.replay.mesh.scope.settings import EVERYWHERE, NOWHERE, OWN, MeshSettings

UNSPECIFIED: Final = "0.0.0.0"  # the address of a service that has none, nothing is bound to it
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PROTOCOLS: Final = frozenset(
    {"tcp", "udp", "grpc", "grpc-web", "http", "http_proxy", "http2", "https", "tls", "mongo", "redis", "mysql"}
)
_HTTP: Final = frozenset({"http", "http2", "http_proxy", "grpc", "grpc-web"})
_KUBERNETES: Final = {"kubernetes.io/h2c": "http2", "kubernetes.io/ws": "http", "kubernetes.io/wss": "https"}
_WELL_KNOWN: Final = frozenset({25, 53, 3306, 27017})
"""Ports of protocols in which the server speaks first: TCP where the name tells no protocol."""


class MeshPort(NamedTuple):
    """`protocol`: in small letters; empty where the proxy has to find it out."""

    name: str
    port: int
    protocol: str

    @property
    def is_http(self) -> bool:
        return self.protocol in _HTTP

    @property
    def may_be_http(self) -> bool:
        return not self.protocol or self.is_http


class MeshService(NamedTuple):
    """`host`: its full name; `name`: of the Service, else the host; `visible`: namespaces, `*` for all;
    `resolution`: that of a ServiceEntry, `Passthrough` and `ClientSideLB` for Services."""

    host: str
    namespace: str
    name: str
    ports: tuple[MeshPort, ...]
    created: datetime
    visible: frozenset[str]
    addresses: tuple[str, ...]
    resolution: str
    is_kubernetes: bool

    def port(self, wanted: int) -> MeshPort | None:
        return next((row for row in self.ports if row.port == wanted), None)

    def is_visible(self, namespace: str) -> bool:
        return EVERYWHERE in self.visible or namespace in self.visible


def port_protocol(port: int, name: str, transport: str, application: str | None) -> str:
    """The protocol of a Service's port by its `appProtocol` or the beginning of its name; empty where neither tells."""
    if transport == "UDP":
        return "udp"
    if application is not None:
        if application in _KUBERNETES:
            return _KUBERNETES[application]
        name = application
    name = name.lower()
    if name.startswith("grpc-web"):
        return "grpc-web"
    found = name.partition("-")[0]
    if found in _PROTOCOLS:
        return found
    return "tcp" if port in _WELL_KNOWN else ""


def mesh_services(
    services: Iterable[Service], entries: Iterable[CustomResource], settings: MeshSettings, domain: str = DOMAIN
) -> tuple[MeshService, ...]:
    """All of them, the oldest first."""
    found = [_of_service(service, settings, domain) for service in services]
    found += [each for entry in entries for each in _of_entry(entry, settings)]
    return tuple(sorted(found, key=lambda each: (each.created, each.name, each.namespace)))


def by_host(services: Iterable[MeshService]) -> Mapping[str, Mapping[str, MeshService]]:
    """One service for each host and namespace: the oldest, and that of Kubernetes before one of a ServiceEntry."""
    found: dict[str, dict[str, MeshService]] = {}
    for service in services:
        there = found.setdefault(service.host, {})
        known = there.get(service.namespace)
        if known is None or (service.is_kubernetes and not known.is_kubernetes):
            there[service.namespace] = service
    return found


def seen_from(services: Iterable[MeshService], namespace: str) -> tuple[MeshService, ...]:
    """The services that a namespace may use, those first that not all may use."""
    visible = [service for service in services if service.is_visible(namespace)]
    return tuple(sorted(visible, key=lambda service: EVERYWHERE in service.visible))


def visible_namespaces(written: Iterable[str], own: str) -> frozenset[str]:
    """The namespaces of an `exportTo`: `*` for all, none for `~`."""
    names = {own if name == OWN else name for name in written}
    if EVERYWHERE in names:
        return frozenset({EVERYWHERE})
    return frozenset() if NOWHERE in names else frozenset(names)


def _of_service(service: Service, settings: MeshSettings, domain: str) -> MeshService:
    address = service.spec.cluster_ip or ""
    resolution = "Alias" if service.spec.type == "ExternalName" else "ClientSideLB"
    if address == "None":
        resolution, address = "Passthrough", ""
    exported = service.annotations.get(EXPORT_TO)
    names = tuple(name.strip() for name in exported.split(",")) if exported else settings.services
    return MeshService(
        f"{service.name}.{service.namespace}.{domain}",
        service.namespace,
        service.name,
        tuple(
            MeshPort(row.name, row.port, port_protocol(row.port, row.name, row.protocol or "TCP", row.app_protocol))
            for row in service.spec.ports or ()
        ),
        service.metadata.creation_timestamp or _FIRST,
        visible_namespaces(names, service.namespace),
        (address or UNSPECIFIED,),
        resolution,
        True,
    )


def _of_entry(entry: CustomResource, settings: MeshSettings) -> Iterable[MeshService]:
    spec = entry.spec or {}
    ports = tuple(_port(row) for _, row in rows(spec, "ports"))
    visible = visible_namespaces(words(spec, "exportTo") or settings.services, entry.namespace)
    created = entry.metadata.creation_timestamp or _EPOCH
    resolution = text(spec.get("resolution")) or "NONE"
    for host in words(spec, "hosts"):
        for address in words(spec, "addresses") or (UNSPECIFIED,):
            yield MeshService(host, entry.namespace, host, ports, created, visible, (address,), resolution, False)


def _port(row: Mapping[str, object]) -> MeshPort:
    protocol = text(row.get("protocol")).lower()
    return MeshPort(text(row.get("name")), number(row.get("number")), protocol if protocol in _PROTOCOLS else "")
