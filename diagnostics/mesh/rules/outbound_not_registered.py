"""Istio: programs call hosts that the mesh does not let out.

## What it means
The mesh forwards only to hosts that it knows (`outboundTrafficPolicy.mode: REGISTRY_ONLY`). A program calls a host that is no Service
and that no ServiceEntry names: its proxy closes the connection (`BlackHoleCluster`), or answers 502 (`block_all`). The program reports
a reset connection or a failed handshake, as if the other side were at fault.

## Why it happens
- The program calls a new host, and its ServiceEntry was not written.
- The ServiceEntry names another host, is in another namespace without being exported, or was deleted.
- The mode was changed from ALLOW_ANY, and not all hosts in use were registered.

## How to fix it
Create a ServiceEntry for the host and port, if programs may call it; else remove the call.

## References
- https://istio.io/latest/docs/tasks/traffic-management/egress/egress-control/
- https://istio.io/latest/docs/reference/config/networking/service-entry/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from diagnostics.mesh._config import MOST_PROXIES, Seen, requests_seen
from kubedoctor.cluster import Cluster, ConfigMap, Pod, Service, finished
from kubedoctor.cluster.changes import Change, create
from kubedoctor.findings import (
    Command,
    Confidence,
    Explains,
    Finding,
    Fix,
    Severity,
    at_fault,
    command_line,
    diagnostic,
    kubectl,
    quote,
    ref,
)
from kubedoctor.replay.mesh import injection
from kubedoctor.replay.mesh.access_log import Access
from kubedoctor.replay.mesh.config import NETWORKING, ROOT_NAMESPACE, SERVICE_ENTRY, exported_to, words
from kubedoctor.replay.mesh.egress import is_blocked
from kubedoctor.replay.mesh.registry import DOMAIN, covers
from kubedoctor.replay.services.hosts import split_address

_REGISTRY_ONLY: Final = re.compile(r"outboundTrafficPolicy:\s*(?:\{\s*)?mode:\s*[\"']?REGISTRY_ONLY")
_MOST_WORKLOADS: Final = MOST_PROXIES * 2
_NOT_IN_A_NAME: Final = re.compile(r"[^a-z0-9-]+")


class _Blocked(NamedTuple):
    """A host outside the mesh that a program called. plain: HTTP, which the proxy reads."""

    host: str
    port: int
    plain: bool


def lets_out_known_hosts_only(settings: ConfigMap) -> bool:
    """The mesh's settings, of any revision, with REGISTRY_ONLY."""
    ours = settings.namespace == ROOT_NAMESPACE and (settings.name == "istio" or settings.name.startswith("istio-"))
    return ours and _REGISTRY_ONLY.search((settings.data or {}).get("mesh", "")) is not None


@diagnostic(
    code="KD6027",
    subject=ConfigMap,
    severity=Severity.WARNING,
    reads=(SERVICE_ENTRY, Service, Pod),
    when=lets_out_known_hosts_only,
    explains=(Explains("affects", ("KD1003", "KD1012", "KD1013", "KD1014", "KD1016", "KD1029", "KD1201")),),
    symptoms=("BlackHoleCluster", "block_all", "REGISTRY_ONLY", "502"),
)
def outbound_not_registered(settings: ConfigMap, cluster: Cluster) -> Iterator[Finding]:
    if not lets_out_known_hosts_only(settings):
        return
    pods = [pod for pod in cluster.all(Pod) if not finished(pod) and injection.has_sidecar(pod)]
    clients = {at_fault(pod, cluster): pod for pod in reversed(pods)}
    for client in list(clients.values())[::-1][:_MOST_WORKLOADS]:

        def outside(access: Access, pod: Pod = client) -> bool:
            return _blocked(access, pod, cluster) is not None

        for seen in requests_seen([client], cluster, outside, optional=True):
            blocked = _blocked(seen.access, client, cluster)
            if blocked is not None:
                users = [pod for pod in pods if at_fault(pod, cluster) == at_fault(client, cluster)]
                yield _finding(settings, blocked, seen, users, cluster)


def _blocked(access: Access, client: Pod, cluster: Cluster) -> _Blocked | None:
    """None where the request went out, for a host of the cluster, and for one that a ServiceEntry names."""
    if not is_blocked(access):
        return None
    host = access.server_name or ("" if access.host in ("", "-") else access.host)
    if "." not in host or host.endswith((f".{DOMAIN.partition('.')[0]}", f".{DOMAIN}")):
        return None
    if _is_service(host, client, cluster):
        return None
    entries = cluster.custom("ServiceEntry", NETWORKING)
    if any(
        exported_to(entry, client.namespace) and any(covers(known, host) for known in words(entry.spec, "hosts"))
        for entry in entries
    ):
        return None  # It is known: the proxy was configured later, or another rule leaves it out.
    return _Blocked(host, split_address(access.local)[1] or 443, not access.server_name)


def _is_service(host: str, client: Pod, cluster: Cluster) -> bool:
    """`web`, `web.shop`: short names of Services."""
    name, _, namespace = host.partition(".")
    return "." not in namespace and cluster.get(Service, namespace or client.namespace, name) is not None


def _finding(settings: ConfigMap, blocked: _Blocked, seen: Seen, users: list[Pod], cluster: Cluster) -> Finding:
    client = at_fault(users[0], cluster)
    how = f"answers {seen.access.code}" if seen.access.code else "closes the connection"
    return Finding(
        about=client,
        aspect=blocked.host,
        summary=f"calls {blocked.host}, which no ServiceEntry names: the mesh lets out known hosts only (REGISTRY_ONLY), so the proxy {how}",
        evidence=(
            seen.quoted("the proxy knows no such host"),
            quote(settings, "data.mesh", "outboundTrafficPolicy of the mesh"),
        ),
        confidence=Confidence.CERTAIN,
        affects=tuple(map(ref, users)),
        fixes=(
            Fix(
                f"If programs may call {blocked.host}, create a ServiceEntry for its port {blocked.port}",
                command_line(_entry(blocked, users[0].namespace)),
            ),
        ),
        commands=(
            Command(kubectl("get", f"serviceentries.{NETWORKING}", "-A"), "the hosts outside that the mesh knows"),
        ),
    )


def _entry(blocked: _Blocked, namespace: str) -> Change:
    protocol = "HTTP" if blocked.plain else "TLS"
    name = _NOT_IN_A_NAME.sub("-", blocked.host.lower()).strip("-")
    return create(
        {
            "apiVersion": f"{NETWORKING}/v1",
            "kind": "ServiceEntry",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "hosts": [blocked.host],
                "location": "MESH_EXTERNAL",
                "resolution": "DNS",
                "ports": [{"number": blocked.port, "name": protocol.lower(), "protocol": protocol}],
            },
        }
    )
