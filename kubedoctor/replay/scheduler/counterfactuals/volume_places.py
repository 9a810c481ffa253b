"""The zone in which a pod must run because of its volumes."""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.storage import PersistentVolume
from kubedoctor.replay.scheduler.plugins.csi_translation import ZONE_SEPARATOR
from kubedoctor.replay.scheduler.plugins.pod_claims import claim_names, is_bound
from kubedoctor.replay.scheduler.snapshot import ClusterState

_PLACES = ("/zone", "/region")
"""The endings of label keys that many nodes share; other labels may belong to a single node, and a new node lacks
them."""


def volume_place(pod: Pod, state: ClusterState) -> dict[str, str]:
    """Labels that a node must have for all volumes of the pod; empty where the volumes require none, or contradict each
    other."""
    places: dict[str, str] = {}
    for name, _ in claim_names(pod):
        claim = state.claims.get((pod.namespace, name))
        volume = state.volumes.get(claim.spec.volume_name) if claim is not None and is_bound(claim) else None
        for key, values in _places(volume) if volume is not None else ():
            if places.setdefault(key, values[0]) not in values:
                return {}
    return places


def _places(volume: PersistentVolume) -> Iterator[tuple[str, list[str]]]:
    """By the volume's labels, and by what its first node selector term requires."""
    for key, value in volume.labels.items():
        if key.endswith(_PLACES) and value:
            yield key, [zone.strip() for zone in value.split(ZONE_SEPARATOR)]
    required = volume.spec.node_affinity.required if volume.spec.node_affinity else None
    for term in (required.node_selector_terms or ())[:1] if required else ():
        for requirement in term.match_expressions or ():
            if requirement.operator == "In" and requirement.values and requirement.key.endswith(_PLACES):
                yield requirement.key, list(requirement.values)
