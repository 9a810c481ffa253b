"""Istio: certificate Secret of a Gateway is missing.

## What it means
The gateway's proxies read the Secret of `credentialName` from their own namespace, and it is not there. The proxy opens no TLS
listener for the hosts of this server: clients get a reset or a handshake failure; hosts of other servers work.

## Why it happens
- The Secret is in the namespace of the Gateway or of the application, not in that of the gateway's pods.
- The certificate was not issued yet, or its Secret has another name.

## How to fix it
Create the Secret in the namespace of the gateway's pods; with cert-manager, create the Certificate there.

## References
- https://istio.io/latest/docs/tasks/traffic-management/ingress/secure-ingress/
- https://istio.io/latest/docs/reference/config/analysis/ist0101/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.mesh._config import MOST_PROXIES
from kubedoctor.cluster import Cluster, CustomResource, Pod, Secret, finished, misspellings
from kubedoctor.findings import (
    Command,
    Confidence,
    Evidence,
    Finding,
    Fix,
    Severity,
    diagnostic,
    edit_command,
    kubectl,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.mesh import injection
from kubedoctor.replay.mesh.config import GATEWAY
from kubedoctor.replay.mesh.gateways import GatewayServer, servers_of, serving_pods

_SAID = ("cannot find secret", "failed to fetch key and certificate", "waiting for gateway secret")


@diagnostic(
    code="KD6005",
    subject=GATEWAY,
    severity=Severity.CRITICAL,
    reads=(Pod, Secret),
    also_known_as=("IST0101",),
    symptoms=("failed to fetch key and certificate", "cannot find secret", "TLS handshake"),
)
def gateway_credential_missing(gateway: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    servers = [server for server in servers_of(gateway) if server.credential]
    if gateway.metadata.deletion_timestamp is not None or not servers:
        return
    proxies = serving_pods(gateway, [pod for pod in cluster.all(Pod) if not finished(pod)])
    for server in servers:
        for namespace in sorted({pod.namespace for pod in proxies}):
            if cluster.get(Secret, namespace, server.credential) is None:
                yield _finding(gateway, server, namespace, proxies, cluster)


def _finding(
    gateway: CustomResource, server: GatewayServer, namespace: str, proxies: tuple[Pod, ...], cluster: Cluster
) -> Finding:
    name = server.credential
    text = f"no Secret {name} in namespace {namespace} of the gateway's pods, for hosts {', '.join(server.hosts)}"
    elsewhere = [secret for secret in cluster.maybe.all(Secret) if secret.name == name]
    near = misspellings(name, [secret.name for secret in cluster.maybe.all(Secret, namespace)], 1)
    fix = Fix(f"Create the TLS Secret {name} in namespace {namespace}")
    if elsewhere:
        text += f"; Secret {elsewhere[0].namespace}/{name} is not read"
        fix = Fix(f"Create the Secret {name}, or its Certificate, in namespace {namespace}")
    elif near:
        text += f"; did you mean {near[0]}?"
        fix = Fix(f"Set credentialName to {near[0]}", edit_command(ref(gateway)))
    return Finding(
        about=ref(gateway),
        aspect=f"{namespace}/{name}",
        summary=text,
        evidence=(
            quote(gateway, f"{server.path}.tls.credentialName", "read from the namespace of the gateway's pods"),
            *_said(name, proxies, cluster),
        ),
        confidence=Confidence.CERTAIN,
        fixes=(fix,),
        commands=(Command(kubectl("get", "secrets", namespace=namespace), "the Secrets that the gateway can read"),),
    )


def _said(name: str, proxies: tuple[Pod, ...], cluster: Cluster) -> tuple[Evidence, ...]:
    for pod in proxies[:MOST_PROXIES]:
        tail = cluster.log_tail(pod, injection.PROXY)
        for index in range(len(tail.lines) - 1, -1, -1) if tail is not None else ():
            line = tail.lines[index].lower() if tail is not None else ""
            if tail is not None and name in line and any(words in line for words in _SAID):
                return (quote_line(tail, index, "the proxy waits for the Secret"),)
    return ()
