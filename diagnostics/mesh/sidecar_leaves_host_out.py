"""Istio: Sidecar leaves out a host that its programs call.

## What it means
A Sidecar lists the hosts that the proxies of its pods know (`egress.hosts`). A program calls another host of the mesh. With
`outboundTrafficPolicy: REGISTRY_ONLY` the proxy answers 502 (`block_all`) or closes the connection (`BlackHoleCluster`);
otherwise it passes the connection on without mutual TLS (`PassthroughCluster`), which a STRICT server closes.

## Why it happens
- The namespace of the called Service is not among `egress.hosts`: the Sidecar was written before the call was added.
- The entry has the short name of the Service: it has to be the full name, `payments/web.payments.svc.cluster.local`, or `*`.

## How to fix it
Add `NAMESPACE/HOST` to `egress.hosts`. For a host outside the mesh create a ServiceEntry too.

## References
- https://istio.io/latest/docs/reference/config/networking/sidecar/
- https://istio.io/latest/docs/tasks/traffic-management/egress/egress-control/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from diagnostics.mesh._config import MOST_PROXIES, Seen, requests_seen, settling
from kubedoctor.answers.reach.connections import targets
from kubedoctor.cluster import CannotSee, Cluster, CustomResource, Pod, Ref, Service, finished, listed
from kubedoctor.cluster.changes import put
from kubedoctor.findings import (
    Command,
    Confidence,
    Evidence,
    Explains,
    Finding,
    Fix,
    Severity,
    at_fault,
    command_line,
    diagnostic,
    edit_command,
    has_path,
    kubectl,
    quote,
    ref,
)
from kubedoctor.replay.mesh import injection
from kubedoctor.replay.mesh.access_log import Access
from kubedoctor.replay.mesh.config import (
    NETWORKING,
    PEER_AUTHENTICATION,
    SECURITY,
    SERVICE_ENTRY,
    SIDECAR,
    exported_to,
    words,
)
from kubedoctor.replay.mesh.egress import is_blocked, is_passed_on, lets_know
from kubedoctor.replay.mesh.mutual_tls import DISABLE, STRICT, Mode, peer_mode
from kubedoctor.replay.mesh.registry import DOMAIN, covers
from kubedoctor.replay.mesh.scope.sidecars import sidecar_in_force
from kubedoctor.replay.services.hosts import split_address

_HOSTS = "spec.egress[0].hosts"
_PLAIN = "A PeerAuthentication of the server with the mode PERMISSIVE, or none: then it takes plain connections."
_MODE = "spec.outboundTrafficPolicy.mode"


class _Called(NamedTuple):
    """A host of the mesh that a program called: the namespace and the object that it belongs to."""

    namespace: str
    host: str
    about: Ref


@diagnostic(
    code="KD6013",
    subject=SIDECAR,
    severity=Severity.CRITICAL,
    reads=(SIDECAR, SERVICE_ENTRY, PEER_AUTHENTICATION, Service, Pod),
    explains=(Explains("affects", ("KD1003", "KD1012", "KD1013", "KD1014", "KD1016", "KD1029", "KD1201")),),
    symptoms=("502", "block_all", "BlackHoleCluster", "PassthroughCluster"),
)
def sidecar_leaves_host_out(sidecar: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    if settling(sidecar, cluster) or not has_path(sidecar, _HOSTS):
        return
    sidecars = cluster.custom("Sidecar", NETWORKING)
    pods = [pod for pod in cluster.all(Pod) if not finished(pod) and injection.has_sidecar(pod)]
    clients = [pod for pod in pods if sidecar_in_force(pod, sidecars) is sidecar]
    told: set[str] = set()
    for pod in _one_of_each(clients, cluster):

        def left_out(access: Access, client: Pod = pod) -> bool:
            called = _called(access, client, cluster) if is_blocked(access) or is_passed_on(access) else None
            return called is not None and not lets_know(sidecar, called.namespace, called.host)

        for seen in requests_seen([pod], cluster, left_out):
            called = _called(seen.access, pod, cluster)
            if called is None or called.host in told:
                continue
            mode = None if is_blocked(seen.access) else _mode(called, pod, seen.access, cluster)
            if mode is not None and mode.mode not in ("", STRICT):
                continue  # It takes plain connections: it closed this one for another reason.
            told.add(called.host)
            users = [one for one in clients if at_fault(one, cluster) == at_fault(pod, cluster)]
            yield _finding(sidecar, called, seen, mode, users, cluster)


def _one_of_each(clients: list[Pod], cluster: Cluster) -> list[Pod]:
    """A pod of each workload: their proxies have one configuration."""
    return list({at_fault(pod, cluster): pod for pod in reversed(clients)}.values())[::-1][: MOST_PROXIES * 2]


def _called(access: Access, client: Pod, cluster: Cluster) -> _Called | None:
    """The host that a program meant, by its name or address; None for one that the mesh does not know."""
    name = access.server_name or ("" if access.host in ("", "-") else access.host)
    address = split_address(access.local)[0]
    parts = name.split(".")
    if name and (len(parts) < 3 or parts[2] == "svc"):
        namespace = parts[1] if len(parts) > 1 else client.namespace
        service = cluster.maybe.get(Service, namespace, parts[0])
        if service is not None:
            return _of(service)
    if name:
        for entry in cluster.maybe.custom("ServiceEntry", NETWORKING):
            if exported_to(entry, client.namespace) and any(covers(host, name) for host in words(entry.spec, "hosts")):
                return _Called(entry.namespace, name, ref(entry))
    own = next((one for one in cluster.maybe.all(Service) if address and one.spec.cluster_ip == address), None)
    return _of(own) if own is not None else None


def _of(service: Service) -> _Called:
    return _Called(service.namespace, f"{service.name}.{service.namespace}.{DOMAIN}", ref(service))


def _mode(called: _Called, client: Pod, access: Access, cluster: Cluster) -> Mode:
    """Whether the server demands mutual TLS; the mode is empty where its policies cannot be seen."""
    address, port = split_address(access.local)
    servers = targets(client, address or called.host, port, cluster)
    meshed = [one for one in servers if one.pod is not None and injection.has_sidecar(one.pod)]
    if not meshed or len(meshed) < len(servers):
        return Mode(DISABLE)
    try:
        policies = cluster.custom("PeerAuthentication", SECURITY)
    except CannotSee:
        cluster.maybe.custom("PeerAuthentication", SECURITY)  # names the gap
        return Mode("")
    modes = [peer_mode(one.pod, one.port, policies) for one in meshed if one.pod is not None]
    return next((mode for mode in modes if mode.mode == STRICT), modes[0])


def _finding(
    sidecar: CustomResource, called: _Called, seen: Seen, mode: Mode | None, users: list[Pod], cluster: Cluster
) -> Finding:
    client = at_fault(users[0], cluster)
    blocked = is_blocked(seen.access)
    hosts = quote(sidecar, _HOSTS, "hosts that its proxies know")
    what = (
        "its proxy forwards only to hosts that it knows (REGISTRY_ONLY)"
        if blocked
        else "its proxy passes the connection on without mutual TLS (PassthroughCluster), and the server closes it"
    )
    more: tuple[Evidence, ...] = (quote(sidecar, _MODE),) if has_path(sidecar, _MODE) else ()
    confidence = Confidence.CERTAIN
    if mode is not None:
        confidence = Confidence.LIKELY if mode.policy is not None else Confidence.POSSIBLE
        more += (quote(mode.policy, mode.path, "what the server takes"),) if mode.policy is not None else ()
    entry = f"{called.namespace}/{called.host}"
    change = put(ref(sidecar), ("spec", "egress", 0, "hosts", "-"), entry)
    line = command_line(change, sidecar) or edit_command(ref(sidecar))
    known = listed(words((sidecar.spec or {})["egress"][0], "hosts"), 4)
    return Finding(
        about=ref(sidecar),
        aspect=called.host,
        summary=f"leaves out {called.about.title}, which {client.title} calls: egress.hosts has {known} only, and {what}",
        evidence=(
            seen.quoted(f"answered {seen.access.code}" if seen.access.code else "the connection was closed"),
            hosts,
            *more,
        ),
        confidence=confidence,
        would_disprove=_PLAIN if confidence is Confidence.POSSIBLE else "",
        affects=(*(ref(pod) for pod in users), client),
        fixes=(Fix(f"Add {entry} to egress.hosts", line),),
        commands=(
            Command(
                kubectl("get", f"sidecars.{NETWORKING}", "-A", "-o", "yaml"),
                "the Sidecars: one that selects a pod counts before that of its namespace",
            ),
        ),
    )
