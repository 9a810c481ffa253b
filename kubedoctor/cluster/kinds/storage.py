"""Volumes, claims, classes and CSI."""

from typing import Any

import msgspec

from kubedoctor.cluster.grammar.redaction import redact_text
from kubedoctor.cluster.kinds.affinity import NodeSelector
from kubedoctor.cluster.kinds.containers import ResourceRequirements
from kubedoctor.cluster.kinds.meta import (
    Condition,
    KubernetesObject,
    LabelSelector,
    ManagedMeta,
    ObjectReference,
    Part,
    Time,
)


class PersistentVolumeClaimSpec(Part):
    """`storage_class_name` None requests the default class, an empty text for none."""

    access_modes: tuple[str, ...] | None = None
    storage_class_name: str | None = None
    resources: ResourceRequirements = ResourceRequirements()
    volume_name: str = ""
    volume_mode: str | None = None
    selector: LabelSelector | None = None
    data_source: dict[str, Any] | None = None
    data_source_ref: dict[str, Any] | None = None
    volume_attributes_class_name: str | None = None


class ModifyVolumeStatus(Part):
    """`status`: Pending, InProgress or Infeasible."""

    status: str = ""
    target_volume_attributes_class_name: str = ""


class PersistentVolumeClaimStatus(Part):
    phase: str = ""
    access_modes: tuple[str, ...] | None = None
    capacity: dict[str, str] | None = None
    conditions: tuple[Condition, ...] | None = None
    current_volume_attributes_class_name: str | None = None
    modify_volume_status: ModifyVolumeStatus | None = None


class PersistentVolumeClaim(KubernetesObject):
    metadata: ManagedMeta = ManagedMeta()
    spec: PersistentVolumeClaimSpec = PersistentVolumeClaimSpec()
    status: PersistentVolumeClaimStatus = PersistentVolumeClaimStatus()


class VolumeNodeAffinity(Part):
    required: NodeSelector | None = None


class SecretReference(Part):
    name: str = ""
    namespace: str = ""


class CSIVolumeSource(Part):
    driver: str = ""
    volume_handle: str = ""
    fs_type: str = ""
    volume_attributes: dict[str, str] | None = None
    node_stage_secret_ref: SecretReference | None = None
    node_publish_secret_ref: SecretReference | None = None


class LocalVolumeSource(Part):
    path: str = ""


class PersistentVolumeSpec(Part):
    capacity: dict[str, str] | None = None
    access_modes: tuple[str, ...] | None = None
    storage_class_name: str = ""
    volume_mode: str | None = None
    persistent_volume_reclaim_policy: str = ""
    claim_ref: ObjectReference | None = None
    node_affinity: VolumeNodeAffinity | None = None
    csi: CSIVolumeSource | None = None
    local: LocalVolumeSource | None = None
    host_path: dict[str, Any] | None = None
    nfs: dict[str, Any] | None = None
    gce_persistent_disk: dict[str, Any] | None = None
    aws_elastic_block_store: dict[str, Any] | None = None
    azure_disk: dict[str, Any] | None = None
    azure_file: dict[str, Any] | None = None
    cinder: dict[str, Any] | None = None
    vsphere_volume: dict[str, Any] | None = None
    portworx_volume: dict[str, Any] | None = None
    volume_attributes_class_name: str | None = None


class PersistentVolumeStatus(Part):
    phase: str = ""
    message: str = ""
    reason: str = ""
    last_phase_transition_time: Time | None = None

    def __post_init__(self) -> None:
        if self.message and (redacted := redact_text(self.message)) != self.message:
            msgspec.structs.force_setattr(self, "message", redacted)


class PersistentVolume(KubernetesObject):
    spec: PersistentVolumeSpec = PersistentVolumeSpec()
    status: PersistentVolumeStatus = PersistentVolumeStatus()


class TopologySelectorRequirement(Part):
    key: str = ""
    values: tuple[str, ...] | None = None


class TopologySelectorTerm(Part):
    match_label_expressions: tuple[TopologySelectorRequirement, ...] | None = None


DEFAULT_CLASS_ANNOTATIONS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


class StorageClass(KubernetesObject):
    provisioner: str = ""
    parameters: dict[str, str] | None = None
    reclaim_policy: str | None = None
    volume_binding_mode: str | None = None
    allow_volume_expansion: bool | None = None
    allowed_topologies: tuple[TopologySelectorTerm, ...] | None = None

    @property
    def is_default(self) -> bool:
        """Marked as the class of claims that name none."""
        return any(self.annotations.get(key) == "true" for key in DEFAULT_CLASS_ANNOTATIONS)

    @property
    def waits_for_first_consumer(self) -> bool:
        return self.volume_binding_mode == "WaitForFirstConsumer"

    @property
    def makes_volumes(self) -> bool:
        """Whether it has a provisioner: without one, its volumes are created by hand."""
        return self.provisioner not in ("", "kubernetes.io/no-provisioner")


class VolumeNodeResources(Part):
    count: int | None = None


class CSINodeDriver(Part):
    name: str = ""
    node_id: str = msgspec.field(default="", name="nodeID")
    topology_keys: tuple[str, ...] | None = None
    allocatable: VolumeNodeResources | None = None


class CSINodeSpec(Part):
    drivers: tuple[CSINodeDriver, ...] | None = None


class CSINode(KubernetesObject):
    spec: CSINodeSpec = CSINodeSpec()


class CSIDriverSpec(Part):
    attach_required: bool | None = None
    storage_capacity: bool | None = None
    prevent_pod_scheduling_if_missing: bool | None = None


class CSIDriver(KubernetesObject):
    spec: CSIDriverSpec = CSIDriverSpec()


class CSIStorageCapacity(KubernetesObject):
    storage_class_name: str = ""
    capacity: str | None = None
    maximum_volume_size: str | None = None
    node_topology: LabelSelector | None = None


class VolumeAttachmentSource(Part):
    persistent_volume_name: str | None = None
    inline_volume_spec: dict[str, Any] | None = None


class VolumeAttachmentSpec(Part):
    attacher: str = ""
    node_name: str = ""
    source: VolumeAttachmentSource = VolumeAttachmentSource()


class VolumeError(Part):
    message: str = ""
    time: Time | None = None

    def __post_init__(self) -> None:
        if self.message and (redacted := redact_text(self.message)) != self.message:
            msgspec.structs.force_setattr(self, "message", redacted)


class VolumeAttachmentStatus(Part):
    attached: bool = False
    attach_error: VolumeError | None = None
    detach_error: VolumeError | None = None


class VolumeAttachment(KubernetesObject):
    spec: VolumeAttachmentSpec = VolumeAttachmentSpec()
    status: VolumeAttachmentStatus = VolumeAttachmentStatus()
