"""Why an Ingress is not served: ingress-nginx, the GCE, AWS and Azure controllers, Traefik, HAProxy, Contour, Kong."""

from __future__ import annotations

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

_PHRASES = (
    Phrase(
        _C.INGRESS_HEALTHY,
        _F.NOTHING,
        r"^Scheduled for sync$|^Successfully reconciled$|^Configuration for \S+ was (added|updated"
        r"|added or updated)$|^(UrlMap|TargetProxy|ForwardingRule|BackendService|SslCertificate"
        r"|IPChanged)? ?\"[^\"]+\" (created|updated|deleted)$|^(UrlMap|TargetProxy|ForwardingRule) \S+ (created"
        r"|updated)$|^IP is now \S+$|^ip: \S+$|^Ingress \S+/\S+$|^default backend set to \S+$",
    ),
    Phrase(_C.INGRESS_INVALID, _F.TEMPLATE, r"", r"Rejected"),
    Phrase(_C.INGRESS_WEBHOOK, _F.WEBHOOK, r"failed calling webhook|failed to call webhook"),
    Phrase(
        _C.INGRESS_SERVICE_TYPE,
        _F.TEMPLATE,
        r"CreateTargetGroupInput\.Port|service type|type ['\"]?(ClusterIP|NodePort|LoadBalancer|ExternalName)"
        r"|type:? ?(is )?(not|must|neither|either)|'?NodePort'? or|must be of type"
        r"|of type ['\"]?\w+['\"]?,? expected|ExternalName|neither NodePort|not a NodePort|TargetType"
        r"|target-?type",
    ),
    Phrase(
        _C.INGRESS_CERTIFICATE,
        _F.TEMPLATE,
        r"(tls|certificate|ssl).{0,80}secrets? .{0,80}(not found|does not exist|doesn't exist|invalid|missing)"
        r"|secrets? .{0,120}(not found|does not exist|has no|missing|no .{0,20}(key|cert)|invalid).{0,80}"
        r"|could not find TLS certificates|error (getting|fetching|obtaining).{0,40}(certificate|secret)",
    ),
    Phrase(
        _C.INGRESS_CERTIFICATE,
        _F.CONFIGURATION,
        r"certificate|\bcerts?\b|\bACM\b|x509|private key|\bPEM\b|SslCertificate|ssl policy",
    ),
    Phrase(
        _C.INGRESS_BACKEND_MISSING,
        _F.TEMPLATE,
        r"(could not|couldn't|cannot|can't|unable to|failed to|error while|error) (find|finding|fetch|get"
        r"|getting|resolv\w+|obtain|obtaining|load|retriev\w+).{0,80}(service|port|backend|endpoint)"
        r"|services? .{0,120}(not found|does not exist|was not found|doesn't exist|no endpoints|does not have"
        r"|not exist|has no)|missing (service|backend)|no (such|matching) (service|port|backend)"
        r"|no object matching key|backend .{0,80}(not found|does not exist|missing)|port .{0,80}(not found"
        r"|does not exist|is not defined|missing|not defined)|no (active |ready )?endpoints?|named port"
        r"|no port\b|endpoints? not found",
    ),
    # Google Cloud answers 403 for quotas too.
    Phrase(_C.LOADBALANCER_QUOTA, _F.CLOUD, r"\bquotaExceeded\b|Quota '\w+' exceeded|QUOTA_EXCEEDED"),
    Phrase(
        _C.INGRESS_DENIED,
        _F.CONFIGURATION,
        r"Access ?Denied|not authorized|Unauthorized|AuthorizationFailed|UnauthorizedOperation"
        r"|status ?code:? 40[13]|Error 403|\b403[ :]|permission|does not have (authorization|access)|credential"
        r"|NoPermission",
    ),
)
_REST = (
    Phrase(
        _C.INGRESS_INVALID,
        _F.TEMPLATE,
        r"invalid|validation|conflict|annotation|already defined|wildcard|ingress class|IngressClass"
        r"|denied the request|pathType|\bpaths?\b|snippet|malformed|duplicate|collides|Rejected|IngressGroup"
        r"|group order|parse|rule|must (be|have|start|contain)",
    ),
)

INGRESS = Area("ingress", _PHRASES)
INGRESS_OTHERWISE = Area("ingress", _REST, (_C.INGRESS_INVALID, _F.TEMPLATE))
