"""All connections that policies allow among workloads, and with the outside, as a sheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from kubedoctor.answers.connectivity.folding import folded
from kubedoctor.answers.connectivity.peers import Connections, MatrixScope, Peer, connections
from kubedoctor.answers.sheet import Cell, Conclusion, Fact, Mark, Sheet, SheetRow, Table
from kubedoctor.cluster.grammar.text import counted, listed
from kubedoctor.cluster.kinds.apps import DaemonSet
from kubedoctor.cluster.kinds.core import Namespace, Node
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.relations.workloads import workloads_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished
from kubedoctor.replay.network import ADMIN_KINDS, NO_PORT, PolicySet, PortSet
from kubedoctor.replay.network.enforcers import policy_enforcer
from kubedoctor.replay.network.plugin_policies import PLUGIN_POLICIES
from kubedoctor.replay.network.port_sets import EVERY_PORT

_MOST_COLUMNS: Final = 12
"""So many workloads fit beside one another."""


def connectivity_sheet(scope: MatrixScope, cluster: Cluster) -> Sheet:
    """The pairs of a scope, in words, as a table and as a picture."""
    maybe = cluster.maybe
    cluster.require(Pod, Namespace, NetworkPolicy)
    cluster.together(
        *(lambda kind=kind: maybe.all(kind) for kind in (*ADMIN_KINDS, DaemonSet)),
        lambda: workloads_of([pod for pod in cluster.all(Pod) if not finished(pod)], maybe),
    )
    admin = [policy for kind in ADMIN_KINDS for policy in maybe.all(kind)]
    policies = PolicySet(cluster.all(NetworkPolicy), admin, maybe.all(Node) if admin else ())
    found = connections(policies, scope, cluster)
    pairs = list(found.pairs())
    return Sheet(
        title=scope.title,
        verdict=_verdict(pairs, found.peers),
        conclusion=Conclusion.ACCOUNT,
        facts=tuple(_facts(cluster)),
        tables=_tables(found, pairs),
        gaps=tuple(_gaps(cluster)),
        data={"connections": _connections(found.peers, pairs)},
        grid=folded(found, f"Connections: {scope.title}"),
    )


def _connections(peers: Sequence[Peer], pairs: Sequence[tuple[int, int, PortSet]]) -> list[dict[str, str]]:
    """Few sets of ports are many times among the pairs."""
    texts: dict[int, str] = {}
    return [
        {
            "src": peers[source].name,
            "dst": peers[target].name,
            "conn": texts.get(id(ports)) or texts.setdefault(id(ports), ports.text),
        }
        for source, target, ports in pairs
        if ports.spans
    ]


def _verdict(pairs: Sequence[tuple[int, int, PortSet]], peers: Sequence[Peer]) -> str:
    inside = [peer.about is not None for peer in peers]
    among = [ports for source, target, ports in pairs if inside[source] and inside[target]]
    if not among:
        return "no workload with pods here that another one could connect to"
    open_ = sum(ports is EVERY_PORT or ports == EVERY_PORT for ports in among)
    closed = sum(ports == NO_PORT for ports in among)
    total = f"of {counted(len(among), 'pair')} of workloads"
    return f"{total} {open_} connect on every port, {len(among) - open_ - closed} on some, {closed} on none"


def _facts(cluster: Cluster) -> Iterator[Fact]:
    enforcer = policy_enforcer(cluster.maybe.all(DaemonSet))
    if enforcer is not None and enforcer.enforces is False:
        yield Fact("network", f"{enforcer.name} does not enforce network policies: everything connects")


def _tables(found: Connections, pairs: Sequence[tuple[int, int, PortSet]]) -> tuple[Table, ...]:
    peers = [peer for peer in found.peers if peer.about is not None]
    shown = [place for place, peer in enumerate(peers) if _is_shown(peer, found.scope)]
    if not shown:
        return ()
    ends = shown if found.scope.between is not None else range(len(peers))
    if len(ends) <= _MOST_COLUMNS:
        among = {(source, target): ports for source, target, ports in pairs}
        columns = ("from \\ to", *(str(number) for number in range(1, len(ends) + 1)))
        rows = [
            SheetRow(
                (Cell(f"{number} {peers[place].title}"), *(_cell(among.get((place, other))) for other in ends)),
                peers[place].about,
            )
            for number, place in enumerate(ends, 1)
        ]
        return (Table(columns, tuple(rows)),)
    reached, reaches = ([[0, 0] for _ in found.peers] for _ in range(2))
    for source, target, ports in pairs:
        connects = 1 if ports.spans else 0
        for total in (reaches[source], reached[target]):
            total[0] += connects
            total[1] += 1
    rows = [
        SheetRow((Cell(peers[place].title), _share(reached[place]), _share(reaches[place])), peers[place].about)
        for place in shown
    ]
    return (Table(("workload", "reached from", "reaches"), tuple(rows)),)


def _is_shown(peer: Peer, scope: MatrixScope) -> bool:
    if scope.between is not None:
        return peer.namespace in scope.between
    return not scope.namespace or peer.namespace == scope.namespace


def _cell(ports: PortSet | None) -> Cell:
    if ports is None:
        return Cell()
    if ports == EVERY_PORT:
        return Cell(mark=Mark.YES)
    return Cell(mark=Mark.NO) if ports == NO_PORT else Cell(ports.text)


def _share(total: Sequence[int]) -> Cell:
    connected, number = total
    return Cell(f"{connected} of {number}")


def _gaps(cluster: Cluster) -> Iterator[str]:
    others = [row for kind, group in PLUGIN_POLICIES for row in cluster.snapshot.of_kind(f"{kind}.{group}")]
    if others:
        yield f"not replayed: {listed((f'{type(row).__name__} {row.namespace}/{row.name}' for row in others), 3)}"
