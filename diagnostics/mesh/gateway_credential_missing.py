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

from diagnostics.ingress._certificates import may_come
from diagnostics.mesh._config import MOST_PROXIES
from diagnostics.pods.configuration._creators import CREATORS
from kubedoctor.cluster import Cluster, CustomResource, Pod, Ref, Secret, finished, misspellings
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
    reads=(Pod, Secret, *CREATORS),
    also_known_as=("IST0101",),
    symptoms=("failed to fetch key and certificate", "cannot find secret", "TLS handshake"),
)
def gateway_credential_missing(gateway: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    servers = [(server, named) for server in servers_of(gateway) if (named := server.credential) is not None]
    if gateway.metadata.deletion_timestamp is not None or not servers:
        return
    proxies = serving_pods(gateway, [pod for pod in cluster.all(Pod) if not finished(pod)])
    own = {pod.namespace for pod in proxies}
    for server, named in servers:
        for namespace in sorted({named.namespace or space for space in own}):
            secret = cluster.get(Secret, namespace, named.name)
            if secret is None and not may_come(gateway, namespace, named.name, cluster):
                yield _finding(gateway, server, Ref("Secret", namespace, named.name), proxies, cluster)


def _finding(
    gateway: CustomResource, server: GatewayServer, secret: Ref, proxies: tuple[Pod, ...], cluster: Cluster
) -> Finding:
    name, namespace = secret.name, secret.namespace
    whose = " of the gateway's pods" if any(pod.namespace == namespace for pod in proxies) else ""
    text = f"no Secret {name} in namespace {namespace}{whose}, for hosts {', '.join(server.hosts)}"
    elsewhere = [one for one in cluster.maybe.all(Secret) if one.name == name]
    near = misspellings(name, [one.name for one in cluster.maybe.all(Secret, namespace)], 1)
    fix = Fix(f"Create the TLS Secret {name} in namespace {namespace}")
    if elsewhere:
        text += f"; Secret {elsewhere[0].namespace}/{name} is not read"
        fix = Fix(f"Create the Secret {name}, or its Certificate, in namespace {namespace}")
    elif near:
        text += f"; did you mean {near[0]}?"
        right = f"{server.written.removesuffix(name)}{near[0]}"
        fix = Fix(f"Set credentialName to {right}", edit_command(ref(gateway)))
    return Finding(
        about=ref(gateway),
        aspect=f"{namespace}/{name}",
        summary=text,
        evidence=(
            quote(gateway, f"{server.path}.tls.credentialName", f"read from namespace {namespace}"),
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
