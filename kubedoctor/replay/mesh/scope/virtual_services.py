"""The VirtualServices of a mesh with full names, and which of them a sidecar gets (Istio, `pilot/pkg/model/virtualservice.go`,
`virtualservice_controller.go`, `push_context.go`; 1.31)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.replay.mesh.attachment import age
from kubedoctor.replay.mesh.config import number, part, rows, text, words
from kubedoctor.replay.mesh.registry import full_name
from kubedoctor.replay.mesh.routes import MESH
from kubedoctor.replay.mesh.scope.delegation import merged_routes
from kubedoctor.replay.mesh.scope.services import visible_namespaces
from kubedoctor.replay.mesh.scope.settings import EVERYWHERE, MeshSettings


class MeshVirtualService(NamedTuple):
    """`http`: its rules with those of its delegates, as plain data; `hosts`: full names; `visible`: namespaces."""

    obj: CustomResource
    hosts: tuple[str, ...]
    gateways: tuple[str, ...]
    visible: frozenset[str]
    http: tuple[Mapping[str, Any], ...]

    @property
    def key(self) -> tuple[str, str]:
        return self.obj.namespace, self.obj.name


def mesh_virtual_services(objects: Iterable[CustomResource], settings: MeshSettings) -> tuple[MeshVirtualService, ...]:
    """Those that have hosts, the oldest first; the others are delegates."""
    known = list(objects)
    delegates = {(obj.namespace, obj.name): obj for obj in known if not words(obj.spec, "hosts")}
    return tuple(
        MeshVirtualService(
            obj,
            tuple(full_name(host, obj.namespace) for host in words(obj.spec, "hosts")),
            words(obj.spec, "gateways") or (MESH,),
            _visible(obj, settings),
            tuple(_routes(obj, delegates, settings)),
        )
        for obj in sorted(known, key=age)
        if words(obj.spec, "hosts")
    )


def of_sidecars(services: Iterable[MeshVirtualService], namespace: str) -> tuple[MeshVirtualService, ...]:
    """Those that sidecars of a namespace may get: the private ones first, then those for a few namespaces."""

    def rank(service: MeshVirtualService) -> int:
        if EVERYWHERE in service.visible:
            return 2
        return 0 if service.key[0] == namespace else 1

    mine = [one for one in services if MESH in one.gateways and {EVERYWHERE, namespace} & one.visible]
    return tuple(sorted(mine, key=rank))


def destination_ports(service: MeshVirtualService, namespace: str) -> dict[str, set[int]]:
    """The hosts that it sends requests of a namespace to, with the ports; 0 for all ports."""
    found: dict[str, set[int]] = {}
    for rule in service.http:
        spaces = [text(row.get("sourceNamespace")) for _, row in rows(rule, "match")]
        named = [space for space in spaces if space]
        if named and namespace not in named:
            continue
        targets = [part(row, "destination") for name in ("route", "mirrors") for _, row in rows(rule, name)]
        _add(found, [*targets, part(rule, "mirror")], service)
    for protocol in ("tcp", "tls"):
        for _, rule in rows(service.obj.spec, protocol):
            _add(found, [part(row, "destination") for _, row in rows(rule, "route")], service)
    return found


def _add(found: dict[str, set[int]], targets: list[Mapping[str, Any]], service: MeshVirtualService) -> None:
    for target in targets:
        host = full_name(text(target.get("host")), service.obj.namespace)
        if host:
            found.setdefault(host, set()).add(number(part(target, "port").get("number")))


def _visible(obj: CustomResource, settings: MeshSettings) -> frozenset[str]:
    return visible_namespaces(words(obj.spec, "exportTo") or settings.virtual_services, obj.namespace)


def _routes(
    obj: CustomResource, delegates: Mapping[tuple[str, str], CustomResource], settings: MeshSettings
) -> Iterable[Mapping[str, Any]]:
    for _, rule in rows(obj.spec, "http"):
        delegate = part(rule, "delegate")
        if not delegate:
            yield rule
            continue
        there = delegates.get((text(delegate.get("namespace")) or obj.namespace, text(delegate.get("name"))))
        if there is not None and {EVERYWHERE, obj.namespace} & _visible(there, settings):
            yield from merged_routes(rule, [row for _, row in rows(there.spec, "http")], there.namespace)
