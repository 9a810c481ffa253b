"""The messages of Istio's analyzers: code, level and the words that istioctl prints (`pkg/config/analysis/msg/messages.yaml`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from kubedoctor.cluster.kinds.meta import CustomResource, KubernetesObject
from kubedoctor.replay.mesh.analysis.objects import AnalyzedObjects

SUPPRESS: Final = "galley.istio.io/analyze-suppress"
ERROR, WARNING, INFO = "Error", "Warning", "Info"


class AnalyzerMessage(NamedTuple):
    """What an analyzer says of an object. `code`: as in `IST0101`; `values`: what the text is made of, in its
    order; `is_suppressed`: an annotation of the object wants no such message."""

    code: str
    kind: str
    namespace: str
    name: str
    values: tuple[str, ...] = ()
    is_suppressed: bool = False
    analyzer: str = ""

    @property
    def level(self) -> str:
        return MESSAGES[self.code][0]

    @property
    def text(self) -> str:
        """As istioctl prints it."""
        return MESSAGES[self.code][1].format(*self.values)


class Analyzer(NamedTuple):
    """`name`: as istioctl lists it."""

    name: str
    run: Callable[[AnalyzedObjects], Iterator[AnalyzerMessage]]


def message_about(code: str, obj: KubernetesObject, *values: str) -> AnalyzerMessage:
    """A message about an object."""
    kind = obj.kind if isinstance(obj, CustomResource) else type(obj).__name__
    unwanted = obj.annotations.get(SUPPRESS, "").split(",")
    return AnalyzerMessage(code, kind, obj.namespace, obj.name, values, code in unwanted or "*" in unwanted)


MESSAGES: Final = {
    "IST0002": (WARNING, "Deprecated: {}"),  # upstream's words
    "IST0101": (ERROR, 'Referenced {} not found: "{}"'),  # upstream's words
    "IST0102": (
        INFO,
        "The namespace is not enabled for Istio injection. Run 'kubectl label namespace {} istio-injection=enabled' to enable it, or 'kubectl label namespace {} istio-injection=disabled' to explicitly mark it as not needing injection.",
    ),  # upstream's words
    "IST0103": (
        WARNING,
        "The pod {} is missing the Istio proxy. This can often be resolved by restarting or redeploying the workload.",
    ),  # upstream's words
    "IST0106": (ERROR, "Schema validation error: {}"),  # upstream's words
    "IST0107": (WARNING, "Misplaced annotation: {} can only be applied to {}"),  # upstream's words
    "IST0108": (WARNING, "Unknown annotation: {}"),  # upstream's words
    "IST0109": (
        ERROR,
        "The VirtualServices {} associated with mesh gateway define the same host {} which can lead to undefined behavior. This can be fixed by merging the conflicting VirtualServices into a single resource.",
    ),  # upstream's words
    "IST0110": (
        ERROR,
        'The Sidecars {} in namespace "{}" select the same workload pod "{}", which can lead to undefined behavior.',
    ),  # upstream's words
    "IST0111": (
        ERROR,
        'The Sidecars {} in namespace "{}" have no workload selector, which can lead to undefined behavior.',
    ),  # upstream's words
    "IST0112": (
        ERROR,
        'This VirtualService routes to a service "{}" that exposes multiple ports {}. Specifying a port in the destination is required to disambiguate.',
    ),  # upstream's words
    "IST0116": (
        WARNING,
        "This deployment {} is associated with multiple services using port {} but different protocols: {}",
    ),  # upstream's words
    "IST0118": (
        INFO,
        "Port name {} (port: {}, targetPort: {}) doesn't follow the naming convention of Istio port.",
    ),  # upstream's words
    "IST0123": (
        WARNING,
        "The namespace has more than one type of injection labels {}, which may lead to undefined behavior. Make sure only one injection label exists.",
    ),  # upstream's words
    "IST0125": (WARNING, "Invalid annotation {}: {}"),  # upstream's words
    "IST0126": (ERROR, "Unknown service registry {} in network {}"),  # upstream's words
    "IST0127": (WARNING, "No matching workloads for this resource with the following labels: {}"),  # upstream's words
    "IST0128": (
        WARNING,
        "DestinationRule {} in namespace {} has TLS mode set to {} but no caCertificates are set to validate server identity for host: {}",
    ),  # upstream's words
    "IST0129": (
        WARNING,
        "DestinationRule {} in namespace {} has TLS mode set to {} but no caCertificates are set to validate server identity for host: {} at port {}",
    ),  # upstream's words
    "IST0130": (WARNING, "VirtualService rule {} not used ({})."),  # upstream's words
    "IST0131": (
        INFO,
        "VirtualService rule {} match {} is not used (duplicate/overlapping match in rule {}).",
    ),  # upstream's words
    "IST0132": (
        WARNING,
        "one or more host {} defined in VirtualService {} not found in Gateway {}.",
    ),  # upstream's words
    "IST0133": (WARNING, "Schema validation warning: {}"),  # upstream's words
    "IST0134": (WARNING, "ServiceEntry addresses are required for this protocol."),  # upstream's words
    "IST0135": (
        INFO,
        'Annotation "{}" has been deprecated{} and may not work in future Istio versions.',
    ),  # upstream's words
    "IST0137": (
        WARNING,
        'This deployment {} is associated with multiple services {} using targetPort "{}" but different ports: {}.',
    ),  # upstream's words
    "IST0138": (
        WARNING,
        "Duplicate certificate in multiple gateways {} may cause 404s if clients re-use HTTP2 connections.",
    ),  # upstream's words
    "IST0139": (ERROR, "{}"),  # upstream's words
    "IST0140": (
        WARNING,
        "Subset in virtual service {} has no effect on ingress gateway {} requests",
    ),  # upstream's words
    "IST0144": (WARNING, "User ID (UID) 1337 is reserved for the sidecar proxy."),  # upstream's words
    "IST0145": (ERROR, "Conflict with gateways {} (workload selector {}, port {}, hosts {})."),  # upstream's words
    "IST0146": (
        WARNING,
        "{} {} contains `image: auto` but does not match any Istio injection webhook selectors.",
    ),  # upstream's words
    "IST0147": (
        ERROR,
        "{} {} contains `image: auto` but does not match any Istio injection webhook selectors.",
    ),  # upstream's words
    "IST0148": (
        INFO,
        "is enabled for Istio injection, as Istio is installed with enableNamespacesByDefault as true.",
    ),  # upstream's words
    "IST0149": (
        ERROR,
        "The virtual service uses the JWT claim based routing (key: {}) but found no request authentication for the gateway ({}) pod ({}). The request authentication must first be applied for the gateway pods to validate the JWT token and make the claims available for routing.",
    ),  # upstream's words
    "IST0150": (
        WARNING,
        "Port name for ExternalName service is invalid. Proxy may prevent tcp named ports and unmatched traffic for ports serving TCP protocol from being forwarded correctly",
    ),  # upstream's words
    "IST0151": (
        WARNING,
        "This EnvoyFilter does not have a priority and has a relative patch operation set which can cause the EnvoyFilter not to be applied. Using the INSERT_FIRST of ADD option or setting the priority may help in ensuring the EnvoyFilter is applied correctly.",
    ),  # upstream's words
    "IST0152": (ERROR, "The REPLACE operation is only valid for HTTP_FILTER and NETWORK_FILTER."),  # upstream's words
    "IST0153": (
        ERROR,
        "The ADD operation will be ignored when applyTo is set to ROUTE_CONFIGURATION, or HTTP_ROUTE.",
    ),  # upstream's words
    "IST0154": (
        ERROR,
        "The REMOVE operation will be ignored when applyTo is set to ROUTE_CONFIGURATION, or HTTP_ROUTE.",
    ),  # upstream's words
    "IST0155": (
        WARNING,
        "This EnvoyFilter does not have a priority and has a relative patch operation (NSTERT_BEFORE/AFTER, REPLACE, MERGE, DELETE) and proxyVersion set which can cause the EnvoyFilter not to be applied during an upgrade. Using the INSERT_FIRST or ADD option or setting the priority may help in ensuring the EnvoyFilter is applied correctly.",
    ),  # upstream's words
    "IST0157": (
        WARNING,
        'The Telemetry {} in namespace "{}" with empty providers will be ignored.',
    ),  # upstream's words
    "IST0158": (
        WARNING,
        "The Istio proxy images of the pods running in the namespace do not match the image defined in the injection configuration (pod names: {}). This often happens after upgrading the Istio control-plane and can be fixed by redeploying the pods.",
    ),  # upstream's words
    "IST0159": (
        ERROR,
        'The Telemetries {} in namespace "{}" select the same workload pod "{}", which can lead to undefined behavior.',
    ),  # upstream's words
    "IST0160": (
        ERROR,
        'The Telemetries {} in namespace "{}" have no workload selector, which can lead to undefined behavior.',
    ),  # upstream's words
    "IST0161": (
        ERROR,
        "The credential referenced by the Gateway {} in namespace {} is invalid, which can cause the traffic not to work as expected.",
    ),  # upstream's words
    "IST0162": (
        WARNING,
        "The gateway is listening on a target port (port {}) that is not defined in the Service associated with its workload instances (Pod selector {}). If you need to access the gateway port through the gateway Service, it will not be available.",
    ),  # upstream's words
    "IST0163": (
        WARNING,
        "The hostname ({}) that was provided for the webhook ({}) to reach the ingress gateway on the external control plane cluster {}. Traffic may not flow properly.",
    ),  # upstream's words
    "IST0164": (
        INFO,
        "The address ({}) that was provided for the webhook ({}) to reach the ingress gateway on the external control plane cluster is an IP address. This is not recommended for a production environment.",
    ),  # upstream's words
    "IST0165": (
        WARNING,
        "Gateway reference in VirtualService {} is to an implementation-generated internal Gateway: {}.",
    ),  # upstream's words
    "IST0166": (
        WARNING,
        "Ineffective selector on Kubernetes Gateway {}. Use the TargetRef field instead.",
    ),  # upstream's words
    "IST0167": (WARNING, "The policy has no impact: {}."),  # upstream's words
    "IST0171": (
        WARNING,
        "A condition with a negative status is present: type={}, reason={}, message={}.",
    ),  # upstream's words
    "IST0173": (
        ERROR,
        "The Subset {} defined in the DestinationRule does not select any pods. Which may lead to 503 UH (NoHealthyUpstream).",
    ),  # upstream's words
    "IST0174": (
        WARNING,
        "The host {} defined in the DestinationRule does not match any services in the mesh.",
    ),  # upstream's words
    "IST0175": (
        WARNING,
        "BLOCKED_CIDRS_IN_JWKS_URIS is not configured but {} RequestAuthentication resource(s) exist ({}). Consider configuring it to restrict JWKS URI fetches to trusted networks.",
    ),  # upstream's words
    "IST0176": (
        WARNING,
        'Gateway API CRD "{}" is at version "{}" but Istio requires at least "{}"; resources of this kind will not be processed. Upgrade the Gateway API CRDs to satisfy the minimum version.',
    ),  # upstream's words
    "IST0177": (
        WARNING,
        'Multiple ServiceEntries ({}) define the same host "{}" and port {} with conflicting protocols ({}).',
    ),  # upstream's words
}
