"""Why a Gateway or a route is not served: Envoy Gateway, Istio, Cilium, NGINX, Contour, Kong, GKE, the AWS controllers."""

from __future__ import annotations

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

_PHRASES = (
    # By the reasons that the API defines; implementations word the rest freely.
    Phrase(_C.GATEWAY_REFERENCE_GRANT, _F.TEMPLATE, r"", r"RefNotPermitted"),
    Phrase(
        _C.GATEWAY_REFERENCE_GRANT,
        _F.TEMPLATE,
        r"ReferenceGrant|not permitted by any|cross[- ]namespace .*(not|grant)|not permitted to (refer|access)",
    ),
    Phrase(_C.GATEWAY_HOSTNAME, _F.TEMPLATE, r"", r"NoMatchingListenerHostname|NoMatchingParentHostname"),
    Phrase(_C.GATEWAY_NOT_ALLOWED, _F.CONFIGURATION, r"", r"NotAllowedByListeners"),
    Phrase(
        _C.GATEWAY_PARENT,
        _F.TEMPLATE,
        r"",
        r"NoMatchingParent|ParentRefNotFound|NoReadyListeners|InvalidParentRef|InvalidListener",
    ),
    Phrase(
        _C.GATEWAY_FILTER,
        _F.TEMPLATE,
        r"",
        r"IncompatibleFilters|UnsupportedFilter|InvalidFilter|PartiallyInvalidRequestFilter",
    ),
    Phrase(
        _C.GATEWAY_CERTIFICATE_REF,
        _F.TEMPLATE,
        r"",
        r"InvalidCertificateRef|InvalidTLSConfig|InvalidCACertificateRef|NoValidCACertificate"
        r"|InvalidClientCertificateRef",
    ),
    Phrase(
        _C.GATEWAY_CERTIFICATE_REF,
        _F.TEMPLATE,
        r"certificate ?ref|certificateRef|secret .*(not found|does not exist|is not)|must have TLS|TLS (section"
        r"|set|mode|config)|tls\.(mode|certificate)|invalid certificate|certificate|CA ?cert|private key"
        r"|malformed.*(tls|pem)",
    ),
    Phrase(
        _C.GATEWAY_CONFLICT,
        _F.TEMPLATE,
        r"",
        r"Conflicted|HostnameConflict|ProtocolConflict|OverlappingRoute\w*|RouteConflict|RuleConflict"
        r"|ListenerConflict|PortConflict|Overridden|Merged|ListenerNamesNotUnique",
    ),
    Phrase(
        _C.GATEWAY_CONFLICT,
        _F.TEMPLATE,
        r"conflict|overlap|already (attached|targeted|exists|programmed)|must be unique|same (target|port"
        r"|hostname)|another (policy|listener|\w+Policy)|overridden by|precedence",
    ),
    Phrase(
        _C.GATEWAY_BACKEND_MISSING,
        _F.TEMPLATE,
        r"",
        r"BackendNotFound|UnsupportedProtocol|InvalidBackend(Ref)?|InvalidDestination|BackendPortNotFound"
        r"|InvalidKind",
    ),
    Phrase(
        _C.GATEWAY_CLASS,
        _F.CONFIGURATION,
        r"GatewayClass|gateway ?class|InvalidParameters|parametersRef|EnvoyProxy|envoyproxy"
        r"|controller\b.*(unknown|not)|UnsupportedVersion",
        r"(?!Programmed|AddressNot|NoResources).*",
    ),
    Phrase(
        _C.GATEWAY_NOT_PROGRAMMED,
        _F.CLUSTER_ADDON,
        r"",
        r"AddressNot(Assigned|Usable)|NoResources|UnsupportedAddress|DeploymentNotReady|NotProgrammed"
        r"|NoAddress\w*",
    ),
    Phrase(_C.GATEWAY_HOSTNAME, _F.TEMPLATE, r"hostname|host ?names? .*(match|intersect)"),
    Phrase(
        _C.GATEWAY_NOT_ALLOWED,
        _F.CONFIGURATION,
        r"(not|n't) (be )?(allowed|permitted)( to attach)?|allowedRoutes|allowed this attachment|no listeners"
        r"|from namespace|not allow",
    ),
    Phrase(
        _C.GATEWAY_PARENT,
        _F.TEMPLATE,
        r"parent|section ?name|sectionName|gateway \S* ?(not found|does not exist|was not found)"
        r"|listener .*(not found|does not exist|no such|named)|no (such )?(matching )?(gateway|listener|section)"
        r"|target(Ref)? .*(not found|does not exist)|Gateway .*not found|TargetNotFound",
    ),
    Phrase(
        _C.GATEWAY_FILTER,
        _F.TEMPLATE,
        r"filter|URLRewrite|RequestRedirect|RequestMirror|modifier|rewrite|redirect|extensionRef|ExtensionRef",
    ),
    Phrase(
        _C.GATEWAY_BACKEND_MISSING,
        _F.TEMPLATE,
        r"backend|service \S* ?(not found|does not exist)|(not found|does not exist|missing)|port .*(not|no)"
        r"|endpoint|unresolved|TargetPort|protocol|upstream",
    ),
    Phrase(
        _C.GATEWAY_NOT_PROGRAMMED,
        _F.CLUSTER_ADDON,
        r"address|not (yet )?(ready|programmed|assigned)|proxy|deployment|load ?balancer|envoy|replicas|waiting"
        r"|pending|Pending|data ?plane|no (gateway )?instances",
    ),
    Phrase(_C.GATEWAY_INVALID, _F.TEMPLATE, r"", r"Invalid|Unsupported(Value|Field)|(Incompatible|Invalid)Rules?"),
    Phrase(_C.GATEWAY_PARENT, _F.TEMPLATE, r"", r"NoListeners?"),
)
_OF_A_RULE = (_C.GATEWAY_REFERENCE_GRANT, _C.GATEWAY_CONFLICT, _C.GATEWAY_FILTER, _C.GATEWAY_BACKEND_MISSING)

GATEWAY = Area("gateway", _PHRASES, (_C.GATEWAY_NOT_PROGRAMMED, _F.CLUSTER_ADDON))
RULES = Area(
    "gateway",
    tuple(row for row in _PHRASES if row.message_class in _OF_A_RULE),
    (_C.GATEWAY_INVALID, _F.TEMPLATE),
)
"""Of a route that a Gateway took, apart from some of its rules (`PartiallyInvalid`)."""
GATEWAY_CLASS = Area("gateway", (), (_C.GATEWAY_CLASS, _F.CONFIGURATION))
