"""Linkerd for one workload: the Servers of its ports, who is authorized, and what holds where no Server is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from kubedoctor.answers.mesh.credentials import valid_until
from kubedoctor.answers.mesh.inbound import served_ports
from kubedoctor.answers.mesh.sight import MeshSight
from kubedoctor.answers.sheet import Cell, Mark, SheetRow, Table
from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.kinds.core import ConfigMap, Secret
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.replay.mesh.config import part, rows, text
from kubedoctor.replay.mesh.linkerd.identity import ISSUER, TRUST_ROOTS, anchors_until, expired_line
from kubedoctor.replay.mesh.linkerd.policy import DENY, GROUP, default_policy, server_of, skips
from kubedoctor.replay.mesh.linkerd.proxies import signs_identities

_NAMESPACE: Final = "linkerd"


class LinkerdPort(NamedTuple):
    """Who may connect to a port. server: None where the default policy of the proxy decides. closed: no client may."""

    port: int
    name: str
    server: CustomResource | None
    who: str
    closed: bool = False


def linkerd_ports(sight: MeshSight) -> list[LinkerdPort]:
    servers = [one for one in sight.custom("Server", GROUP) if one.namespace == sight.pod.namespace]
    default = default_policy(sight.pod) or "all-unauthenticated"
    found = []
    for port, name in served_ports(sight).items():
        server = server_of(sight.pod, port, servers)
        if skips(sight.pod, "inbound", port):
            found.append(LinkerdPort(port, name, None, "does not pass the proxy"))
        elif server is None:
            found.append(LinkerdPort(port, name, None, f"default policy {default}", default == DENY))
        else:
            allowed = ", ".join(ref(one).title for one in _authorizations(sight, server))
            access = text((server.spec or {}).get("accessPolicy")) or DENY
            who = allowed or (f"accessPolicy {access}" if access != DENY else "no authorization: 403")
            found.append(LinkerdPort(port, name, server, who, not allowed and access == DENY))
    return found


def linkerd_table(found: list[LinkerdPort]) -> Iterator[Table]:
    table = []
    for row in found:
        by = ref(row.server).title if row.server is not None else row.who
        who = Cell(row.who if row.server is not None else "", Mark.NO if row.closed else Mark.NONE)
        about = ref(row.server) if row.server is not None else None
        table.append(SheetRow((Cell(str(row.port)), Cell(row.name), Cell(by), who), about))
    if table:
        yield Table(("port", "of", "decided by", "authorized by"), tuple(table), "Inbound (Linkerd)")


def linkerd_troubles(sight: MeshSight, found: list[LinkerdPort]) -> Iterator[str]:
    """What keeps its clients out: no identity, or no client is authorized."""
    yield from identity_troubles(sight)
    for row in found:
        if row.closed and row.server is not None:
            yield f"no client may connect to port {row.port}: {ref(row.server).title} has no authorization (403)"
        elif row.closed:
            yield f"no client may connect to port {row.port}: the default policy of its proxy is {DENY} (403)"


def identity_troubles(sight: MeshSight) -> Iterator[str]:
    """Expired certificates above those of all proxies: by themselves, else by the log of the identity controller."""
    controllers = [pod for pod in sight.cluster.all(Pod) if signs_identities(pod)]
    space = controllers[0].namespace if controllers else _NAMESPACE
    now, consequence = sight.source.taken_at, "proxies get no new identity, and connections between them fail"
    anchors = anchors_until(sight.cluster.get(ConfigMap, space, TRUST_ROOTS))
    issuer = sight.cluster.get(Secret, space, ISSUER)
    until = valid_until(issuer, sight.source) if issuer is not None else None
    if anchors is not None and anchors < now:
        yield f"Linkerd's trust anchor expired {human_duration(now - anchors)} ago: {consequence}"
    elif until is not None and until < now:
        yield f"Linkerd's issuer certificate expired {human_duration(now - until)} ago: {consequence}"
    elif any(_says_expired(pod, sight) for pod in controllers[:1]):
        yield f"Linkerd's issuer certificate or its trust anchor has expired, as its controller says: {consequence}"


def _says_expired(pod: Pod, sight: MeshSight) -> bool:
    tails = (sight.cluster.log_tail(pod, container.name) for container in pod.spec.containers)
    return any(tail is not None and expired_line(tail.lines) is not None for tail in tails)


def _authorizations(sight: MeshSight, server: CustomResource) -> Iterator[CustomResource]:
    """ServerAuthorizations of the Server, and AuthorizationPolicies for it or for its namespace."""
    for found in sight.custom("ServerAuthorization", GROUP):
        if found.namespace == server.namespace and text(part(found.spec, "server").get("name")) == server.name:
            yield found
    for found in sight.custom("AuthorizationPolicy", GROUP):
        target = part(found.spec, "targetRef")
        named = text(target.get("kind")), text(target.get("name"))
        if found.namespace == server.namespace and named in (("Server", server.name), ("Namespace", server.namespace)):
            yield found


def profile_facts(sight: MeshSight) -> list[str]:
    """The ServiceProfiles that its own proxy uses: of its namespace."""
    return [
        f"{ref(one).title}: {len(list(rows(one.spec, 'routes')))} routes"
        for one in sight.custom("ServiceProfile", "linkerd.io")
        if one.namespace == sight.pod.namespace
    ]
