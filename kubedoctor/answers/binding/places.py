"""Where volumes can be reached, are attached and are used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from kubedoctor.answers.sheet import Link, Mark
from kubedoctor.cluster.grammar.text import listed
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.kinds.storage import PersistentVolume, VolumeAttachment
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import ready

_SHOWN: Final = 3


def place_of(volume: PersistentVolume) -> str:
    """The nodes that its node affinity admits: `topology.kubernetes.io/zone in a, b`; `every node` without one."""
    required = volume.spec.node_affinity.required if volume.spec.node_affinity is not None else None
    if required is None:
        return "every node"
    terms = []
    for term in required.node_selector_terms or ():
        parts = [
            f"{one.key.rpartition('/')[2]} {one.operator} {listed(one.values or (), _SHOWN)}".rstrip()
            for one in (*(term.match_expressions or ()), *(term.match_fields or ()))
        ]
        terms.append(" and ".join(parts).replace(" In ", " ") or "no node")
    return "; or ".join(terms) or "no node"


def attachments_of(volume: PersistentVolume, cluster: Cluster) -> tuple[VolumeAttachment, ...]:
    """Where a volume is attached, or about to be."""
    return tuple(
        one for one in cluster.maybe.all(VolumeAttachment) if one.spec.source.persistent_volume_name == volume.name
    )


def user_links(pods: Iterable[Pod]) -> Iterator[Link]:
    """The pods that mount a claim, with their nodes."""
    for pod in pods:
        where = f" on node {pod.spec.node_name}" if pod.spec.node_name else ", not scheduled"
        yield Link(f"{ref(pod).title}{where}", Mark.YES if ready(pod) else Mark.NO, ref(pod))
