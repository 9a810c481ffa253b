"""Changes that are not possible in place, so that the object is deleted and recreated.

`ValidatePodUpdate`, `ValidateJobUpdate`, `ValidatePersistentVolumeClaimUpdate` and `ValidateStatefulSetUpdate`
(`pkg/apis/{core,batch,apps}/validation`, v1.37). kubectl itself creates the changed copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kubedoctor.cluster.changes import Path, Step
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.storage import PersistentVolumeClaim
from kubedoctor.findings.commands.lines import kubectl

_COPIED: Final = " --dry-run=client -o json | "
RECREATE: Final = f"{_COPIED}{kubectl('replace', '--force', '-f', '-')}"
"""Follows a patch that the API server would refuse: the changed object replaces the old one."""
RECREATE_ALONE: Final = f"{_COPIED}{kubectl('replace', '--force', '--cascade=orphan', '-f', '-')}"
"""The same, but the objects that it owns stay."""
_STATEFUL_SET: Final = frozenset(
    {
        "minReadySeconds",
        "ordinals",
        "persistentVolumeClaimRetentionPolicy",
        "replicas",
        "revisionHistoryLimit",
        "template",
        "updateStrategy",
    }
)
"""The fields of its spec that may be changed."""


def recreated(about: Ref, steps: Sequence[Step], item: KubernetesObject | None) -> str | None:
    """The rest of the command line after the patch that replaces the object; empty where it is changed in place, None
    where it cannot be changed: its controller would recreate it unchanged, its data would be lost, or its current state is not
    known."""
    spec = [step for step in steps if step.path[0] == "spec"]
    match about.kind:
        case "Pod" if not all(_may_change_in_pod(step) for step in spec):
            return RECREATE if item is not None and not item.metadata.owner_references else None
        case "Job" if any(step.path[1:2] == ("template",) for step in spec):
            return None
        case "PersistentVolumeClaim" if not all(_may_change_in_claim(step, item) for step in spec):
            return RECREATE if isinstance(item, PersistentVolumeClaim) and not _is_bound(item) else None
        case "StatefulSet" if not all(step.path[1] in _STATEFUL_SET for step in spec):
            return RECREATE_ALONE
    return ""


def is_recreated(about: Ref, steps: Sequence[Step], item: KubernetesObject | None) -> bool:
    """Whether the change deletes the object and creates it again."""
    return bool(recreated(about, steps, item))


def _may_change_in_pod(step: Step) -> bool:
    """Gates can be removed, tolerations added, images and the deadline changed."""
    path: Path = step.path[1:]
    match path:
        case ("schedulingGates", *_):
            return step.remove
        case ("tolerations", "-") | ("containers" | "initContainers", int(), "image") | ("activeDeadlineSeconds",):
            return not step.remove
    return False


def _is_bound(claim: PersistentVolumeClaim) -> bool:
    """It has a volume, which may be deleted with it."""
    return claim.status.phase == "Bound" or bool(claim.spec.volume_name and claim.status.capacity)


_OF_BOUND: Final = (("spec", "volumeAttributesClassName"), ("spec", "resources", "requests", "storage"))


def _may_change_in_claim(step: Step, item: KubernetesObject | None) -> bool:
    """The class and the volume can be set where they are empty; of a bound claim, the attributes and the size."""
    if not isinstance(item, PersistentVolumeClaim) or step.remove:
        return False
    if step.path in _OF_BOUND and item.status.phase == "Bound":
        return True
    if step.path == ("spec", "storageClassName"):
        from kubedoctor.replay.storage.matching import class_of  # few fixes change a claim

        return class_of(item) is None
    return step.path == ("spec", "volumeName") and not item.spec.volume_name
