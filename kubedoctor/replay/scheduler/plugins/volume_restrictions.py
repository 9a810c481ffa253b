"""VolumeRestrictions: disks that a node can mount only once, claims for a single pod (`plugins/volumerestrictions`,
v1.37)."""

from __future__ import annotations

from typing import Any, Final

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.volumes import Volume
from kubedoctor.replay.scheduler.framework import (
    SKIPPED,
    SUCCESS,
    NodeFilter,
    Obstacle,
    Plugin,
    Prepared,
    Status,
    Wording,
    reason,
    unresolvable,
    unschedulable,
)
from kubedoctor.replay.scheduler.many.node_classes import Grouping, NodeClasses
from kubedoctor.replay.scheduler.plugins.pod_claims import (
    WORDINGS,
    StoragePlugin,
    claim_not_found,
    mounted_claim_names,
)
from kubedoctor.replay.scheduler.remedies.deleting import delete_pods
from kubedoctor.replay.scheduler.remedies.edits import Because, Remedy
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo, PodInfo

VOLUME_CONFLICT: Final = Obstacle("volume conflict")
CLAIM_IN_USE: Final = Obstacle("claim in use")
_DISK: Final = unschedulable(reason(VOLUME_CONFLICT, "node(s) had no available disk"))
_IN_USE: Final = reason(
    CLAIM_IN_USE,
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod",
)
_SOURCES: Final = ("gce_persistent_disk", "aws_elastic_block_store", "iscsi", "rbd")


class VolumeRestrictions(StoragePlugin):
    name = "VolumeRestrictions"
    wordings = (
        *WORDINGS,
        Wording(r"node\(s\) had no available disk", VOLUME_CONFLICT),
        Wording(
            r"node\(s\) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use "
            r"by another pod",
            CLAIM_IN_USE,
        ),
    )

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        exclusive = set()
        for name in mounted_claim_names(pod):
            claim = state.claims.get((pod.namespace, name))
            if claim is None:
                return Prepared(unresolvable(claim_not_found(name), named=(name,)))
            if "ReadWriteOncePod" in (claim.spec.access_modes or ()):
                exclusive.add(name)
        used = sorted(name for name in exclusive if (pod.namespace, name) in state.claims_in_use)
        disks = tuple(volume for volume in pod.spec.volumes or () if _is_disk(volume))
        if not disks and not used:
            return SKIPPED
        return Prepared(SUCCESS, _Filter(disks, frozenset(exclusive), tuple(used), len(used)))

    def remedies(self, pod: Pod, state: ClusterState, node: NodeInfo, status: Status) -> list[Remedy]:
        return _remedies(self, pod, state, node)


def _is_disk(volume: Volume) -> bool:
    return any(getattr(volume, source) is not None for source in _SOURCES)


class _Filter(NodeFilter):
    """`users` counts pods with a claim of the same name, as upstream does: once per claim at first."""

    def __init__(self, disks: tuple[Volume, ...], exclusive: frozenset[str], used: tuple[str, ...], users: int) -> None:
        self.disks = disks
        self.exclusive = exclusive
        self.used = used
        self.users = users

    def check(self, node: NodeInfo) -> Status:
        if self.disks and any(
            _conflict(own, mounted)
            for own in self.disks
            for info in node.pods
            for mounted in info.pod.spec.volumes or ()
        ):
            return _DISK
        return unschedulable(_IN_USE, named=self.used) if self.users > 0 else SUCCESS

    def alike(self, classes: NodeClasses) -> Grouping:
        return classes.each if self.disks else classes.alike

    def copy(self) -> NodeFilter:
        return _Filter(self.disks, self.exclusive, self.used, self.users)

    def count(self, pod_info: PodInfo, node: NodeInfo, change: int) -> None:
        names = mounted_claim_names(pod_info.pod)
        self.users += change * sum(name in self.exclusive for name in names)


def _conflict(own: Volume, mounted: Volume) -> bool:
    """Whether two volumes are the same disk, which cannot be mounted twice."""
    mine, theirs = own.gce_persistent_disk, mounted.gce_persistent_disk
    if mine is not None and theirs is not None and _same(mine, theirs, "pdName") and not _read_only(mine, theirs):
        return True
    mine, theirs = own.aws_elastic_block_store, mounted.aws_elastic_block_store
    if mine is not None and theirs is not None and _same(mine, theirs, "volumeID"):
        return True
    mine, theirs = own.iscsi, mounted.iscsi
    if mine is not None and theirs is not None and _same(mine, theirs, "iqn") and not _read_only(mine, theirs):
        return True
    mine, theirs = own.rbd, mounted.rbd
    return (
        mine is not None
        and theirs is not None
        and not set(mine.get("monitors") or ()).isdisjoint(theirs.get("monitors") or ())
        and _same(mine, theirs, "pool")
        and _same(mine, theirs, "image")
        and not _read_only(mine, theirs)
    )


def _same(mine: dict[str, Any], theirs: dict[str, Any], key: str) -> bool:
    return (mine.get(key) or "") == (theirs.get(key) or "")


def _read_only(mine: dict[str, Any], theirs: dict[str, Any]) -> bool:
    return bool(mine.get("readOnly")) and bool(theirs.get("readOnly"))


def _remedies(plugin: Plugin, pod: Pod, state: ClusterState, node: NodeInfo) -> list[Remedy]:
    """Delete the pods that use the claims exclusively, or the disks on the node."""
    names = {(pod.namespace, name) for name in mounted_claim_names(pod)}
    exclusive = {
        name
        for name in names
        if name in state.claims and "ReadWriteOncePod" in (state.claims[name].spec.access_modes or ())
    }
    placed = (info.pod for any_node in state.nodes for info in any_node.pods)
    users = [
        user
        for user in (*placed, *state.lost)
        if any((user.namespace, name) in exclusive for name in mounted_claim_names(user))
    ]
    staying = [info for info in node.pods if all(info.pod is not user for user in users)]
    with_disk = [info.pod for info in staying if not plugin.passes(pod, ClusterState(), NodeInfo(node.node, [info]))]
    return delete_pods([*users, *with_disk], Because.SAME_VOLUME)
