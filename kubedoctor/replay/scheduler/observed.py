"""The state of the scheduler's own cache, made from what of the cluster can be read."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import msgspec

from kubedoctor.cluster.kinds.core import Namespace, Node
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.policy import PodDisruptionBudget
from kubedoctor.cluster.kinds.references import kind_name
from kubedoctor.cluster.kinds.storage import (
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
)
from kubedoctor.cluster.kinds.volumes import DISKS
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.replay.scheduler.plugins.affinity_terms import terms_of
from kubedoctor.replay.scheduler.plugins.node_volume_limits import limits_of
from kubedoctor.replay.scheduler.said.reasons import release_of
from kubedoctor.replay.scheduler.snapshot import ClusterState

REPLAY_ALWAYS: tuple[type[KubernetesObject], ...] = (Node, Pod, Namespace, PodDisruptionBudget)
"""What a replay of any pod asks for."""
_STORAGE: tuple[type[KubernetesObject], ...] = (
    PersistentVolumeClaim,
    PersistentVolume,
    StorageClass,
    CSINode,
    CSIDriver,
    CSIStorageCapacity,
    VolumeAttachment,
)
REPLAY_READS: tuple[type[KubernetesObject], ...] = (*REPLAY_ALWAYS, *_STORAGE)
"""All that a replay may ask for."""


class Observed(msgspec.Struct, frozen=True):
    """unseen: kinds that could not be read, or not everywhere, and might change the verdict. damaged: such kinds of which
    objects or their fields were left out, for they make no sense."""

    state: ClusterState
    unseen: tuple[str, ...]
    damaged: tuple[str, ...]


_States = dict[bool, tuple[tuple[int, ...], ClusterState]]
_STATES: WeakKeyDictionary[Snapshot, _States] = WeakKeyDictionary()


def observe(pod: Pod, cluster: Cluster) -> Observed:
    """Read what the scheduler looks at for this pod, in one round; storage only where the pod has volumes of that sort.

    Raises CannotSee where nodes or pods cannot be read at all. Other kinds that are refused count as empty.
    """
    storage = asks_for_storage(pod)
    kinds = kinds_for(pod)
    cluster.require(*kinds)
    nodes, pods = cluster.all(Node), cluster.all(Pod)
    for kind in kinds:
        cluster.maybe.all(kind)
    state = _state(nodes, pods, cluster, storage=storage)
    names = {kind_name(kind) for kind in kinds}
    missing = names.intersection(gap.kind for gap in cluster.gaps)
    damaged = {name for name in names if cluster.snapshot.losses(name)}
    deciding = {name for name in missing | damaged if _decides(name, pod, state)}
    return Observed(state, tuple(sorted(missing & deciding)), tuple(sorted(damaged & deciding)))


def _decides(kind: str, pod: Pod, state: ClusterState) -> bool:
    """Whether objects of the kind that were not seen might change which nodes take the pod."""
    match kind:
        case "Namespace":
            return _finds_by_namespace_labels(pod, state)
        case "PodDisruptionBudget":
            return False
        case "CSIStorageCapacity":
            return any(one.spec.storage_capacity for one in state.csi_drivers.values())
        case "VolumeAttachment":
            return any(limits_of(one) for one in state.csi_nodes.values())
    return True


def _finds_by_namespace_labels(pod: Pod, state: ClusterState) -> bool:
    """The pod looks for others by the labels of their namespaces, or others keep away from it by those of its own."""
    affinity = pod.spec.affinity
    own = (*terms_of(pod, affinity.pod_affinity), *terms_of(pod, affinity.pod_anti_affinity)) if affinity else ()
    if any(term.asks_for_labels for term in own):
        return True
    nominated = (term for there in state.nominated.values() for one in there for term in one.anti_affinity)
    return any(
        term.asks_for_labels and pod.namespace not in term.namespaces and term.selector.matches(pod.metadata.labels)
        for term in (*state.anti_affinity, *nominated)
    )


def kinds_for(pod: Pod) -> tuple[type[KubernetesObject], ...]:
    """What a replay of the pod asks for."""
    return REPLAY_READS if asks_for_storage(pod) else REPLAY_ALWAYS


def asks_for_storage(pod: Pod) -> bool:
    """Has a volume that plugins look at: a claim, one made for the pod, or a disk."""
    return any(
        volume.claim_of(pod.name) is not None or any(getattr(volume, disk) for disk in DISKS)
        for volume in pod.spec.volumes or ()
    )


def _state(nodes: tuple[Node, ...], pods: tuple[Pod, ...], cluster: Cluster, *, storage: bool) -> ClusterState:
    """Kept until objects of one of the kinds change; with storage and without, nodes and pods are the same."""
    seen = cluster.maybe
    kinds = REPLAY_READS if storage else REPLAY_ALWAYS
    revision = (len(nodes), len(pods), *(cluster.snapshot.revision(kind_name(kind)) for kind in kinds))
    states = _STATES.setdefault(cluster.snapshot, {})
    known = states.get(storage)
    if known is not None and known[0] == revision:
        return known[1]
    objects: dict[str, object] = {
        "namespaces": seen.all(Namespace),
        "budgets": seen.all(PodDisruptionBudget),
        "release": release_of(cluster.version),
    }
    if storage:
        objects |= {
            "claims": seen.all(PersistentVolumeClaim),
            "volumes": seen.all(PersistentVolume),
            "classes": seen.all(StorageClass),
            "csi_nodes": seen.all(CSINode),
            "csi_drivers": seen.all(CSIDriver),
            "capacities": seen.all(CSIStorageCapacity),
            "attachments": seen.all(VolumeAttachment),
        }
    always = 2 + len(REPLAY_ALWAYS)
    other = states.get(not storage)
    if other is not None and other[0][:always] == revision[:always]:
        state = other[1].among(**objects)
    else:
        state = ClusterState.of(nodes, pods, **objects)
    states[storage] = (revision, state)
    return state
