"""NodeVolumeLimits: how many volumes a CSI driver attaches to a node (`plugins/nodevolumelimits/csi.go`, v1.37)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Final

from kubedoctor.cluster.changes import Operation
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.kinds.storage import CSINode, PersistentVolumeClaim, VolumeAttachment
from kubedoctor.cluster.kinds.volumes import Volume
from kubedoctor.replay.scheduler.framework import (
    OTHER,
    SKIPPED,
    SUCCESS,
    NodeFilter,
    Obstacle,
    Prepared,
    Status,
    Wording,
    failure,
    reason,
    unresolvable,
    unschedulable,
)
from kubedoctor.replay.scheduler.many.node_classes import Grouping, NodeClasses
from kubedoctor.replay.scheduler.memos import Memo
from kubedoctor.replay.scheduler.plugins.csi_translation import (
    BY_PLUGIN,
    Untranslatable,
    built_in_of,
    built_in_of_volume,
    handle,
    inline_handle,
)
from kubedoctor.replay.scheduler.plugins.pod_claims import (
    WORDINGS,
    StoragePlugin,
    Undecided,
    bound_volume,
    claim_names,
    claim_not_found,
    class_named,
    ownership_problem,
)
from kubedoctor.replay.scheduler.releases import SchedulerRelease
from kubedoctor.replay.scheduler.remedies.deleting import comes_back, delete_pod
from kubedoctor.replay.scheduler.remedies.edits import Because, Remedy
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo

Attached = dict[tuple[str, str], str]
"""Volumes by driver and handle, each with its driver."""

VOLUME_LIMIT: Final = Obstacle("volume limit")
CSI_DRIVER: Final = Obstacle("csi driver")
_OVER: Final = reason(VOLUME_LIMIT, "node(s) exceed max volume count")
_DRIVER_NEEDED_SINCE: Final = SchedulerRelease(37)
"""From this release on `CSIDriver.spec.preventPodSchedulingIfMissing` counts."""
_MOST_FREED: Final = 3
_ATTACHED: Final = Memo[None, Attached]()
_BY_LIMITS: Final = Memo[None, Grouping]()


class NodeVolumeLimits(StoragePlugin):
    name = "NodeVolumeLimits"
    wordings = (
        *WORDINGS,
        Wording(r"node\(s\) exceed max volume count", VOLUME_LIMIT),
        Wording(r"(?P<detail>\S+) CSI driver is not installed on the node", CSI_DRIVER),
    )

    def decides_by(self, kind: type[KubernetesObject], pod: Pod, state: ClusterState) -> bool:
        """Attached volumes matter only where there are limits."""
        if kind is VolumeAttachment:
            return any(map(limits_of, state.csi_nodes.values()))
        return super().decides_by(kind, pod, state)

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        concerned = any(map(is_counted, pod.spec.volumes or ()))
        return Prepared(SUCCESS, _Filter(pod, state)) if concerned else SKIPPED

    def remedies(self, pod: Pod, state: ClusterState, node: NodeInfo, status: Status) -> list[Remedy]:
        return _remedies(pod, state, node, status.named)


def is_counted(volume: Volume) -> bool:
    """Whether a CSI driver may attach the volume."""
    return (
        volume.persistent_volume_claim is not None
        or volume.ephemeral is not None
        or built_in_of_volume(volume) is not None
    )


class _Filter(NodeFilter):
    def __init__(self, pod: Pod, state: ClusterState) -> None:
        self.pod = pod
        self.state = state
        self.new_volumes: dict[bool, Attached | Status] = {}

    def check(self, node: NodeInfo) -> Status:
        csi_node = self.state.csi_nodes.get(node.name)
        new_volumes = self._new_volumes(csi_node)
        if isinstance(new_volumes, Status):
            return new_volumes
        if not new_volumes:
            return SUCCESS
        if self.state.release >= _DRIVER_NEEDED_SINCE:
            for driver in sorted(set(new_volumes.values())):
                if self._is_missing(driver, csi_node):
                    text = f"{driver} CSI driver is not installed on the node"
                    return unschedulable(reason(CSI_DRIVER, text, driver), named=(driver,))
        limits = limits_of(csi_node)
        if not limits:
            return SUCCESS
        try:
            attached = self._attached(node, csi_node)
        except Undecided as unclear:
            return unclear.status
        new = Counter(driver for key, driver in new_volumes.items() if key not in attached)
        used = Counter(attached.values())
        for key, driver in self._attachments(node).items():
            used[driver] += key not in attached
        over = tuple(
            driver for driver, count in new.items() if driver in limits and used[driver] + count > limits[driver]
        )
        return unschedulable(_OVER, named=over) if over else SUCCESS

    def _new_volumes(self, csi_node: CSINode | None) -> Attached | Status:
        """The pod's own volumes; they depend on the node only by whether it has a CSINode."""
        key = csi_node is not None
        if key not in self.new_volumes:
            try:
                self.new_volumes[key] = _volumes(self.pod, self.state, has_csi_node=key, new=True)
            except Undecided as unclear:
                self.new_volumes[key] = unclear.status
        return self.new_volumes[key]

    def _attached(self, node: NodeInfo, csi_node: CSINode | None) -> Attached:
        """The volumes of the pods on the node."""
        memo = _ATTACHED.of(node)
        if None not in memo:
            attached: Attached = {}
            for info in node.pods:
                attached.update(_volumes(info.pod, self.state, has_csi_node=csi_node is not None, new=False))
            memo[None] = attached
        return memo[None]

    def alike(self, classes: NodeClasses) -> Grouping:
        return _BY_LIMITS.kept(
            classes, None, lambda: classes.grouping(_limits_key(node, self.state) for node in classes.nodes)
        )

    def _attachments(self, node: NodeInfo) -> Attached:
        """The volumes attached to the node by its VolumeAttachments."""
        attached: Attached = {}
        for attachment in self.state.attachments.get(node.name, ()):
            volume = self.state.volumes.get(attachment.spec.source.persistent_volume_name or "")
            if attachment.spec.attacher and volume is not None and volume.spec.csi is not None:
                attached[attachment.spec.attacher, volume.spec.csi.volume_handle] = attachment.spec.attacher
        return attached

    def _is_missing(self, driver: str, csi_node: CSINode | None) -> bool:
        csi_driver = self.state.csi_drivers.get(driver)
        if csi_driver is None or not csi_driver.spec.prevent_pod_scheduling_if_missing:
            return False
        return not any(
            node_driver.name == driver for node_driver in (csi_node.spec.drivers if csi_node else None) or ()
        )


