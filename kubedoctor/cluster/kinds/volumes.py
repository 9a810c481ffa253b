"""The volumes of pods."""

from typing import Any

import msgspec

from kubedoctor.cluster.kinds.meta import Part


class KeyToPath(Part):
    key: str = ""
    path: str = ""


class ConfigMapSource(Part):
    """Of a volume or of a projected volume's source."""

    name: str = ""
    optional: bool | None = None
    items: tuple[KeyToPath, ...] | None = None


class SecretSource(Part):
    """A Secret in a volume; a projected source calls it `name`, a volume `secretName`."""

    secret_name: str = ""
    name: str = ""
    optional: bool | None = None
    items: tuple[KeyToPath, ...] | None = None


class ClaimSource(Part):
    claim_name: str = ""
    read_only: bool | None = None


class HostPathSource(Part):
    path: str = ""
    type: str | None = None


class EmptyDirSource(Part):
    medium: str = ""
    size_limit: str | None = None


class CSISource(Part):
    driver: str = ""
    read_only: bool | None = None
    volume_attributes: dict[str, str] | None = None


class ProjectedItem(Part):
    config_map: ConfigMapSource | None = None
    secret: SecretSource | None = None


class ProjectedSource(Part):
    sources: tuple[ProjectedItem, ...] | None = None


class Volume(Part):
    """A volume of a pod."""

    name: str = ""
    config_map: ConfigMapSource | None = None
    secret: SecretSource | None = None
    persistent_volume_claim: ClaimSource | None = None
    host_path: HostPathSource | None = None
    empty_dir: EmptyDirSource | None = None
    csi: CSISource | None = None
    projected: ProjectedSource | None = None
    ephemeral: dict[str, Any] | None = None
    nfs: dict[str, Any] | None = None
    gce_persistent_disk: dict[str, Any] | None = None
    aws_elastic_block_store: dict[str, Any] | None = None
    iscsi: dict[str, Any] | None = None
    rbd: dict[str, Any] | None = None
    azure_disk: dict[str, Any] | None = None
    azure_file: dict[str, Any] | None = None
    cinder: dict[str, Any] | None = None
    portworx_volume: dict[str, Any] | None = None
    vsphere_volume: dict[str, Any] | None = None
    downward_api: dict[str, Any] | None = msgspec.field(default=None, name="downwardAPI")
    image: dict[str, Any] | None = None
    git_repo: dict[str, Any] | None = None
    flex_volume: dict[str, Any] | None = None
    cephfs: dict[str, Any] | None = None
    glusterfs: dict[str, Any] | None = None
    fc: dict[str, Any] | None = None
    flocker: dict[str, Any] | None = None
    quobyte: dict[str, Any] | None = None
    photon_persistent_disk: dict[str, Any] | None = None
    scale_io: dict[str, Any] | None = msgspec.field(default=None, name="scaleIO")
    storageos: dict[str, Any] | None = None

    def claim_of(self, pod: str) -> str | None:
        """The name of its claim in a pod of that name: an independent claim, or the claim of a generic ephemeral volume
        (`component-helpers/storage/ephemeral`, v1.37). None where it uses no claim."""
        if self.persistent_volume_claim is not None:
            return self.persistent_volume_claim.claim_name
        return f"{pod}-{self.name}" if self.ephemeral is not None else None


DISKS = (
    "gce_persistent_disk",
    "aws_elastic_block_store",
    "iscsi",
    "rbd",
    "azure_disk",
    "azure_file",
    "cinder",
    "portworx_volume",
    "vsphere_volume",
)
"""The fields of disks that a pod names itself and that some filter of the scheduler reads."""
