"""VolumeBinding with its reasons and remedies (`plugins/volumebinding`, v1.37)."""

from __future__ import annotations

from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.storage import CSIStorageCapacity
from kubedoctor.replay.scheduler.framework import Prepared, Status, Wording
from kubedoctor.replay.scheduler.plugins.pod_claims import CLAIM_UNBOUND, VOLUME_MISSING, WORDINGS, StoragePlugin
from kubedoctor.replay.scheduler.plugins.volume_binding.filter import (
    CLAIM_DELETING,
    CLAIM_NOT_YET_MADE,
    FREE_STORAGE,
    NO_VOLUME,
    VOLUME_NODE_AFFINITY,
    prepare,
)
from kubedoctor.replay.scheduler.plugins.volume_binding.remedies import (
    about_selected_nodes,
    about_unbound,
    about_waiting,
)
from kubedoctor.replay.scheduler.remedies.edits import Remedy
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo


class VolumeBinding(StoragePlugin):
    name = "VolumeBinding"
    wordings = (
        *WORDINGS,
        Wording(r"node\(s\) didn't match PersistentVolume's node affinity", VOLUME_NODE_AFFINITY),
        Wording(r"node\(s\) had volume node affinity conflict", VOLUME_NODE_AFFINITY),
        Wording(r"node\(s\) didn't find available persistent volumes to bind", NO_VOLUME),
        Wording(r"node\(s\) did not have enough free storage", FREE_STORAGE),
        Wording(r"node\(s\) unavailable due to one or more pvc\(s\) bound to non-existent pv\(s\)", VOLUME_MISSING),
        Wording(
            r'persistentvolumeclaim "[^"]*" bound to non-existent persistentvolume "(?P<detail>[^"]*)"', VOLUME_MISSING
        ),
        Wording(r"pod has unbound immediate PersistentVolumeClaims.*", CLAIM_UNBOUND),
        Wording(r'persistentvolumeclaim "(?P<detail>[^"]*)" is being deleted', CLAIM_DELETING),
        Wording(
            r'waiting for ephemeral volume controller to create the persistentvolumeclaim "(?P<detail>[^"]*)"',
            CLAIM_NOT_YET_MADE,
        ),
    )

    def decides_by(self, kind: type[KubernetesObject], pod: Pod, state: ClusterState) -> bool:
        """The free storage matters only where a driver requires it."""
        if kind is CSIStorageCapacity:
            return any(csi_driver.spec.storage_capacity for csi_driver in state.csi_drivers.values())
        return super().decides_by(kind, pod, state)

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        return prepare(pod, state)

    def early_remedies(self, pod: Pod, state: ClusterState, status: Status) -> list[Remedy]:
        unbound = about_unbound(pod, state, status.named) if status.has(CLAIM_UNBOUND) else []
        return [*super().early_remedies(pod, state, status), *unbound]

    def remedies(self, pod: Pod, state: ClusterState, node: NodeInfo, status: Status) -> list[Remedy]:
        if not status.has(NO_VOLUME, FREE_STORAGE):
            return []
        return about_selected_nodes(pod, state, node) or about_waiting(pod, state, node, status)
