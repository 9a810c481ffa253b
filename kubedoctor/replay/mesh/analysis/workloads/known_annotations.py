"""The annotations that Istio knows, by the kinds that they are for (istio.io/api, `annotation/annotations.gen.go`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

ANY: Final = "Any"


class KnownAnnotation(NamedTuple):
    kinds: tuple[str, ...]
    is_deprecated: bool = False


_BY_KINDS: Final[Mapping[tuple[str, ...], str]] = {
    (ANY,): "galley.istio.io/analyze-suppress gateway.istio.io/controller-version",
    ("Service",): "networking.istio.io/exportTo traffic.istio.io/nodeSelector",
    ("Namespace",): "topology.istio.io/controlPlaneClusters",
    ("Ingress",): "kubernetes.io/ingress.class",
    ("AuthorizationPolicy",): "istio.io/dry-run",
    ("Gateway",): "gateway.istio.io/name-override gateway.istio.io/service-account networking.istio.io/service-type",
    ("GatewayClass", "Gateway"): "ambient.istio.io/waypoint-inbound-binding",
    ("Service", "ServiceEntry", "Namespace"): "istio.io/use-waypoint-canary-weight",
    ("Namespace", "Service", "ServiceEntry"): "networking.istio.io/traffic-distribution",
    ("WorkloadEntry",): """
        istio.io/autoRegistrationGroup istio.io/connectedAt istio.io/disconnectedAt istio.io/workloadController""",
    ("Pod",): """
        ambient.istio.io/bypass-inbound-capture ambient.istio.io/dns-capture ambient.istio.io/redirection
        inject.istio.io/templates istio.io/reroute-virtual-interfaces istio.io/rev prometheus.istio.io/merge-metrics
        proxy.istio.io/config proxy.istio.io/overrides readiness.status.sidecar.istio.io/applicationPorts
        readiness.status.sidecar.istio.io/failureThreshold readiness.status.sidecar.istio.io/initialDelaySeconds
        readiness.status.sidecar.istio.io/periodSeconds sidecar.istio.io/agentLogLevel sidecar.istio.io/bootstrapOverride
        sidecar.istio.io/componentLogLevel sidecar.istio.io/interceptionMode sidecar.istio.io/logLevel
        sidecar.istio.io/nativeSidecar sidecar.istio.io/proxyCPU sidecar.istio.io/proxyCPULimit sidecar.istio.io/proxyImage
        sidecar.istio.io/proxyImageType sidecar.istio.io/proxyMemory sidecar.istio.io/proxyMemoryLimit
        sidecar.istio.io/rewriteAppHTTPProbers sidecar.istio.io/statsEvictionInterval sidecar.istio.io/statsFlushInterval
        sidecar.istio.io/statsHistogramBins sidecar.istio.io/statsHistogramBuckets sidecar.istio.io/status
        sidecar.istio.io/userVolume sidecar.istio.io/userVolumeMount status.sidecar.istio.io/port
        traffic.sidecar.istio.io/excludeInboundPorts traffic.sidecar.istio.io/excludeInterfaces
        traffic.sidecar.istio.io/excludeOutboundIPRanges traffic.sidecar.istio.io/excludeOutboundPorts
        traffic.sidecar.istio.io/includeInboundPorts traffic.sidecar.istio.io/includeOutboundIPRanges
        traffic.sidecar.istio.io/includeOutboundPorts""",
}
_DEPRECATED: Final[Mapping[tuple[str, ...], str]] = {
    ("Service",): "alpha.istio.io/canonical-serviceaccounts alpha.istio.io/kubernetes-serviceaccounts",
    ("Pod",): """
        sidecar.istio.io/discoveryAddress sidecar.istio.io/extraStatTags sidecar.istio.io/inject
        sidecar.istio.io/statsCompression sidecar.istio.io/statsInclusionPrefixes sidecar.istio.io/statsInclusionRegexps
        sidecar.istio.io/statsInclusionSuffixes traffic.sidecar.istio.io/kubevirtInterfaces""",
}
KNOWN_ANNOTATIONS: Final = {
    name: KnownAnnotation(kinds, is_deprecated)
    for table, is_deprecated in ((_BY_KINDS, False), (_DEPRECATED, True))
    for kinds, names in table.items()
    for name in names.split()
}
SET_BY_ISTIO: Final = frozenset({"sidecar.istio.io/status", "gateway.istio.io/controller-version", "istio.io/rev"})
