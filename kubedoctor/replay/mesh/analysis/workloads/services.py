"""Services: names of ports that tell no protocol, and Deployments that several Services select."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubedoctor.cluster.grammar.selectors import selector_from_map
from kubedoctor.cluster.kinds.apps import Deployment
from kubedoctor.cluster.kinds.core import Service
from kubedoctor.replay.mesh.analysis.messages import Analyzer, AnalyzerMessage, message_about
from kubedoctor.replay.mesh.analysis.objects import AnalyzedObjects, full_name, is_control_plane, listed
from kubedoctor.replay.mesh.scope.services import port_protocol

MANAGED: Final = "gateway.istio.io/managed"
_WAYPOINT: Final = "istio.io-mesh-controller"
_MANAGED_BY_ISTIO: Final = frozenset({_WAYPOINT, "istio.io-gateway-controller", "istio.io-eastwest-controller"})


def analyze_port_names(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    for service in objects.services:
        if is_control_plane(service) or service.labels.get(MANAGED) in _MANAGED_BY_ISTIO:
            continue
        is_alias = service.spec.type == "ExternalName"
        for row in service.spec.ports or ():
            known = port_protocol(row.port, row.name, row.protocol, row.app_protocol)
            if known and not (is_alias and row.name == "tcp"):
                continue
            target = str(row.target_port if row.target_port is not None else 0)
            yield (
                message_about("IST0150", service)
                if is_alias
                else message_about("IST0118", service, row.name, str(row.port), target)
            )


def analyze_shared_deployments(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    for deployment in objects.deployments:
        if deployment.labels.get(MANAGED) == _WAYPOINT or not objects.deployment_in_mesh(deployment):
            continue
        services = _selecting(deployment, objects.services)
        yield from _protocols(deployment, services)
        yield from _target_ports(deployment, services)


def _protocols(deployment: Deployment, services: list[Service]) -> Iterator[AnalyzerMessage]:
    used: dict[int, dict[str, list[str]]] = {}
    for service in services:
        for row in service.spec.ports or ():
            used.setdefault(row.port, {}).setdefault(row.protocol, []).append(full_name(service))
    for port, protocols in used.items():
        if len(protocols) > 1:
            names = sorted(name for found in protocols.values() for name in found)
            yield message_about("IST0116", deployment, deployment.name, str(port), listed(names))


def _target_ports(deployment: Deployment, services: list[Service]) -> Iterator[AnalyzerMessage]:
    used: dict[str, dict[int, str]] = {}
    for service in services:
        for row in service.spec.ports or ():
            used.setdefault(str(row.target_port or row.port), {})[row.port] = full_name(service)
    for target, ports in used.items():
        if len(ports) > 1:
            numbers = listed([str(port) for port in sorted(ports)])
            yield message_about("IST0137", deployment, deployment.name, listed(sorted(ports.values())), target, numbers)


def _selecting(deployment: Deployment, services: tuple[Service, ...]) -> list[Service]:
    labels = deployment.spec.template.metadata.labels or {}
    return [
        service
        for service in services
        if service.namespace == deployment.namespace
        and service.spec.selector
        and selector_from_map(service.spec.selector).matches(labels)
    ]


ANALYZERS: Final = (
    Analyzer("service.PortNameAnalyzer", analyze_port_names),
    Analyzer("deployment.MultiServiceAnalyzer", analyze_shared_deployments),
)
