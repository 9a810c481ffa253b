"""What serves a host name at the edge of the cluster: an Ingress, an HTTPRoute or a Gateway of Istio, the proxy that reads it, and the Service
behind a path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, Final, NamedTuple

from kubedoctor.answers.reach.dead_ends import DeadEnd
from kubedoctor.answers.reach.mesh.edge_front import edge_way
from kubedoctor.answers.sheet import Link
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.networking import HTTPIngressPath, Ingress, IngressBackend
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished
from kubedoctor.replay.gateway.attachment import GROUP, hostnames_of, parents
from kubedoctor.replay.gateway.matching import covers, covers_below, rank
from kubedoctor.replay.ingress.controllers import controller_pods
from kubedoctor.replay.mesh.config import NETWORKING

_GATEWAY_LABELS: Final = ("gateway.networking.k8s.io/gateway-name", "gateway.envoyproxy.io/owning-gateway-name")
"""Of the proxies that implementations of the Gateway API make for a Gateway."""

_CANARY: Final = "nginx.ingress.kubernetes.io/canary"


class Front(NamedTuple):
    """about: the Ingress, HTTPRoute or VirtualService. path: the path of its rule. namespace, service: the backend, empty where
    it is no Service. port: a number or a name. proxies: the pods that forward the requests. links: the hops up to them.
    obstacle: why a request ends there. subset: labels of the pods that may answer."""

    about: Ref
    path: str
    namespace: str
    service: str
    port: str
    proxies: tuple[Pod, ...]
    links: tuple[Link, ...] = ()
    obstacle: DeadEnd | None = None
    subset: Mapping[str, str] = {}


def front_of(host: str, path: str, cluster: Cluster, port: int = 0) -> Front | None:
    """Who serves a host and a path; None where no Ingress, HTTPRoute and VirtualService of the cluster does."""
    maybe = cluster.maybe
    cluster.together(
        partial(maybe.all, Ingress),
        partial(maybe.custom, "HTTPRoute", GROUP),
        *(partial(maybe.custom, kind, NETWORKING) for kind in ("Gateway", "VirtualService")),
    )
    found = _front_among(maybe.all(Ingress), host, path, cluster)
    if found is None:
        found = _front_of_routes(maybe.custom("HTTPRoute", GROUP), host, path, cluster)
    return found if found is not None else _front_of_mesh(host, port, path, cluster)


def _front_of_mesh(host: str, port: int, path: str, cluster: Cluster) -> Front | None:
    way = edge_way(host, port, path, cluster)
    if way is None:
        return None
    shown = "" if way.obstacle is not None else path or "/"
    where = way.namespace, way.service, way.port
    return Front(way.about, shown, *where, way.proxies, way.links, way.obstacle, way.subset)


def front_of_ingress(ingress: Ingress, host: str, path: str, cluster: Cluster) -> Front | None:
    """An empty host means every rule."""
    return _front_among((ingress,), host, path, cluster)


def _front_among(ingresses: Sequence[Ingress], host: str, path: str, cluster: Cluster) -> Front | None:
    """By the rule that matches best; of several the one of the oldest Ingress."""
    fitting = [
        (found, ingress, row)
        for ingress in sorted(ingresses, key=_age)
        for rule in ingress.spec.rules or ()
        if not host or not rule.host or covers(rule.host, host)
        for row in _paths(rule.http)
        if (found := rank(rule.host if host else "", row.path, row.path_type or "", path)) is not None
    ]
    if not fitting:
        return None
    _, ingress, row = max(fitting, key=lambda fit: (fit[0], not _is_canary(fit[1])))
    return _front(ref(ingress), row.path or "/", row.backend, controller_pods(ingress, cluster))


def _is_canary(ingress: Ingress) -> bool:
    """It takes a share of the requests of another Ingress with the same host and path."""
    return ingress.annotations.get(_CANARY, "").lower() == "true"


def _age(obj: Ingress | CustomResource) -> tuple[float, str, str]:
    created = obj.metadata.creation_timestamp
    return created.timestamp() if created is not None else 0.0, obj.metadata.namespace, obj.metadata.name


def _paths(http: Any) -> tuple[HTTPIngressPath, ...]:
    return (http.paths if http is not None else None) or ()


def _front(about: Ref, path: str, backend: IngressBackend, proxies: tuple[Pod, ...]) -> Front:
    service = backend.service
    if service is None:
        return Front(about, path, about.namespace, "", "", proxies)
    port = service.port.name or str(service.port.number or "")
    return Front(about, path, about.namespace, service.name, port, proxies)


def _front_of_routes(routes: Sequence[CustomResource], host: str, path: str, cluster: Cluster) -> Front | None:
    """The first backend of the rule that matches best; of several the one of the oldest route."""
    fitting = [
        (found, route, prefix, backends[0])
        for route in sorted(routes, key=_age)
        for name in hostnames_of(route)
        if covers_below(name, host)
        for prefix, path_type, backends in _rules(route)
        if backends and isinstance(backends[0], dict) and (found := rank(name, prefix, path_type, path)) is not None
    ]
    if not fitting:
        return None
    _, route, prefix, first = max(fitting, key=itemgetter(0))
    namespace = str(first.get("namespace") or route.metadata.namespace)
    service = str(first.get("name") or "") if first.get("kind", "Service") == "Service" else ""
    return Front(ref(route), prefix, namespace, service, str(first.get("port") or ""), _proxies(route, cluster))


def _rules(route: CustomResource) -> Iterator[tuple[str, str, list[Any]]]:
    rules = (route.spec or {}).get("rules")
    for rule in rules if isinstance(rules, list) else ():
        if not isinstance(rule, dict):
            continue
        backends = rule.get("backendRefs")
        matches = rule.get("matches") or [{}]
        for match in matches if isinstance(matches, list) else ():
            row = match.get("path") if isinstance(match, dict) else None
            row = row if isinstance(row, dict) else {}
            value, path_type = str(row.get("value") or "/"), str(row.get("type") or "PathPrefix")
            yield value, path_type, backends if isinstance(backends, list) else []


def _proxies(route: CustomResource, cluster: Cluster) -> tuple[Pod, ...]:
    gateways = {parent.gateway.name for parent in parents(route)}
    return tuple(
        pod
        for pod in cluster.maybe.all(Pod)
        if not finished(pod) and any(pod.labels.get(label) in gateways for label in _GATEWAY_LABELS)
    )
