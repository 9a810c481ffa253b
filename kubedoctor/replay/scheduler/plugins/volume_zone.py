"""VolumeZone: zone labels of bound volumes (`plugins/volumezone`, v1.37)."""

from __future__ import annotations

from typing import Final

import msgspec

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim
from kubedoctor.replay.scheduler.framework import (
    OTHER,
    SKIPPED,
    SUCCESS,
    NodeFilter,
    Obstacle,
    Prepared,
    Reason,
    Status,
    Wording,
    reason,
    unresolvable,
)
from kubedoctor.replay.scheduler.many.node_classes import Grouping, NodeClasses
from kubedoctor.replay.scheduler.plugins.csi_translation import ZONE_SEPARATOR
from kubedoctor.replay.scheduler.plugins.pod_claims import (
    CLAIM_UNBOUND,
    WORDINGS,
    StoragePlugin,
    claim_not_found,
    mounted_claim_names,
    volume_not_found,
)
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo
from kubedoctor.replay.scheduler.well_known import BETA_REGION, BETA_ZONE, REGION, ZONE
from kubedoctor.replay.storage.matching import class_of

VOLUME_ZONE: Final = Obstacle("volume zone")
_ELSEWHERE: Final = reason(VOLUME_ZONE, "node(s) had no available volume zone")
_KEYS = (BETA_ZONE, BETA_REGION, ZONE, REGION)
_CURRENT = {BETA_ZONE: ZONE, BETA_REGION: REGION}


class _Place(msgspec.Struct, frozen=True):
    """Where a volume is: the values that a node's label may have."""

    volume: str
    key: str
    values: frozenset[str]


class VolumeZone(StoragePlugin):
    name = "VolumeZone"
    wordings = (*WORDINGS, Wording(r"node\(s\) had no available volume zone", VOLUME_ZONE))

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        places: list[_Place] = []
        for name in mounted_claim_names(pod):
            if not name:
                return Prepared(unresolvable(reason(OTHER, "PersistentVolumeClaim had no name")))
            claim = state.claims.get((pod.namespace, name))
            if claim is None:
                return Prepared(unresolvable(claim_not_found(name), named=(name,)))
            if not claim.spec.volume_name:
                problem = _unbound_problem(claim, state)
                if problem is not None:
                    return Prepared(unresolvable(problem, named=(name,)))
                continue
            volume = state.volumes.get(claim.spec.volume_name)
            if volume is None:
                return Prepared(unresolvable(volume_not_found(claim.spec.volume_name), named=(name,)))
            places += _places(volume)
        return Prepared(SUCCESS, _Filter(tuple(places))) if places else SKIPPED


def _unbound_problem(claim: PersistentVolumeClaim, state: ClusterState) -> Reason | None:
    """Why a claim without a volume blocks the pod; None for one that waits for its first consumer."""
    name = class_of(claim)
    if not name:
        return reason(CLAIM_UNBOUND, "PersistentVolumeClaim had no pv name and storageClass name")
    storage_class = state.classes.get(name)
    if storage_class is None:
        return reason(OTHER, f'storageclass.storage.k8s.io "{name}" not found')
    if storage_class.volume_binding_mode is None:
        return reason(OTHER, f'VolumeBindingMode not set for StorageClass "{name}"')
    return None if storage_class.waits_for_first_consumer else reason(CLAIM_UNBOUND, "PersistentVolume had no name")


def _places(volume: PersistentVolume) -> list[_Place]:
    """The places that a volume's labels require. Empty values among several are ignored."""
    places = []
    for key in _KEYS:
        if key in volume.labels:
            values = frozenset(zone.strip() for zone in volume.labels[key].split(ZONE_SEPARATOR))
            if "" not in values:
                places.append(_Place(volume.name, key, values))
    return places


class _Filter(NodeFilter):
    def __init__(self, places: tuple[_Place, ...]) -> None:
        self.places = places

    def check(self, node: NodeInfo) -> Status:
        labels = node.labels
        if not any(key in labels for key in _KEYS):
            return SUCCESS
        for place in self.places:
            value = labels.get(place.key)
            if value is None:
                value = labels.get(_CURRENT.get(place.key, place.key))
            if value is None or value not in place.values:
                return unresolvable(_ELSEWHERE, named=(place.volume,))
        return SUCCESS

    def alike(self, classes: NodeClasses) -> Grouping:
        return classes.by_class
