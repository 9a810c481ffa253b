"""Istio: a DestinationRule and its servers disagree about mutual TLS.

## What it means
A DestinationRule makes clients send plain text, or TLS of their own, to a workload whose PeerAuthentication demands the mesh's mutual TLS
(STRICT). The server's proxy closes each connection: clients get 503 with the flag `UC` or `UF`.
Or it makes them send the mesh's mutual TLS (ISTIO_MUTUAL) to pods that have no proxy: clients get 503 with the flag `UF` and
`WRONG_VERSION_NUMBER`.

## Why it happens
- The DestinationRule was written with `mode: DISABLE` before STRICT was set.
- A rule of another namespace, or for `*.local`, applies to this host too.
- ISTIO_MUTUAL was set by hand, although the server is not part of the mesh.

## How to fix it
Set the mode to ISTIO_MUTUAL where the server has a sidecar, or drop `tls` from the rule: Istio then chooses by itself.

## References
- https://istio.io/latest/docs/ops/common-problems/network-issues/#503-errors-after-setting-destination-rule
- https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.mesh._config import MOST_PROXIES, requests_seen
from diagnostics.mesh._plain_servers import clients_seen, plain_server, without_proxy
from kubedoctor.cluster import WORKLOADS, Cluster, CustomResource, Pod, Service, finished, pods_selected_by
from kubedoctor.cluster.changes import put
from kubedoctor.findings import (
    Command,
    Confidence,
    Explains,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    kubectl,
    quote,
    ref,
)
from kubedoctor.replay.mesh import injection
from kubedoctor.replay.mesh.access_log import CONNECTION_TERMINATED, UPSTREAM_FAILURE, Access
from kubedoctor.replay.mesh.config import (
    DESTINATION_RULE,
    NETWORKING,
    PEER_AUTHENTICATION,
    SECURITY,
    labels,
    part,
    rows,
    text,
)
from kubedoctor.replay.mesh.mutual_tls import STRICT, client_tls, peer_mode
from kubedoctor.replay.mesh.registry import full_name, service_host
from kubedoctor.replay.services.ports import find_port

_OF_THE_MESH = "ISTIO_MUTUAL"


@diagnostic(
    code="KD6008",
    subject=DESTINATION_RULE,
    severity=Severity.CRITICAL,
    reads=(PEER_AUTHENTICATION, Service, Pod, *WORKLOADS),
    explains=(Explains("affects", ("KD1003", "KD1012", "KD1013", "KD1014", "KD1016", "KD1029", "KD1201")),),
    symptoms=("503", "UC", "UF", "upstream connect error", "WRONG_VERSION_NUMBER"),
)
def mutual_tls_conflict(rule: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    host = full_name(text((rule.spec or {}).get("host")), rule.namespace)
    named = service_host(host)
    if rule.metadata.deletion_timestamp is not None or named is None or not _sets_tls(rule):
        return
    policies = cluster.maybe.custom("PeerAuthentication", SECURITY)
    service = cluster.get(Service, named.namespace, named.name)
    if service is None:
        return
    servers = [pod for pod in pods_selected_by(service, cluster) if not finished(pod)]
    pods = [pod for pod in servers if injection.has_sidecar(pod)]
    for port in service.spec.ports or ():
        client = client_tls(rule, "", port.port)
        if client is None:
            continue
        if client.mode == _OF_THE_MESH:
            plain = (
                plain_server(rule, service, port, client, _keys(client.path), host, servers, cluster)
                if without_proxy(servers)
                else None
            )
            if plain is not None:
                yield plain
                return
            continue
        modes = [peer_mode(pod, find_port(pod, port) or port.port, policies) for pod in pods]
        policy = modes[0].policy if modes else None
        if policy is None or any(mode.mode != STRICT for mode in modes):
            continue
        clients = _clients(rule, service, pods, cluster)
        seen = next(requests_seen(clients, cluster, lambda access: _broken(access, host)), None)
        if seen is None and part(rule.spec, "workloadSelector"):
            return  # of some clients only, which need not be those of this host
        yield Finding(
            about=ref(rule),
            summary=f"clients send {client.mode} to {host} port {port.port}, whose {ref(policy).title} demands STRICT mutual TLS",
            evidence=(
                quote(rule, client.path, "what clients of the mesh send"),
                quote(policy, modes[0].path, "what the server takes"),
                *(
                    (seen.quoted(f"answered {seen.access.code}: the server closed the connection"),)
                    if seen is not None
                    else ()
                ),
            ),
            confidence=Confidence.CERTAIN if seen is not None else Confidence.LIKELY,
            severity=None if seen is not None else Severity.WARNING,
            affects=(ref(service), *clients_seen(seen, cluster)),
            fixes=(
                Fix(
                    "Set the mode to ISTIO_MUTUAL", command_line(put(ref(rule), _keys(client.path), _OF_THE_MESH), rule)
                ),
            ),
            commands=(
                Command(
                    kubectl("get", f"destinationrules.{NETWORKING},peerauthentications.{SECURITY}", "-A"),
                    "the rules and modes of the mesh",
                ),
            ),
        )
        return


def _keys(path: str) -> tuple[str | int, ...]:
    return tuple(int(key) if key.isdigit() else key for key in path.replace("[", ".").replace("]", "").split("."))


def _sets_tls(rule: CustomResource) -> bool:
    policy = part(rule.spec, "trafficPolicy")
    return bool(part(policy, "tls")) or any(part(row, "tls") for _, row in rows(policy, "portLevelSettings"))


def _clients(rule: CustomResource, service: Service, servers: list[Pod], cluster: Cluster) -> list[Pod]:
    """Sidecars that the rule selects in its namespace; else those beside the Service: its clients are often there."""
    chosen = labels(rule.spec, "workloadSelector", "matchLabels")
    namespace = rule.namespace if part(rule.spec, "workloadSelector") else service.namespace
    pods = [pod for pod in cluster.maybe.all(Pod, namespace) if not finished(pod) and pod not in servers]
    return [pod for pod in pods if injection.has_sidecar(pod) and chosen.items() <= pod.labels.items()][:MOST_PROXIES]


def _broken(access: Access, host: str) -> bool:
    return bool({CONNECTION_TERMINATED, UPSTREAM_FAILURE} & set(access.flags)) and access.cluster.endswith(f"|{host}")
