"""Linkerd for one workload: the Servers of its ports, who is authorized, and what holds where no Server is."""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.answers.mesh.inbound import served_ports
from kubedoctor.answers.mesh.sight import MeshSight
from kubedoctor.answers.sheet import Cell, SheetRow, Table
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.replay.mesh.config import part, rows, text
from kubedoctor.replay.mesh.linkerd.policy import GROUP, default_policy, server_of


def linkerd_table(sight: MeshSight) -> Iterator[Table]:
    servers = [one for one in sight.custom("Server", GROUP) if one.namespace == sight.pod.namespace]
    table = []
    for port, name in served_ports(sight).items():
        server = server_of(sight.pod, port, servers)
        if server is None:
            who = default_policy(sight.pod) or "all-unauthenticated"
            table.append(SheetRow((Cell(str(port)), Cell(name), Cell(f"default policy {who}"), Cell(""))))
            continue
        allowed = ", ".join(ref(one).title for one in _authorizations(sight, server))
        cells = (Cell(str(port)), Cell(name), Cell(ref(server).title), Cell(allowed or "no authorization: 403"))
        table.append(SheetRow(cells, ref(server)))
    if table:
        yield Table(("port", "of", "decided by", "authorized by"), tuple(table), "Inbound (Linkerd)")


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
