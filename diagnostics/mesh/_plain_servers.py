"""Servers that cannot speak the mutual TLS of the mesh which a DestinationRule makes clients speak: they have no proxy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from diagnostics.mesh._config import MOST_PROXIES, Seen, requests_seen
from kubedoctor.cluster import Cluster, CustomResource, Pod, Service, ServicePort, finished, not_ready
from kubedoctor.cluster.changes import drop
from kubedoctor.findings import Confidence, Finding, Fix, Ref, Severity, at_fault, command_line, quote, ref
from kubedoctor.replay.mesh import injection
from kubedoctor.replay.mesh.access_log import UPSTREAM_FAILURE, Access
from kubedoctor.replay.mesh.mutual_tls import ClientTLS

AMBIENT: Final = "ambient.istio.io/redirection"
_NOT_TLS: Final = ("WRONG_VERSION_NUMBER", "TLS_error", "TLS error")
"""What BoringSSL says of an answer that is no TLS."""


def without_proxy(pods: Sequence[Pod]) -> bool:
    """Whether no pod has a proxy: neither a sidecar, nor ztunnel of its node."""
    return bool(pods) and not any(injection.has_sidecar(pod) or AMBIENT in pod.annotations for pod in pods)


def plain_server(
    rule: CustomResource,
    service: Service,
    port: ServicePort,
    client: ClientTLS,
    path: tuple[str | int, ...],
    host: str,
    servers: Sequence[Pod],
    cluster: Cluster,
) -> Finding | None:
    """None where no pod of the cluster has a sidecar that would speak TLS to them."""
    clients = [pod for pod in cluster.maybe.all(Pod) if not finished(pod) and injection.has_sidecar(pod)]
    if not clients:
        return None
    near = sorted(
        clients, key=lambda pod: (not not_ready(pod), pod.namespace != service.namespace, pod.namespace, pod.name)
    )
    seen = next(requests_seen(near[:MOST_PROXIES], cluster, lambda access: _not_tls(access, host)), None)
    have = "pod has no sidecar and speaks" if len(servers) == 1 else f"{len(servers)} pods have no sidecar and speak"
    found = (seen.quoted(f"answered {seen.access.code}: what the server sent is no TLS"),) if seen is not None else ()
    return Finding(
        about=ref(rule),
        summary=(f"clients of the mesh send {client.mode} to {host} port {port.port}, whose {have} plain text"),
        evidence=(
            quote(rule, client.path, "what clients of the mesh send"),
            quote(servers[0], "metadata.name", "a pod of it, without istio-proxy"),
            *found,
        ),
        confidence=Confidence.CERTAIN if seen is not None else Confidence.LIKELY,
        severity=None if seen is not None else Severity.WARNING,
        affects=(ref(service), *clients_seen(seen, cluster)),
        fixes=(
            Fix(
                "Remove tls from the rule: clients then choose by what the server has",
                command_line(drop(ref(rule), path[:-1]), rule),
            ),
            Fix(f"Or inject a sidecar into the pods of Service {service.namespace}/{service.name}"),
        ),
    )


def clients_seen(seen: Seen | None, cluster: Cluster) -> tuple[Ref, ...]:
    """The pod in whose log a request failed, and its workload."""
    about = seen.tail.pod if seen is not None else None
    pod = cluster.maybe.get(Pod, about.namespace, about.name) if about is not None else None
    return (ref(pod), at_fault(pod, cluster)) if pod is not None else ()


def _not_tls(access: Access, host: str) -> bool:
    failed = UPSTREAM_FAILURE in access.flags and access.cluster.endswith(f"|{host}")
    return failed and any(words in access.failure for words in _NOT_TLS)
