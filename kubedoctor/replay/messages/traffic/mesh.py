"""Trouble of a mesh and its proxies: Istio, Linkerd, Consul."""

from __future__ import annotations

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

_PHRASES = (
    Phrase(
        _C.MESH_NOT_INJECTED,
        _F.CONFIGURATION,
        r"injection skipped|sidecar .*(not|skipp)|neither the namespace nor the pod have|not (be )?injected"
        r"|injection (is )?disabled|InjectionSkipped|linkerd\.io/inject",
    ),
    Phrase(_C.MESH_HEALTHY, _F.NOTHING, r"proxy injected|sidecar proxy injected|successfully injected|injected$"),
    Phrase(
        _C.MESH_INVALID,
        _F.TEMPLATE,
        r"validation\.istio\.io|rev\.validation\.istio|configuration is invalid|linkerd-policy-validator"
        r"|linkerd-sp-validator|istiod\S* denied|\bIST0\d{3}\b|Referenced (host|gateway|selector).* not found"
        r"|total destination weight|no matches? .*(host|gateway)|schema validation error",
    ),
    Phrase(
        _C.MESH_PROXY_NOT_READY,
        _F.CLUSTER_ADDON,
        r":15021/|:15020/|:4191/|Envoy proxy is NOT ready|proxy .*not ready|istio-proxy|linkerd-proxy|pilot"
        r"|istiod",
    ),
)

MESH = Area("mesh", _PHRASES)
MESH_KINDS = Area("mesh", _PHRASES, (_C.MESH_INVALID, _F.TEMPLATE))
