"""All connections that policies allow among workloads, and with the outside, as a sheet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from kubedoctor.answers.reach.judging import NOT_REPLAYED
from kubedoctor.answers.sheet import Cell, Conclusion, Fact, Mark, Sheet, SheetRow, Table
from kubedoctor.cluster.grammar.text import counted, listed
from kubedoctor.cluster.kinds.apps import DaemonSet
from kubedoctor.cluster.kinds.core import Namespace, Node
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.relations.workloads import workloads_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished
from kubedoctor.replay.network import ADMIN_KINDS, NO_PORT, Party, PolicySet, PortSet, connectivity_matrix
from kubedoctor.replay.network.enforcers import policy_enforcer
from kubedoctor.replay.network.port_sets import EVERY_PORT
from kubedoctor.replay.network.ranges import address_ranges

_MOST_COLUMNS: Final = 12
"""So many workloads fit beside one another."""


class _Peer(msgspec.Struct, frozen=True):
    """A workload by one of its pods, or a range of addresses outside."""

    name: str
    title: str
    namespace: str
    about: Ref | None = None


def connectivity_sheet(namespace: str, cluster: Cluster) -> Sheet:
    """namespace: that of one end at least; empty for all."""
    maybe = cluster.maybe
    cluster.require(Pod, Namespace, NetworkPolicy)
    cluster.together(
        *(lambda kind=kind: maybe.all(kind) for kind in (*ADMIN_KINDS, DaemonSet)),
        lambda: workloads_of([pod for pod in cluster.all(Pod) if not finished(pod)], maybe),
    )
    admin = [policy for kind in ADMIN_KINDS for policy in maybe.all(kind)]
    policies = PolicySet(cluster.all(NetworkPolicy), admin, maybe.all(Node) if admin else ())
    peers, parties = _workloads(cluster)
    inside = len(peers)
    for row in address_ranges(policies):
        peers.append(_Peer(f"{row.text}[External]", f"outside {row.text}", ""))
        parties.append(row.party)
    matrix = connectivity_matrix(policies, parties)
    pairs = [
        (source, target, matrix.at(source, target))
        for source in range(len(peers))
        for target in range(len(peers))
        if source != target and min(source, target) < inside and _asked(namespace, peers[source], peers[target])
    ]
    return Sheet(
        title=f"Namespace {namespace}" if namespace else "all namespaces",
        verdict=_verdict(pairs, inside),
        conclusion=Conclusion.ACCOUNT,
        facts=tuple(_facts(cluster)),
        tables=_tables(peers[:inside], pairs, namespace),
        gaps=tuple(_gaps(cluster)),
        data={
            "connections": [
                {"src": peers[source].name, "dst": peers[target].name, "conn": ports.text}
                for source, target, ports in pairs
                if ports != NO_PORT
            ]
        },
    )


def _workloads(cluster: Cluster) -> tuple[list[_Peer], list[Party]]:
    """One pod stands for its workload: those on their nodes' network are left out, since policies do not see them."""
    pods = [pod for pod in cluster.all(Pod) if not finished(pod) and not pod.spec.host_network]
    labels = {space.name: space.labels for space in cluster.all(Namespace)}
    owners = workloads_of(pods, cluster.maybe)
    chosen: dict[Ref, Pod] = {}
    for pod in pods:
        chosen.setdefault(owners[Ref("Pod", pod.namespace, pod.name)], pod)
    peers = [
        _Peer(f"{name.namespace}/{name.name}[{name.short_kind}]", name.title, name.namespace, name)
        for name in sorted(chosen)
    ]
    return peers, [Party.of_pod(chosen[name], labels.get(name.namespace)) for name in sorted(chosen)]


def _asked(namespace: str, source: _Peer, target: _Peer) -> bool:
    return not namespace or namespace in (source.namespace, target.namespace)


def _verdict(pairs: Sequence[tuple[int, int, PortSet]], inside: int) -> str:
    among = [ports for source, target, ports in pairs if max(source, target) < inside]
    open_ = sum(ports is EVERY_PORT or ports == EVERY_PORT for ports in among)
    closed = sum(ports == NO_PORT for ports in among)
    total = f"of {counted(len(among), 'pair')} of workloads"
    return f"{total} {open_} connect on every port, {len(among) - open_ - closed} on some, {closed} on none"


def _facts(cluster: Cluster) -> Iterator[Fact]:
    enforcer = policy_enforcer(cluster.maybe.all(DaemonSet))
    if enforcer is not None and enforcer.enforces is False:
        yield Fact("network", f"{enforcer.name} does not enforce network policies: everything connects")


def _tables(peers: Sequence[_Peer], pairs: Sequence[tuple[int, int, PortSet]], namespace: str) -> tuple[Table, ...]:
    among = {(source, target): ports for source, target, ports in pairs}
    shown = [place for place, peer in enumerate(peers) if not namespace or peer.namespace == namespace]
    if not shown:
        return ()
    if len(peers) <= _MOST_COLUMNS:
        columns = ("from \\ to", *(str(number) for number in range(1, len(peers) + 1)))
        rows = [
            SheetRow(
                (Cell(f"{place + 1} {peer.title}"), *(_cell(among.get((place, other))) for other in range(len(peers)))),
                peer.about,
            )
            for place, peer in enumerate(peers)
        ]
        return (Table(columns, tuple(rows)),)
    totals: dict[tuple[str, int], list[int]] = {}
    for (source, target), ports in among.items():
        for key in (("to", target), ("from", source)):
            total = totals.setdefault(key, [0, 0])
            total[0] += bool(ports)
            total[1] += 1
    rows = [
        SheetRow(
            (Cell(peers[place].title), *(_share(totals, way, place) for way in ("to", "from"))), peers[place].about
        )
        for place in shown
    ]
    return (Table(("workload", "reached from", "reaches"), tuple(rows)),)


def _cell(ports: PortSet | None) -> Cell:
    if ports is None:
        return Cell()
    if ports == EVERY_PORT:
        return Cell(mark=Mark.YES)
    return Cell(mark=Mark.NO) if ports == NO_PORT else Cell(ports.text)


def _share(totals: Mapping[tuple[str, int], Sequence[int]], way: str, place: int) -> Cell:
    connected, number = totals.get((way, place), (0, 0))
    return Cell(f"{connected} of {number}")


def _gaps(cluster: Cluster) -> Iterator[str]:
    others = [row for kind, group in NOT_REPLAYED for row in cluster.snapshot.of_kind(f"{kind}.{group}")]
    if others:
        yield f"not replayed: {listed((f'{type(row).__name__} {row.namespace}/{row.name}' for row in others), 3)}"
