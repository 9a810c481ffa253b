"""The oracle's modes about an Istio mesh: `analyze`, `hostmatch`, `inject`, `policies`, `scope` and `route`, in the form of
`tools/oracle-istio`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import yaml

from kubedoctor.cluster.kinds.control import MutatingWebhookConfiguration
from kubedoctor.cluster.kinds.core import Namespace, Service
from kubedoctor.cluster.kinds.meta import CustomResource, LabelSelector
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.mesh.attachment import attached_policies
from kubedoctor.replay.mesh.config import NETWORKING, ROOT_NAMESPACE, SECURITY, part, rows, text
from kubedoctor.replay.mesh.hosts import intersection, is_subset, matches, most_specific, visible_hosts
from kubedoctor.replay.mesh.injection import Injector, calls, required
from kubedoctor.replay.mesh.mutual_tls import peer_policies, policy_mode
from kubedoctor.replay.mesh.scope.destination_rules import MergedRule
from kubedoctor.replay.mesh.scope.http_matching import HTTPRequest
from kubedoctor.replay.mesh.scope.outbound import OutboundProxy, RoutedRequest
from kubedoctor.replay.mesh.scope.settings import MeshSettings
from kubedoctor.replay.mesh.scope.sidecars import Mesh
from kubedoctor.testing.asked import Answer, BadRequest, State, converted
from kubedoctor.testing.oracle_mesh_analysis import answer_analyze


class MeshObjects:
    """The objects of a request, and the pod that it asks about. `settings`: the mesh configuration."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._objects = data.get("objects") or []
        self.state = State(self._objects)
        self.settings: dict[str, Any] = yaml.safe_load(data.get("meshConfig") or "") or {}
        self.root = str(self.settings.get("rootNamespace") or ROOT_NAMESPACE)

    def custom(self, kind: str, group: str) -> list[CustomResource]:
        return [
            msgspec.convert(one, CustomResource)
            for one in self._objects
            if one["kind"] == kind and one["apiVersion"].startswith(f"{group}/")
        ]

    def mesh(self) -> Mesh:
        return Mesh(
            self.state.of(Service),
            self.custom("ServiceEntry", NETWORKING),
            self.custom("VirtualService", NETWORKING),
            self.custom("DestinationRule", NETWORKING),
            self.custom("Sidecar", NETWORKING),
            MeshSettings.of(self.settings),
        )

    def pod(self, workload: str) -> Pod:
        """Raises BadRequest."""
        for pod in self.state.of(Pod):
            if f"{pod.namespace}/{pod.name}" == workload:
                return pod
        raise BadRequest(f'no pod "{workload}"')


def answer_host_match(request: msgspec.Raw) -> Answer:
    """Which names mean the same hosts."""
    data = msgspec.json.decode(request)
    answer: Answer = {}
    if data.get("pairs") is not None:
        answer["pairs"] = [{"matches": matches(*pair), "subsetOf": is_subset(*pair)} for pair in data["pairs"]]
    if data.get("gatewayHosts") is not None:
        visible = visible_hosts(data["gatewayHosts"], data.get("namespace", ""))
        answer["visible"] = list(visible)
        answer["intersection"] = list(intersection(visible, data.get("hosts") or ()))
    if data.get("needle"):
        answer["best"] = most_specific(data["needle"], data.get("candidates") or ())
    return answer


def answer_inject(request: msgspec.Raw) -> Answer:
    """Whether a pod gets a sidecar, and why."""
    data = msgspec.json.decode(request)
    namespace, pod = converted(Namespace, data["namespace"]), converted(Pod, data["pod"])
    if pod.namespace != namespace.name:
        raise BadRequest(f'pod in namespace "{pod.namespace}", not "{namespace.name}"')
    config = data.get("config") or {}
    injector = Injector(
        config.get("policy", ""),
        msgspec.convert(config.get("neverInjectSelector") or (), tuple[LabelSelector, ...]),
        msgspec.convert(config.get("alwaysInjectSelector") or (), tuple[LabelSelector, ...]),
    )
    configurations = [converted(MutatingWebhookConfiguration, one) for one in data.get("webhooks") or ()]
    called = calls(configurations, namespace.labels, pod.labels)
    needed = required(pod, namespace.name, injector)
    return {
        "webhooks": [
            {"name": call.configuration.name, "revision": call.revision, "calls": call.calls, "reason": call.reason}
            for call in called
        ],
        "required": needed,
        "injections": sum(call.calls for call in called) if needed else 0,
    }


