"""Why a DNS server of the cluster cannot answer, in words, with the repair."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from kubedoctor.cluster import Cluster, ConfigMap, LogTail, Pod, ref
from kubedoctor.findings import Command, Evidence, Fix, edit_command, kubectl, look_at_log, quote, quote_line
from kubedoctor.replay.dns.coredns.syntax import CorefileProblem, server_blocks
from kubedoctor.replay.dns.corefile import directives
from kubedoctor.replay.dns.corefile_refusal import COREFILE, corefile_of
from kubedoctor.replay.dns.server_log import OF_THE_UPSTREAM, ServerFault, ServerTrouble, server_fault
from kubedoctor.replay.permissions.refusals import refusal_in

_FORWARDS: Final = ("forward", "proxy", "grpc")
_OF_THE_NODE: Final = "/etc/resolv.conf"
_LOOPBACK: Final = re.compile(r"(?:dns://)?(?:127\.|\[?::1\]?(?:$|:\d)|localhost\b)")


_CLAUSES: Final = {
    ServerTrouble.LOOP: "sends lookups in a circle back to itself",
    ServerTrouble.API_FORBIDDEN: "may not read what it answers from",
    ServerTrouble.API_UNREACHABLE: "cannot reach the API server, from which it learns the Services",
    ServerTrouble.OVERLOADED: "has more lookups under way than it may forward at once",
    ServerTrouble.UPSTREAM_TLS: "cannot agree on TLS with its upstream",
    ServerTrouble.UPSTREAM_REFUSED: "is refused by its upstream",
    ServerTrouble.UPSTREAM_UNREACHABLE: "has no network route to its upstream",
    ServerTrouble.UPSTREAM_SILENT: "gets no answer from its upstream",
    ServerTrouble.NO_UPSTREAM: "calls all its upstreams unhealthy",
    ServerTrouble.ZONE_TRANSFER: "cannot transfer a zone",
}
"""About the server; what it names follows."""


class StatedFault(NamedTuple):
    """A fault that the log of a DNS server states."""

    server: Pod
    tail: LogTail
    fault: ServerFault


def stated_fault(server: Pod, cluster: Cluster, host: str = "", *, previous: bool = False) -> StatedFault | None:
    """What the server's log says; only its first container is a DNS server."""
    for container in server.spec.containers[:1]:
        tail = cluster.log_tail(server, container.name, previous=previous)
        fault = server_fault(tail.lines, host) if tail is not None else None
        if tail is not None and fault is not None:
            return StatedFault(server, tail, fault)
    return None


def in_words(stated: StatedFault) -> str:
    """`Pod kube-system/coredns-1 gets no answer from its upstream 10.0.0.2`."""
    fault = stated.fault
    named = fault.zone or (fault.upstream if fault.trouble in OF_THE_UPSTREAM else "")
    refusal = refusal_in(stated.tail.lines[fault.index]) if fault.trouble is ServerTrouble.API_FORBIDDEN else None
    what = f": it lacks the right to {refusal.verb} {refusal.what}" if refusal is not None else ""
    return f"{ref(stated.server).title} {_CLAUSES[fault.trouble]}{f' {named}' if named else ''}{what}"


def quoted(stated: StatedFault, cluster: Cluster) -> Iterator[Evidence]:
    """The line of the log, and the line of the Corefile that names the upstream."""
    count = f"{stated.fault.count} such errors" if stated.fault.count > 1 else "why it cannot answer"
    yield quote_line(stated.tail, stated.fault.index, count)
    configuration = corefile_of(stated.server, cluster)
    if configuration is not None and stated.fault.trouble in {*OF_THE_UPSTREAM, ServerTrouble.OVERLOADED}:
        for number in _forwarding(configuration):
            yield quote(configuration, f"data[{COREFILE}][line {number}]", "where it forwards lookups")


def looping_upstream(configuration: ConfigMap | None) -> str:
    """What a Corefile forwards to that leads back to the DNS server: an address of the loopback, where it names one."""
    try:
        blocks = server_blocks((configuration.data or {}).get(COREFILE, "")) if configuration is not None else ()
    except CorefileProblem:
        return _OF_THE_NODE
    named = (word for block in blocks for name in _FORWARDS for config in block.all(name) for word in config.head[1:])
    return next((word for word in named if _LOOPBACK.match(word)), _OF_THE_NODE)


def _forwarding(configuration: ConfigMap) -> Iterator[int]:
    for number, name in directives((configuration.data or {}).get(COREFILE, "")):
        if name in _FORWARDS:
            yield number


def repairs(stated: StatedFault, cluster: Cluster) -> tuple[Fix, ...]:
    """What makes it answer again."""
    fault, configuration = stated.fault, corefile_of(stated.server, cluster)
    change = edit_command(ref(configuration)) if configuration is not None else ""
    upstream = fault.upstream or "the upstream"
    match fault.trouble:
        case ServerTrouble.API_FORBIDDEN:
            return (
                Fix("Grant this right to the ServiceAccount of the DNS server: apply the ClusterRole of its version"),
            )
        case ServerTrouble.API_UNREACHABLE:
            node = stated.server.spec.node_name
            where = f" on node {node}" if node else ""
            return (
                Fix(f"Let its pods reach the API server: kube-proxy and the network{where}, policies of its namespace"),
            )
        case ServerTrouble.OVERLOADED:
            return (Fix("Raise max_concurrent of the forward plugin, or run more replicas", change),)
        case ServerTrouble.LOOP:
            return (
                Fix(f"Forward to a resolver outside the node instead of {looping_upstream(configuration)}", change),
            )
        case ServerTrouble.ZONE_TRANSFER:
            return (Fix(f"Allow the transfer of zone {fault.zone} on its primary server"),)
        case ServerTrouble.UPSTREAM_TLS:
            return (Fix(f"Correct tls_servername of the forward plugin, or the certificate of {upstream}", change),)
    return (
        Fix(f"Let the nodes of the DNS servers reach {upstream} on port 53 (UDP and TCP)"),
        Fix("Or forward to another resolver", change),
    )


def looks(stated: StatedFault) -> tuple[Command, ...]:
    """Commands that look further."""
    container = stated.server.spec.containers[0].name
    log = look_at_log(stated.server, container, previous=stated.tail.previous, why="the errors of the DNS server")
    if stated.fault.trouble not in OF_THE_UPSTREAM:
        return (log,)
    return log, Command(kubectl("get", "nodes", "-o", "wide"), "the nodes whose /etc/resolv.conf names the upstream")
