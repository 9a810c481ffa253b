"""Who connects with whom: workloads, each by one of its pods, and ranges of addresses outside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from kubedoctor.cluster.kinds.core import Namespace
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.relations.workloads import workloads_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished
from kubedoctor.replay.network import ConnectivityMatrix, Party, PolicySet, PortSet, connectivity_matrix
from kubedoctor.replay.network.ranges import address_ranges
from kubedoctor.replay.services.ports import declared_ports


class Peer(msgspec.Struct, frozen=True):
    """name: as netpol-analyzer writes it. about: None outside. port: a (protocol, number) that its pods declare, None where
    they declare none. address: of one outside."""

    name: str
    title: str
    namespace: str
    about: Ref | None = None
    port: tuple[str, int] | None = None
    address: str = ""


class MatrixScope(msgspec.Struct, frozen=True):
    """Which pairs are asked about. namespace: that of one end at least; empty for all. inbound: of the second end only.
    between: those with one end in each of two namespaces."""

    namespace: str = ""
    inbound: bool = False
    between: tuple[str, str] | None = None

    def asks(self, source: str, target: str) -> bool:
        """Whether pairs of two namespaces are asked about; empty stands for the outside. Two ranges outside never are."""
        if not source and not target:
            return False
        if self.between is not None:
            return (source, target) in (self.between, self.between[::-1])
        if self.inbound:
            return bool(target) and self.namespace in ("", target)
        return not self.namespace or self.namespace in (source, target)

    @property
    def title(self) -> str:
        if self.between is not None:
            return f"Namespaces {self.between[0]} and {self.between[1]}"
        place = f"Namespace {self.namespace}" if self.namespace else "all namespaces"
        return f"{place}, from everywhere" if self.inbound else place


class Connections(msgspec.Struct, frozen=True):
    """All pairs of peers: by their places."""

    peers: tuple[Peer, ...]
    matrix: ConnectivityMatrix
    scope: MatrixScope

    def ports(self, source: int, target: int) -> PortSet:
        """Also between two pods of one workload."""
        classes = self.matrix.classes
        return self.matrix.rows[classes[source]][classes[target]]

    def asked(self, places: Sequence[int] | None = None, *, inbound: bool = False) -> dict[str, tuple[int, ...]]:
        """The targets, among places, that are asked about, by the namespace of a source (empty: outside), of its own too;
        inbound: the sources, by the namespace of a target. By namespace, because a thousand workloads have a million pairs."""
        spaces: dict[str, list[int]] = {}
        for place in range(len(self.peers)) if places is None else places:
            spaces.setdefault(self.peers[place].namespace, []).append(place)
        found = {}
        for space in {peer.namespace for peer in self.peers}:
            ends = [name for name in spaces if self.scope.asks(*((name, space) if inbound else (space, name)))]
            found[space] = tuple(sorted(place for name in ends for place in spaces[name]))
        return found

    def pairs(self) -> Iterator[tuple[int, int, PortSet]]:
        """Those that are asked about. A workload is not asked about itself."""
        classes, rows, targets = self.matrix.classes, self.matrix.rows, self.asked()
        for source, peer in enumerate(self.peers):
            row = rows[classes[source]]
            for target in targets[peer.namespace]:
                if target != source:
                    yield source, target, row[classes[target]]


def connections(policies: PolicySet, scope: MatrixScope, cluster: Cluster) -> Connections:
    """One pod stands for its workload: those on their nodes' network are left out, since policies do not see them."""
    pods = [pod for pod in cluster.all(Pod) if not finished(pod) and not pod.spec.host_network]
    labels = {space.name: space.labels for space in cluster.all(Namespace)}
    owners = workloads_of(pods, cluster.maybe)
    chosen: dict[Ref, Pod] = {}
    for pod in pods:
        chosen.setdefault(owners[Ref("Pod", pod.namespace, pod.name)], pod)
    peers = [
        Peer(
            f"{name.namespace}/{name.name}[{name.short_kind}]",
            name.title,
            name.namespace,
            name,
            next(((row.protocol or "TCP", row.container_port) for _, row in declared_ports(chosen[name])), None),
        )
        for name in sorted(chosen)
    ]
    parties = [Party.of_pod(chosen[name], labels.get(name.namespace)) for name in sorted(chosen)]
    for row in address_ranges(policies):
        peers.append(Peer(f"{row.text}[External]", f"outside {row.text}", "", address=row.text.partition("-")[0]))
        parties.append(row.party)
    return Connections(tuple(peers), connectivity_matrix(policies, parties), scope)
