"""The claim and the volume that a VolumeSnapshot is taken of, where no snapshot of them can be taken
(external-snapshotter, `pkg/common-controller/snapshot_controller.go`, getVolumeFromVolumeSnapshot and createSnapshotContent, 8.2)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from kubedoctor.cluster import (
    Cluster,
    CustomResource,
    Evidence,
    PersistentVolume,
    PersistentVolumeClaim,
    has_path,
    misspellings,
    quote,
)
from kubedoctor.findings import Fix

CLAIM: Final = "spec.source.persistentVolumeClaimName"
_PROVISIONED_BY: Final = "pv.kubernetes.io/provisioned-by"
_ERROR: Final = "status.error.message"
_NO_CLAIM: Final = re.compile(r"(?:claim|PVC).*(?:not found|from the lister)")
_SOURCES: Final = ("hostPath", "local", "nfs", "iscsi", "fc", "awsElasticBlockStore", "gcePersistentDisk", "azureDisk")
_NO_SNAPSHOT: Final = (
    "Copy its data another way (a backup of files or of the database), or move it to a claim of a StorageClass whose CSI driver"
    " takes snapshots"
)


class UnusableSource(NamedTuple):
    text: str
    evidence: tuple[Evidence, ...]
    fix: Fix


def unusable_source(snapshot: CustomResource, cluster: Cluster) -> UnusableSource | None:
    """None for a snapshot of a bound claim whose volume is of a CSI driver, and where that is not seen."""
    if not has_path(snapshot, CLAIM):
        return None
    name, namespace = quote(snapshot, CLAIM).text, snapshot.metadata.namespace
    claim = cluster.maybe.get(PersistentVolumeClaim, namespace, name)
    if claim is None:
        return _without_claim(snapshot, name, cluster)
    if not claim.spec.volume_name:
        return None  # The claim's own diagnostic says why it waits.
    volume = cluster.maybe.get(PersistentVolume, "", claim.spec.volume_name)
    if volume is None or volume.spec.csi is not None:
        return None
    source = next((field for field in _SOURCES if has_path(volume, f"spec.{field}")), "")
    by = volume.annotations.get(_PROVISIONED_BY, "")
    kind = " of ".join(filter(None, (source, by)))
    shown = f"metadata.annotations[{_PROVISIONED_BY}]" if by else f"spec.{source}" if source else "metadata.name"
    return UnusableSource(
        f"volume {volume.name} of its PersistentVolumeClaim {name} is of no CSI driver{f' ({kind})' if kind else ''}: no snapshot can be"
        " taken of it",
        (quote(snapshot, CLAIM, "the claim that it is taken of"), quote(volume, shown, "what the volume is")),
        Fix(_NO_SNAPSHOT),
    )


def _without_claim(snapshot: CustomResource, name: str, cluster: Cluster) -> UnusableSource | None:
    """None where the controller does not miss it, or the claims could not be read."""
    stated = quote(snapshot, _ERROR).text
    if not _NO_CLAIM.search(stated) or any(gap.kind == "PersistentVolumeClaim" for gap in cluster.gaps):
        return None
    claims = [claim.name for claim in cluster.maybe.all(PersistentVolumeClaim, snapshot.metadata.namespace)]
    if any(gap.kind == "PersistentVolumeClaim" for gap in cluster.gaps):
        return None
    near = misspellings(name, claims, 1)
    return UnusableSource(
        f"its PersistentVolumeClaim {name} does not exist{f'; did you mean {near[0]}?' if near else ''}",
        (quote(snapshot, CLAIM, "no such claim"),),
        Fix("Delete the VolumeSnapshot and take it again of a claim that exists"),
    )
