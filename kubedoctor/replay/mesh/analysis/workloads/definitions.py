"""What Istio needs of the cluster's own definitions and of its networks: versions, registries, status conditions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.replay.mesh.analysis.messages import Analyzer, AnalyzerMessage, message_about
from kubedoctor.replay.mesh.analysis.objects import AnalyzedObjects
from kubedoctor.replay.mesh.config import AUTHORIZATION_POLICY, ROOT_NAMESPACE, SERVICE_ENTRY, part, rows, text

_GATEWAY_API: Final = "gateway.networking.k8s.io"
_BUNDLE: Final = f"{_GATEWAY_API}/bundle-version"
_LEAST: Final[Mapping[str, tuple[int, int, int]]] = {
    f"grpcroutes.{_GATEWAY_API}": (1, 1, 0),
    f"backendtlspolicies.{_GATEWAY_API}": (1, 4, 0),
    f"tlsroutes.{_GATEWAY_API}": (1, 5, 0),
    f"tcproutes.{_GATEWAY_API}": (1, 6, 0),
}
_VERSION: Final = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
_REGISTRIES: Final = frozenset({"Mock", "Kubernetes", "External"})
_BOUND: Final = frozenset({"istio.io/WaypointBound"})
_ACCEPTED: Final = frozenset({"Accepted", "Programmed", "ResolvedRefs"})
_POLICY: Final = frozenset({"ZtunnelAccepted", "WaypointAccepted"})
_CONDITIONS: Final[Mapping[str, frozenset[str]]] = {
    SERVICE_ENTRY: _BOUND,
    "WorkloadEntry.networking.istio.io": _BOUND,
    AUTHORIZATION_POLICY: _POLICY,
    f"Gateway.{_GATEWAY_API}": _ACCEPTED,
    f"HTTPRoute.{_GATEWAY_API}": _ACCEPTED,
    f"GRPCRoute.{_GATEWAY_API}": _ACCEPTED,
}


def analyze_definitions(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    """Definitions of the Gateway API that are too old for Istio, which then reads none of their objects."""
    for definition in objects.definitions:
        least = _LEAST.get(definition.name)
        found = _VERSION.fullmatch(definition.annotations.get(_BUNDLE, ""))
        if least is None or found is None:
            continue
        installed = tuple(int(found[at] or 0) for at in (1, 2, 3))
        if installed < least:
            written = ".".join(map(str, installed)) + (found[4] or "") + (found[5] or "")
            yield message_about("IST0176", definition, definition.name, written, ".".join(map(str, least)))


def analyze_networks(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    """Networks that name a cluster which nothing registers."""
    known = set(_REGISTRIES)
    for secret in objects.secrets:
        if secret.labels.get("istio/multiCluster") == "true":
            known |= set(secret.data or {})
    for name, network in part(objects.networks, "networks").items():
        for _, endpoint in rows(network, "endpoints"):
            registry = endpoint.get("fromRegistry")
            if isinstance(registry, str) and registry not in known:
                yield AnalyzerMessage("IST0126", "MeshNetworks", ROOT_NAMESPACE, "meshnetworks", (registry, name))


def analyze_conditions(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    """Objects whose status says that Istio did not accept them."""
    for service in objects.services:
        for row in service.status.conditions or ():
            if row.type in _BOUND and row.status == "False":
                yield message_about("IST0171", service, row.type, row.reason, row.message)
    for kind, types in _CONDITIONS.items():
        for obj in objects.of(kind):
            for condition in _conditions(obj):
                type_, reason = text(condition.get("type")), text(condition.get("reason"))
                is_partial = types is _POLICY and type_ == "WaypointAccepted" and reason == "PartiallyInvalid"
                if is_partial or (type_ in types and condition.get("status") == "False"):
                    yield message_about("IST0171", obj, type_, reason, text(condition.get("message")))


def _conditions(obj: CustomResource) -> Iterable[Mapping[str, Any]]:
    if obj.kind.endswith("Route"):
        return [row for _, parent in rows(obj.status, "parents") for _, row in rows(parent, "conditions")]
    return [row for _, row in rows(obj.status, "conditions")]


ANALYZERS: Final = (
    Analyzer("conditions.ConditionAnalyzer", analyze_conditions),
    Analyzer("k8sgateway.CRDVersionAnalyzer", analyze_definitions),
    Analyzer("meshnetworks.MeshNetworksAnalyzer", analyze_networks),
)
