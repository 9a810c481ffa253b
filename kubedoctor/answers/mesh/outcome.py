"""What becomes of a request that the sidecar of a pod sends to a host: the rule that takes it, where it leads, and what the
client gets where it leads nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from kubedoctor.answers.mesh.sight import MeshSight
from kubedoctor.answers.sheet import Mark
from kubedoctor.cluster.grammar.selectors import selector_from_map
from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.services import pods_selected_by
from kubedoctor.cluster.triage import finished, ready
from kubedoctor.replay.mesh.config import labels, number, part, rows, text
from kubedoctor.replay.mesh.egress import BLACK_HOLE, PASSTHROUGH
from kubedoctor.replay.mesh.injection import has_sidecar
from kubedoctor.replay.mesh.mutual_tls import client_tls_of
from kubedoctor.replay.mesh.scope.destination_rules import MergedRule
from kubedoctor.replay.mesh.scope.faults import fault_share
from kubedoctor.replay.mesh.scope.http_matching import HTTPRequest
from kubedoctor.replay.mesh.scope.outbound import UNKNOWN_BLOCKED, RoutedRequest
from kubedoctor.replay.mesh.scope.virtual_hosts import MeshRoute, RouteCluster

NO_ROUTE: Final = "404 NR"
NO_CLUSTER: Final = "503 NC"
NO_ENDPOINT: Final = "503 UH"
NO_TLS: Final = "503 UF"
_MUTUAL: Final = "ISTIO_MUTUAL"


class RouteOutcome(msgspec.Struct, frozen=True):
    """mark: NO where the request fails, UNKNOWN where that is not known. text: a clause about the request. fate: what the client
    gets, with the flag of the access log; empty where it is answered. about: the object that decides. leaves: it goes to other
    hosts than the one that was asked for."""

    mark: Mark
    text: str
    fate: str = ""
    about: Ref | None = None
    leaves: bool = False


def outcome(sight: MeshSight, host: str, port: int, path: str = "/") -> RouteOutcome:
    """Of a GET of a path; `host`: the full name."""
    service = sight.service(host)
    address = service.spec.cluster_ip if service is not None else ""
    sent = sight.proxy.send(address, port, HTTPRequest(host, path, "GET", {}))
    if sent.special in (PASSTHROUGH, BLACK_HOLE) or sent.virtual_host == UNKNOWN_BLOCKED:
        return _unknown_host(sight, sent, host)
    if sent.is_unmatched:
        return RouteOutcome(Mark.NO, f"no rule for {host} takes a GET of {path}", NO_ROUTE, _ruling(sight, host))
    return rule_outcome(sight, host, sent.route, sent.clusters)


def rule_outcomes(sight: MeshSight, host: str, port: int) -> list[tuple[str, RouteOutcome]]:
    """Of the requests that each rule for a host takes, in the order in which the rules are tried."""
    service = sight.service(host)
    address = service.spec.cluster_ip if service is not None else ""
    found = sight.proxy.rules(address, port, host)
    return [(requests_of(route.match), rule_outcome(sight, host, route, clusters)) for route, clusters in found]


def requests_of(match: Mapping[str, Any]) -> str:
    """The requests that a match takes, in some words."""
    words_of = [f"{name} {_written(value)}" for name, value in match.items() if name in _SIMPLE]
    for name in ("headers", "withoutHeaders", "queryParams"):
        sign = {"headers": "header", "withoutHeaders": "without header", "queryParams": "query"}[name]
        words_of += [f"{sign} {key} {_written(value)}".rstrip() for key, value in part(match, name).items()]
    return ", ".join(words_of) or "all requests"


_SIMPLE: Final = ("uri", "scheme", "method", "authority", "port", "sourceNamespace")


def _written(value: object) -> str:
    if not isinstance(value, dict):
        return str(value)
    kind = next(iter(value), "")
    return f"{value[kind]}*" if kind == "prefix" else f"~{value[kind]}" if kind == "regex" else str(value.get(kind, ""))


def rule_outcome(
    sight: MeshSight, host: str, route: MeshRoute | None, clusters: tuple[RouteCluster, ...]
) -> RouteOutcome:
    """Of a request that a rule takes. host: the one that was asked for."""
    rule = route.origin.obj if route is not None and route.origin is not None else None
    about = ref(rule) if rule is not None else None
    named = f"{about.title} " if about is not None else ""
    spec = route.rule if route is not None else {}
    if spec.get("redirect") or spec.get("directResponse"):
        status = number(part(spec, "directResponse").get("status"))
        word = f"answers it itself ({status})" if spec.get("directResponse") else "redirects it"
        return RouteOutcome(Mark.YES, f"{named}{word}", about=about)
    if fault := _fault(spec):
        return RouteOutcome(Mark.NO, f"{named}aborts it on purpose", fault, about)
    ends = [_cluster(sight, cluster, about, host) for cluster in clusters]
    failing = next((end for end in ends if end.mark is Mark.NO), None)
    if failing is not None:
        share = f", {failing_share(clusters, ends)} % of the requests" if len(clusters) > 1 else ""
        return msgspec.structs.replace(failing, text=f"{named}sends requests to {failing.text}{share}")
    leaves = bool(clusters) and all(cluster.host != host for cluster in clusters)
    where = " and ".join(_weighted(cluster, end) for cluster, end in zip(clusters, ends, strict=True))
    return RouteOutcome(Mark.YES, f"{named}sends requests to {where}" if where else "", about=about, leaves=leaves)


def failing_share(clusters: Sequence[RouteCluster], ends: list[RouteOutcome]) -> int:
    """The share of the requests that fail, in percent."""
    whole = sum(cluster.weight for cluster in clusters) or 1
    bad = sum(cluster.weight for cluster, end in zip(clusters, ends, strict=True) if end.mark is Mark.NO)
    return round(100 * bad / whole)


def _weighted(cluster: RouteCluster, end: RouteOutcome) -> str:
    return f"{end.text} ({cluster.weight} %)" if cluster.weight else end.text


def _unknown_host(sight: MeshSight, sent: RoutedRequest, host: str) -> RouteOutcome:
    sidecar = sight.scope.sidecar
    about = ref(sidecar) if sidecar is not None else None
    why = f"{about.title} does not tell the proxy of {host}" if about is not None else f"the proxy knows no host {host}"
    if sent.special == PASSTHROUGH:
        return RouteOutcome(Mark.UNKNOWN, f"{why}: it passes the connection on as it is", about=about)
    return RouteOutcome(Mark.NO, f"{why}, and drops what is for unknown hosts (REGISTRY_ONLY)", "502", about)


def _ruling(sight: MeshSight, host: str) -> Ref | None:
    for listener in sight.scope.listeners:
        for rule in listener.virtual_services:
            if host in rule.hosts:
                return ref(rule.obj)
    return None


def _fault(rule: Mapping[str, Any]) -> str:
    """What an abort of all requests answers; empty without one."""
    abort = part(part(rule, "fault"), "abort")
    return f"{abort.get('httpStatus') or 503} FI" if fault_share(abort) >= 100 else ""


def _cluster(sight: MeshSight, cluster: RouteCluster, about: Ref | None, asked: str) -> RouteOutcome:
    known = sight.scope.services.get(cluster.host)
    of = f" of {cluster.host}" if cluster.host != asked else ""
    name = f"subset {cluster.subset}{of}" if cluster.subset else cluster.host
    if known is None:
        return RouteOutcome(Mark.NO, f"{name}, a host that the proxy does not know", NO_CLUSTER, about)
    if cluster.port and known.port(cluster.port) is None:
        return RouteOutcome(Mark.NO, f"port {cluster.port} of {name}, which it does not have", NO_CLUSTER, about)
    rule = sight.scope.rule_for(cluster.host, sight.pod)
    wanted = subset_labels(rule, cluster.subset)
    if wanted is None:
        return RouteOutcome(Mark.NO, f"{name}, which no DestinationRule defines", NO_CLUSTER, about)
    service = sight.service(cluster.host)
    if service is None or not service.spec.selector:
        return RouteOutcome(Mark.YES, name, about=about)
    selector = selector_from_map(wanted)
    pods = [
        pod for pod in pods_selected_by(service, sight.cluster) if not finished(pod) and selector.matches(pod.labels)
    ]
    serving = [pod for pod in pods if ready(pod) or service.spec.publish_not_ready_addresses]
    origin = ref(rule.origins[-1]) if rule is not None and cluster.subset else ref(service)
    if not serving:
        lack = "no pod is ready" if pods else f"no pod has {selector.text}" if wanted else "no pod is selected"
        return RouteOutcome(Mark.NO, f"{name}: {lack}", NO_ENDPOINT, origin)
    if (bare := _without_proxy(rule, cluster, serving)) is not None:
        text_of = f"{name} with mutual TLS, and {ref(bare).title} has no sidecar"
        return RouteOutcome(Mark.NO, text_of, NO_TLS, ref(rule.origins[-1]) if rule is not None else about)
    return RouteOutcome(Mark.YES, f"{name} ({counted(len(serving), 'ready pod')})", about=about)


def subset_labels(rule: MergedRule | None, name: str) -> dict[str, str] | None:
    """The labels of a subset; none for no subset, None for one that is not defined."""
    if not name:
        return {}
    for _, row in rows(rule.spec if rule is not None else {}, "subsets"):
        if text(row.get("name")) == name:
            return labels(row, "labels")
    return None


def _without_proxy(rule: MergedRule | None, cluster: RouteCluster, pods: list[Pod]) -> Pod | None:
    """A pod without a sidecar that the rule sends mutual TLS to, which Istio would not do by itself."""
    if rule is None or client_tls_of(rule.spec, cluster.subset, cluster.port) != _MUTUAL:
        return None
    return next(
        (pod for pod in pods if not has_sidecar(pod) and "ambient.istio.io/redirection" not in pod.annotations), None
    )