def _limits_key(node: NodeInfo, state: ClusterState) -> Hashable:
    """Equal for nodes on which a pod's volumes count the same; nodes with volumes that count are unique."""
    volumes = (volume for info in node.pods for volume in info.pod.spec.volumes or ())
    if node.name in state.attachments or any(map(is_counted, volumes)):
        return node.name
    csi_node = state.csi_nodes.get(node.name)
    return csi_node and tuple([(driver.name, driver.allocatable) for driver in csi_node.spec.drivers or ()])


def limits_of(csi_node: CSINode | None) -> dict[str, int]:
    """The volume limits of the node by driver, for drivers that report one."""
    drivers = (csi_node.spec.drivers if csi_node else None) or ()
    return {
        driver.name: driver.allocatable.count
        for driver in drivers
        if driver.allocatable is not None and driver.allocatable.count is not None
    }


def _volumes(pod: Pod, state: ClusterState, *, has_csi_node: bool, new: bool) -> Attached:
    """The volumes of a pod that CSI drivers attach. Raises Undecided; a missing claim matters only for the new pod."""
    attached: Attached = {}
    for volume in pod.spec.volumes or ():
        name = volume.claim_of(pod.name)
        if name is None:
            built_in = built_in_of_volume(volume)
            if built_in is not None and built_in.always and has_csi_node:
                try:
                    volume_handle = inline_handle(built_in, getattr(volume, built_in.source))
                except Untranslatable as error:
                    text = f"converting volume({volume.name}) from inline to csi: {error}"
                    raise Undecided(failure(text)) from None
                attached[built_in.driver, volume_handle] = built_in.driver
            continue
        if not name:
            raise Undecided(failure("PersistentVolumeClaim had no name"))
        claim = state.claims.get((pod.namespace, name))
        if claim is None:
            if new:
                text = f"looking up PVC {pod.namespace}/{name}: {claim_not_found(name).text}"
                raise Undecided(unresolvable(reason(OTHER, text), named=(name,)))
            continue
        if volume.persistent_volume_claim is None and (problem := ownership_problem(pod, claim)):
            raise Undecided(failure(problem.text))
        driver, volume_handle = _driver_and_handle(claim, state, has_csi_node=has_csi_node)
        if driver and volume_handle:
            attached[driver, volume_handle] = driver
    return attached


def _driver_and_handle(claim: PersistentVolumeClaim, state: ClusterState, *, has_csi_node: bool) -> tuple[str, str]:
    """Both empty where no driver attaches the volume. A claim without a volume counts under its own name."""
    volume = bound_volume(claim, state)
    if volume is None:
        storage_class = class_named(claim, state)
        provisioner = storage_class.provisioner if storage_class else ""
        built_in = BY_PLUGIN.get(provisioner)
        if built_in is not None:
            provisioner = built_in.driver if built_in.always and has_csi_node else ""
        return provisioner, f"claim {claim.namespace}/{claim.name}"
    if volume.spec.csi is not None:
        return volume.spec.csi.driver, volume.spec.csi.volume_handle
    built_in = built_in_of(volume)
    if built_in is None or not built_in.always or not has_csi_node:
        return "", ""
    try:
        return built_in.driver, handle(built_in, volume)
    except Untranslatable:
        return "", ""


def _remedies(pod: Pod, state: ClusterState, node: NodeInfo, drivers: Sequence[str]) -> list[Remedy]:
    """Free an attachment: another pod's volumes are detached once it is deleted."""
    remedies: list[tuple[int, int, str, Remedy]] = []
    for info in node.pods:
        own = _driven(info.pod, state, drivers)
        volumes_of_others = {
            name for neighbour in node.pods if neighbour is not info for name in _driven(neighbour.pod, state, drivers)
        }
        freed = own - volumes_of_others
        if not freed or comes_back(info.pod) or info.pod.metadata.deletion_timestamp is not None:
            continue
        detached = tuple(
            Operation(ref(attachment), delete=True)
            for attachment in state.attachments.get(node.name, ())
            if attachment.spec.source.persistent_volume_name in freed
        )
        edit = delete_pod(info.pod, Because.FREES_VOLUMES, node.name, (str(len(freed)),), detached)
        remedies.append((info.priority, -len(freed), info.title, (edit,)))
    return [remedy for _, _, _, remedy in sorted(remedies, key=lambda ranked: ranked[:3])[:_MOST_FREED]]


def _driven(pod: Pod, state: ClusterState, drivers: Sequence[str]) -> set[str]:
    """The names of the pod's volumes that one of the drivers attaches."""
    claims = (state.claims.get((pod.namespace, name)) for name, _ in claim_names(pod))
    volumes = (state.volumes.get(claim.spec.volume_name) for claim in claims if claim is not None)
    return {
        volume.name
        for volume in volumes
        if volume is not None and volume.spec.csi and volume.spec.csi.driver in drivers
    }
