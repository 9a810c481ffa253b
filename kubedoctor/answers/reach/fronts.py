"""What serves a host name at the edge of the cluster: an Ingress or an HTTPRoute, the proxy that reads it, and the Service
behind a path."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final, NamedTuple

from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.networking import HTTPIngressPath, Ingress, IngressBackend
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.ingress_controllers import controller_pods
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished
from kubedoctor.replay.gateway.attachment import GROUP, hostnames_of, parents

_GATEWAY_LABELS: Final = ("gateway.networking.k8s.io/gateway-name", "gateway.envoyproxy.io/owning-gateway-name")
"""Of the proxies that implementations of the Gateway API make for a Gateway."""


class Front(NamedTuple):
    """about: the Ingress or HTTPRoute. path: the path of its rule. namespace, service: the backend, empty where it is no
    Service. port: a number or a name. proxies: the pods that forward the requests."""

    about: Ref
    path: str
    namespace: str
    service: str
    port: str
    proxies: tuple[Pod, ...]


def front_of(host: str, path: str, cluster: Cluster) -> Front | None:
    """Who serves a host and a path; None where no Ingress and no HTTPRoute of the cluster does."""
    maybe = cluster.maybe
    cluster.together(partial(maybe.all, Ingress), partial(maybe.custom, "HTTPRoute", GROUP))
    for ingress in maybe.all(Ingress):
        if (found := front_of_ingress(ingress, host, path, cluster)) is not None:
            return found
    for route in maybe.custom("HTTPRoute", GROUP):
        if any(_covers(name, host) for name in hostnames_of(route)):
            return _of_route(route, path, cluster)
    return None


def front_of_ingress(ingress: Ingress, host: str, path: str, cluster: Cluster) -> Front | None:
    """By the longest path that begins the asked one; an empty host means every rule."""
    rows = [
        row for rule in ingress.spec.rules or () if not host or _covers(rule.host, host) for row in _paths(rule.http)
    ]
    fitting = [row for row in rows if (path or "/").startswith(row.path or "/")]
    if not fitting:
        return None
    best = max(fitting, key=lambda row: len(row.path))
    return _front(ref(ingress), best.path or "/", best.backend, controller_pods(ingress, cluster))


def _paths(http: Any) -> tuple[HTTPIngressPath, ...]:
    return (http.paths if http is not None else None) or ()


def _front(about: Ref, path: str, backend: IngressBackend, proxies: tuple[Pod, ...]) -> Front:
    service = backend.service
    if service is None:
        return Front(about, path, about.namespace, "", "", proxies)
    port = service.port.name or str(service.port.number or "")
    return Front(about, path, about.namespace, service.name, port, proxies)


def _of_route(route: CustomResource, path: str, cluster: Cluster) -> Front | None:
    """The first backend of the rule with the longest path that fits."""
    found = [
        (prefix, backends)
        for prefix, backends in _rules(route)
        if backends and (path or "/").startswith(prefix) and isinstance(backends[0], dict)
    ]
    if not found:
        return None
    prefix, backends = max(found, key=lambda row: len(row[0]))
    first = backends[0]
    namespace = str(first.get("namespace") or route.metadata.namespace)
    service = str(first.get("name") or "") if first.get("kind", "Service") == "Service" else ""
    return Front(ref(route), prefix, namespace, service, str(first.get("port") or ""), _proxies(route, cluster))


def _rules(route: CustomResource) -> Iterator[tuple[str, list[Any]]]:
    rules = (route.spec or {}).get("rules")
    for rule in rules if isinstance(rules, list) else ():
        if not isinstance(rule, dict):
            continue
        backends = rule.get("backendRefs")
        matches = rule.get("matches") or [{}]
        for match in matches if isinstance(matches, list) else ():
            row = match.get("path") if isinstance(match, dict) else None
            value = row.get("value") if isinstance(row, dict) else None
            yield str(value or "/"), backends if isinstance(backends, list) else []


def _proxies(route: CustomResource, cluster: Cluster) -> tuple[Pod, ...]:
    gateways = {parent.gateway.name for parent in parents(route)}
    return tuple(
        pod
        for pod in cluster.maybe.all(Pod)
        if not finished(pod) and any(pod.labels.get(label) in gateways for label in _GATEWAY_LABELS)
    )


def _covers(name: str, host: str) -> bool:
    """A wildcard stands for one label in an Ingress, for several in a route; a rule without a host is for all."""
    name = name.lower()
    return not name or host == name or (name.startswith("*.") and host.endswith(name[1:]))
