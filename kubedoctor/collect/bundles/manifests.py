"""Objects of files that were never applied: what a cluster would have added at once, without which they mislead."""

from __future__ import annotations

import msgspec

from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.storage import PersistentVolume, StorageClass

NEED_DEFAULTS = frozenset(("PersistentVolume", "StorageClass"))


def as_created(obj: KubernetesObject) -> KubernetesObject:
    """The object with a volume's phase and a class' binding mode; what a cluster served has both already."""
    # pkg/registry/core/persistentvolume/strategy.go and pkg/apis/storage/v1/defaults.go, v1.37
    if isinstance(obj, PersistentVolume) and not obj.status.phase and obj.spec.claim_ref is None:
        return msgspec.structs.replace(obj, status=msgspec.structs.replace(obj.status, phase="Available"))
    if isinstance(obj, StorageClass) and not obj.volume_binding_mode:
        return msgspec.structs.replace(obj, volume_binding_mode="Immediate")
    return obj