def answer_policies(request: msgspec.Raw) -> Answer:
    """The policies in force for a workload, and what they make of its ports."""
    data = msgspec.json.decode(request)
    mesh = MeshObjects(data)
    pod = mesh.pod(data["workload"])
    peers = mesh.custom("PeerAuthentication", SECURITY)
    authorization = attached_policies(pod, mesh.custom("AuthorizationPolicy", SECURITY), mesh.root)
    tokens = attached_policies(pod, mesh.custom("RequestAuthentication", SECURITY), mesh.root)
    own_first = sorted(tokens, key=lambda policy: policy.namespace != pod.namespace)
    return {
        "mtls": {str(port): policy_mode(pod, port, peers, mesh.root).mode for port in data.get("ports") or ()},
        "peerAuthentications": _names(peer_policies(pod, peers, mesh.root)),
        "requestAuthentications": _names(own_first),
        "authorizationPolicies": {
            action: _names(one for one in authorization if (text((one.spec or {}).get("action")) or "ALLOW") == action)
            for action in ("CUSTOM", "DENY", "ALLOW", "AUDIT")
        },
    }


def answer_scope(request: msgspec.Raw) -> Answer:
    """What the sidecar of a workload sees, and the DestinationRule of each service."""
    data = msgspec.json.decode(request)
    objects = MeshObjects(data)
    pod = objects.pod(data["workload"])
    scope = objects.mesh().scope(pod)
    rules: Answer = {}
    for host in sorted({service.host for listener in scope.listeners for service in listener.services}):
        rule = scope.rule_for(host, pod)
        if rule is not None:
            rules[host] = _rule(rule)
    return {
        "sidecar": f"{pod.namespace}/{scope.sidecar.name}" if scope.sidecar is not None else "",
        "egress": [
            {
                "services": sorted(f"{service.namespace}/{service.host}" for service in listener.services),
                "virtualServices": sorted("/".join(rule.key) for rule in listener.virtual_services),
            }
            for listener in scope.listeners
        ],
        "destinationRules": rules,
    }


def _rule(rule: MergedRule) -> Answer:
    policy = part(rule.spec, "trafficPolicy")
    answer: Answer = {"from": _names(rule.origins)}
    if mode := _tls(policy):
        answer["tls"] = mode
    if ports := {str(part(row, "port").get("number")): _tls(row) for _, row in rows(policy, "portLevelSettings")}:
        answer["ports"] = ports
    if subsets := {row["name"]: _tls(part(row, "trafficPolicy")) for _, row in rows(rule.spec, "subsets")}:
        answer["subsets"] = subsets
    return answer


def _tls(policy: Mapping[str, Any]) -> str:
    return text(part(policy, "tls").get("mode")) or "DISABLE" if policy.get("tls") is not None else ""


def answer_route(request: msgspec.Raw) -> Answer:
    """Where the requests of a workload go."""
    data = msgspec.json.decode(request)
    objects = MeshObjects(data)
    pod = objects.pod(data["workload"])
    proxy = OutboundProxy(pod, objects.mesh().scope(pod))
    return {"calls": [_outcome(proxy.send(call["address"], call["port"], _request(call))) for call in data["calls"]]}


def _request(call: Mapping[str, Any]) -> HTTPRequest:
    headers = {name.lower(): value for name, value in (call.get("headers") or {}).items()}
    return HTTPRequest(call["host"], call.get("path") or "/", call.get("method") or "GET", headers)


def _outcome(outcome: RoutedRequest) -> Answer:
    clusters: list[Answer] = [
        {"name": cluster.name, **({"weight": cluster.weight} if cluster.weight else {})} for cluster in outcome.clusters
    ]
    if outcome.special:
        clusters = [{"name": outcome.special}]
    answer: Answer = {
        "virtualHost": outcome.virtual_host,
        "route": outcome.route_name,
        "clusters": clusters,
        "redirect": outcome.redirect,
        "directResponse": outcome.answer,
        "error": "no route matched" if outcome.is_unmatched else "",
    }
    return {key: value for key, value in answer.items() if value}


def _names(policies: Iterable[CustomResource]) -> list[str]:
    return [f"{policy.namespace}/{policy.name}" for policy in policies]


MODES: dict[str, Callable[[msgspec.Raw], Answer]] = {
    "analyze": answer_analyze,
    "hostmatch": answer_host_match,
    "inject": answer_inject,
    "policies": answer_policies,
    "scope": answer_scope,
    "route": answer_route,
}
