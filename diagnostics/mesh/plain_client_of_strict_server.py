"""Istio: client without sidecar calls a workload that demands mutual TLS.

## What it means
A PeerAuthentication makes mutual TLS STRICT for the server. The client's pod has no sidecar, so it sends plain text, and the
server's proxy closes the connection: `connection reset by peer`, `EOF` or an empty reply.

## Why it happens
- The client's namespace is not labelled for injection, or the pod is older than the label.
- The client opted out, or uses `hostNetwork`.
- STRICT was set before all clients were in the mesh.

## How to fix it
Inject the sidecar into the client, or set PERMISSIVE for exactly this workload and port until it is.

## References
- https://istio.io/latest/docs/tasks/security/authentication/mtls-migration/
- https://istio.io/latest/docs/concepts/security/#peer-authentication
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.answers.reach.attempts import Attempt, may_tell, reset_attempts
from kubedoctor.cluster import WORKLOADS, Cluster, CustomResource, Namespace, Pod, Service, not_ready
from kubedoctor.findings import (
    Command,
    Confidence,
    Explains,
    Finding,
    Fix,
    Severity,
    at_fault,
    diagnostic,
    edit_command,
    kubectl,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.mesh import injection
from kubedoctor.replay.mesh.config import PEER_AUTHENTICATION, SECURITY
from kubedoctor.replay.mesh.mutual_tls import STRICT, Mode, peer_mode


@diagnostic(
    code="KD6007",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(PEER_AUTHENTICATION, Namespace, Pod, Service, *WORKLOADS),
    when=not_ready,
    explains=(Explains("affects", ("KD1003", "KD1012", "KD1013", "KD1014", "KD1016", "KD1029", "KD1201")),),
    symptoms=("connection reset by peer", "ECONNRESET", "STRICT"),
)
def plain_client_of_strict_server(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if (
        injection.has_sidecar(pod)
        or pod.labels.get(injection.DATAPLANE) == "ambient"
        or not may_tell(pod, cluster.taken_at)
    ):
        return
    policies = cluster.maybe.custom("PeerAuthentication", SECURITY)
    if not policies:
        return
    for attempt in reset_attempts(pod, cluster):
        servers = [target for target in attempt.targets if target.pod is not None]
        modes = [peer_mode(target.pod, target.port, policies) for target in servers if target.pod is not None]
        meshed = [target.pod for target in servers if target.pod is not None and injection.has_sidecar(target.pod)]
        if not meshed or len(meshed) < len(servers) or any(mode.mode != STRICT for mode in modes):
            continue
        if modes[0].policy is not None:
            yield _finding(pod, attempt, modes[0], modes[0].policy, cluster)


def _finding(pod: Pod, attempt: Attempt, mode: Mode, policy: CustomResource, cluster: Cluster) -> Finding:
    target, client = attempt.targets[0], at_fault(pod, cluster)
    return Finding(
        about=ref(policy),
        aspect=f"{client.title}-{target.title}",
        summary=f"mutual TLS is STRICT for {target.title}: it resets the plain connections of {client.title}, which has no sidecar",
        evidence=(
            quote(policy, mode.path, f"applies to port {target.port} of the server"),
            quote_line(attempt.tail, attempt.line, "the connection was reset"),
            quote(pod, "spec.containers[0].name", "no istio-proxy among the containers"),
        ),
        confidence=Confidence.LIKELY,
        affects=(ref(pod), client),
        fixes=(
            Fix(
                f"Inject the sidecar into {client.title}: label its namespace istio-injection=enabled or its template"
                f' {injection.INJECT}: "true", then restart it'
            ),
            Fix(f"Set mode PERMISSIVE for port {target.port} of the server until then", edit_command(ref(policy))),
        ),
        commands=(
            Command(kubectl("get", f"peerauthentications.{SECURITY}", "-A"), "the modes of mutual TLS"),
            Command(kubectl("get", "namespace", pod.namespace, "--show-labels"), "whether injection is enabled"),
        ),
    )
