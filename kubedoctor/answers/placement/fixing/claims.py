"""Commands and notes for changes to claims and volumes that are proven to place a pending pod."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from kubedoctor.cluster.changes import Change, Operation, Path, drop
from kubedoctor.cluster.kinds.apps import StatefulSet
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.storage import PersistentVolumeClaim, StorageClass
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.replay.scheduler.counterfactuals import Counterfactual, Kind
from kubedoctor.replay.storage.matching import class_of

CLAIM_KINDS: Final = (Kind.CHANGE_CLAIM, Kind.REMAKE_CLAIM, Kind.RELEASE_VOLUME)
AT_ONCE: Final = timedelta(seconds=10)
"""Classes, volumes and claims of one manifest are not created at the same moment."""


def recreated_claim(operation: Operation, pod: Pod, owner: KubernetesObject | None) -> tuple[Operation, ...]:
    """A changed claim: a StatefulSet gets the change in its claim template first, and its claim is only deleted, because
    its controller creates a missing claim of a pending pod at once. Empty where no template can say it."""
    position = _template(operation.about, pod, owner)
    if owner is None or position is None:
        return (operation,)
    if any(step.path[0] != "spec" or step.path[-1] == "volumeName" for step in operation.steps):
        return ()  # No template names a volume, and annotations of claims come from elsewhere.
    prefix: Path = ("spec", "volumeClaimTemplates", position)
    steps = tuple(msgspec.structs.replace(step, path=(*prefix, *step.path)) for step in operation.steps)
    return Operation(ref(owner), steps), Operation(operation.about, delete=True)


def release_volume(volume: Ref) -> Change:
    """Makes a Released volume Available again; its data stays."""
    return drop(volume, ("spec", "claimRef"))


def _template(claim: Ref, pod: Pod, owner: KubernetesObject | None) -> int | None:
    """Which claim template of a StatefulSet the claim was created from; None if none."""
    templates = (owner.spec.volume_claim_templates or ()) if isinstance(owner, StatefulSet) else ()
    names = [f"{template.metadata.name}-{pod.name}" for template in templates]
    return names.index(claim.name) if claim.name in names else None


def about_data(change: Counterfactual, pod: Pod, workload: Ref, cluster: Cluster) -> str:
    """What happens to the data, and where else the old claim is written down; empty where neither matters."""
    remade = [edit for edit in change.edits if edit.kind is Kind.REMAKE_CLAIM and edit.about.kind != "Pod"]
    if not remade:
        return ""
    text = "; no data is lost: the claim has no volume"
    owner = cluster.maybe.get_ref(workload)
    if any(_template(edit.about, pod, owner) is not None for edit in remade):
        text += (
            f"; {workload.title} must be recreated too, because its claim templates cannot be changed; its pods keep"
            " running"
        )
    return text


def too_early(change: Counterfactual, cluster: Cluster, namespace: str) -> bool:
    """Changes the class of a claim that was created a moment ago and whose class exists: its volume may be on the
    way."""
    for edit in change.edits:
        paths = {step.path[-1] for operation in edit.operations for step in operation.steps}
        if edit.kind not in CLAIM_KINDS or "storageClassName" not in paths:
            continue
        claim = cluster.maybe.get(PersistentVolumeClaim, namespace, edit.arguments[0])
        created = claim.metadata.creation_timestamp if claim is not None else None
        if claim is None or created is None or cluster.taken_at - created >= AT_ONCE:
            continue
        if cluster.maybe.get(StorageClass, "", class_of(claim) or "") is not None:
            return True
    return False
