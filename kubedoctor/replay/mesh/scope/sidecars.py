"""What a sidecar sees through the Sidecar that configures it (Istio, `pilot/pkg/model/sidecar.go`, 1.31)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from kubedoctor.cluster.grammar.selectors import selector_from_map
from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.mesh.attachment import age
from kubedoctor.replay.mesh.config import ROOT_NAMESPACE, labels, number, part, rows, text, words
from kubedoctor.replay.mesh.hosts import is_subset, is_wildcard, matches
from kubedoctor.replay.mesh.scope.destination_rules import DestinationRules, MergedRule
from kubedoctor.replay.mesh.scope.services import MeshService, by_host, mesh_services, seen_from
from kubedoctor.replay.mesh.scope.settings import EVERYWHERE, NOWHERE, OWN, MeshSettings
from kubedoctor.replay.mesh.scope.virtual_services import (
    MeshVirtualService,
    destination_ports,
    mesh_virtual_services,
    of_sidecars,
)

_ALL: Final = {"hosts": ["*/*"]}


class EgressListener(NamedTuple):
    """`port`: 0 for all ports that no other listener is for; `services`: with the ports that it takes."""

    spec: Mapping[str, Any]
    port: int
    protocol: str
    services: tuple[MeshService, ...]
    virtual_services: tuple[MeshVirtualService, ...]


class SidecarScope(NamedTuple):
    """`sidecar`: None where none is in force; `services`: of all listeners and the destinations of their rules, by
    host; `outbound`: what happens to requests for other hosts."""

    namespace: str
    sidecar: CustomResource | None
    listeners: tuple[EgressListener, ...]
    services: Mapping[str, MeshService]
    rules: DestinationRules
    outbound: str

    def rule_for(self, host: str, pod: Pod) -> MergedRule | None:
        service = self.services.get(host)
        return self.rules.chosen(self.namespace, pod.labels, service) if service is not None else None


class Mesh:
    """The objects of a mesh that decide what its sidecars see."""

    def __init__(
        self,
        services: Iterable[Service],
        entries: Iterable[CustomResource],
        virtual_services: Iterable[CustomResource],
        destination_rules: Iterable[CustomResource],
        sidecars: Iterable[CustomResource],
        settings: MeshSettings,
    ) -> None:
        self.settings = settings
        self.services = mesh_services(services, entries, settings)
        self._by_host = by_host(self.services)
        self.virtual_services = mesh_virtual_services(virtual_services, settings)
        self._rules = DestinationRules(destination_rules, settings)
        self._sidecars = tuple(sidecars)

    def scope(self, pod: Pod) -> SidecarScope:
        """What the sidecar of a pod sees."""
        sidecar = sidecar_in_force(pod, self._sidecars, self.settings.root)
        spec = (sidecar.spec if sidecar is not None else None) or {}
        written = [row for _, row in rows(spec, "egress")] or [_ALL]
        listeners = tuple(self._listener(row, pod.namespace) for row in written)
        found: dict[str, MeshService] = {}
        for listener in listeners:
            for service in listener.services:
                _append(found, service)
            for service in self._destinations(listener, pod.namespace):
                _append(found, service)
        outbound = text(part(spec, "outboundTrafficPolicy").get("mode"))
        if spec.get("outboundTrafficPolicy") is not None:
            outbound = outbound or "REGISTRY_ONLY"
        return SidecarScope(pod.namespace, sidecar, listeners, found, self._rules, outbound or self.settings.outbound)

    def _listener(self, spec: Mapping[str, Any], namespace: str) -> EgressListener:
        imports = _Imports(words(spec, "hosts"), namespace)
        port = number(part(spec, "port").get("number"))
        protocol = text(part(spec, "port").get("protocol")).lower()
        only = port if protocol != "http_proxy" else 0
        chosen = [
            taken
            for service in seen_from(self.services, namespace)
            if imports.service(service) and (taken := _with_port(service, only)) is not None
        ]
        rules = of_sidecars(self.virtual_services, namespace)
        return EgressListener(
            spec,
            port,
            protocol,
            tuple(_one_namespace_each(chosen, namespace)),
            tuple(rule for rule in rules if imports.virtual_service(rule)),
        )

    def _destinations(self, listener: EgressListener, namespace: str) -> Iterator[MeshService]:
        """Services that are no hosts of the listener, but where its rules lead to."""
        for rule in listener.virtual_services:
            for host, ports in destination_ports(rule, namespace).items():
                service = self._best(host, namespace)
                if service is None:
                    continue
                if listener.port and listener.protocol != "http_proxy":
                    taken = _with_port(service, listener.port)
                else:
                    taken = _with_ports(service, ports)
                if taken is not None:
                    yield taken

    def _best(self, host: str, namespace: str) -> MeshService | None:
        there = self._by_host.get(host, {})
        if namespace in there:
            return there[namespace]
        visible = [service for service in there.values() if service.is_visible(namespace)]
        return min(visible, key=lambda one: (not one.is_kubernetes, one.created), default=None)


def sidecar_in_force(pod: Pod, sidecars: Iterable[CustomResource], root: str = ROOT_NAMESPACE) -> CustomResource | None:
    """The Sidecar that configures the proxy of a pod: the oldest that selects it, else the oldest of its namespace
    without a selector, else that of the mesh."""
    ordered = sorted(sidecars, key=lambda one: (_selector(one) is None, age(one)))
    for sidecar in ordered:
        wanted = _selector(sidecar)
        if sidecar.namespace == pod.namespace and (
            wanted is None or selector_from_map(labels(wanted, "labels")).matches(pod.labels)
        ):
            return sidecar
    return next((one for one in ordered if one.namespace == root and _selector(one) is None), None)


def _selector(sidecar: CustomResource) -> object:
    return (sidecar.spec or {}).get("workloadSelector")


class _Imports:
    """The hosts of an egress listener by namespace: `namespace/host`, `~namespace/host` to leave out."""

    def __init__(self, hosts: Iterable[str], namespace: str) -> None:
        self._taken: dict[str, list[str]] = {}
        self._left_out: dict[str, list[str]] = {}
        for written in hosts:
            if written.count("/") != 1:
                continue
            space, _, name = written.partition("/")
            names = self._taken
            if space.startswith(NOWHERE):
                names, space = self._left_out, space[1:] or EVERYWHERE
            names.setdefault(namespace if space == OWN else space, []).append(name)

    def _is_left_out(self, host: str, namespace: str) -> bool:
        return any(is_subset(host, name) for space in (namespace, EVERYWHERE) for name in self._left_out.get(space, ()))

    def _names(self, namespace: str) -> list[str]:
        return [name for space in (namespace, EVERYWHERE) for name in self._taken.get(space, ())]

    def service(self, service: MeshService) -> bool:
        if self._is_left_out(service.host, service.namespace):
            return False
        return any(is_subset(service.host, name) for name in self._names(service.namespace))

    def virtual_service(self, rule: MeshVirtualService) -> bool:
        space = rule.obj.namespace
        return any(
            not self._is_left_out(host, space)
            and any(
                name == host or ((is_wildcard(name) or is_wildcard(host)) and matches(host, name))
                for name in self._names(space)
            )
            for host in rule.hosts
        )


def _one_namespace_each(services: list[MeshService], namespace: str) -> Iterator[MeshService]:
    """Of a host that is imported from several namespaces those of one: the client's own, else that of Kubernetes."""
    valid: dict[str, MeshService] = {}
    for service in services:
        known = valid.get(service.host)
        if (
            known is None
            or service.namespace == namespace
            or (not known.is_kubernetes and service.is_kubernetes and known.namespace != namespace)
        ):
            valid[service.host] = service
    return (service for service in services if valid[service.host].namespace == service.namespace)


def _with_port(service: MeshService, port: int) -> MeshService | None:
    if not port:
        return service
    found = service.port(port)
    return service._replace(ports=(found,)) if found is not None else None


def _with_ports(service: MeshService, ports: set[int]) -> MeshService | None:
    if not ports or 0 in ports:
        return service
    found = tuple(row for row in service.ports if row.port in ports)
    return service._replace(ports=found) if found else None


def _append(found: dict[str, MeshService], service: MeshService) -> None:
    """Services of one host become one: that of Kubernetes, else the first; ports of the same namespace are added."""
    known = found.get(service.host)
    if known is None:
        found[service.host] = service
    elif known.is_kubernetes and not service.is_kubernetes:
        return
    elif service.is_kubernetes and not known.is_kubernetes:
        found[service.host] = service
    elif (
        known.namespace == service.namespace
        and known.resolution == service.resolution
        and known.visible == service.visible
    ):
        more = tuple(row for row in service.ports if known.port(row.port) is None)
        found[service.host] = known._replace(ports=known.ports + more)
