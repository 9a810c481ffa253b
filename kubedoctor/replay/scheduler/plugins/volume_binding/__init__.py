"""VolumeBinding: bound volumes must be reachable, the others must be bindable (`plugins/volumebinding`, v1.37)."""

from kubedoctor.replay.scheduler.plugins.volume_binding.filter import (
    CLAIM_DELETING,
    CLAIM_NOT_YET_MADE,
    FREE_STORAGE,
    NO_VOLUME,
    VOLUME_NODE_AFFINITY,
)
from kubedoctor.replay.scheduler.plugins.volume_binding.plugin import VolumeBinding

__all__ = [
    "CLAIM_DELETING",
    "CLAIM_NOT_YET_MADE",
    "FREE_STORAGE",
    "NO_VOLUME",
    "VOLUME_NODE_AFFINITY",
    "VolumeBinding",
]
