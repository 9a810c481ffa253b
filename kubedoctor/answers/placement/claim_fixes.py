"""Commands and notes for changes to claims and volumes that are proven to place a pending pod."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from kubedoctor.cluster.changes import Step
from kubedoctor.cluster.kinds.apps import StatefulSet
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.storage import PersistentVolumeClaim, StorageClass
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.replay.scheduler.counterfactuals import Counterfactual, Edit, Kind
from kubedoctor.replay.storage.matching import class_of

CLAIM_KINDS: Final = (Kind.CHANGE_CLAIM, Kind.REMAKE_CLAIM, Kind.RELEASE_VOLUME)
MADE_ANEW: Final = " --dry-run=client -o json | kubectl replace --force -f -"
"""Behind a patch that the API server would refuse: the changed object takes the place of the old one."""
AT_ONCE: Final = timedelta(seconds=10)
"""Classes, volumes and claims of one manifest are not made at one moment."""


def claim_command(edit: Edit, pod: Pod, workload: Ref, cluster: Cluster) -> str:
    """One line; empty where there is none. kubectl itself makes a changed copy, deletes the claim and creates it again:
    nothing else can change an immutable field."""
    (operation,) = edit.operations
    about = operation.about
    target = f"{about.argument}{about.namespace_flag}"
    if edit.kind is Kind.RELEASE_VOLUME:
        return release_command(about)
    position = _template(edit, pod, workload, cluster) if edit.kind is Kind.REMAKE_CLAIM else None
    if position is not None:
        return _stateful_command(operation.steps, target, f"{workload.argument}{workload.namespace_flag}", position)
    patch: dict[str, Any] = {}
    for step in operation.steps:
        patch = _with(patch, step.path, None if step.remove else step.value)
    changed = f"kubectl patch {target} --type=merge -p {shlex.quote(json.dumps(patch))}"
    if edit.kind is Kind.CHANGE_CLAIM:
        return changed
    return f"{changed}{MADE_ANEW}"


def release_command(volume: Ref) -> str:
    """Makes a Released volume free to be claimed; its data stays."""
    remove = shlex.quote(json.dumps([{"op": "remove", "path": "/spec/claimRef"}]))
    return f"kubectl patch {volume.argument} --type=json -p {remove}"


def _template(edit: Edit, pod: Pod, workload: Ref, cluster: Cluster) -> int | None:
    """Which claim template of a StatefulSet the claim was made from; None if none. The controller makes a missing claim
    of a pending pod again at once, so that the template must be right first."""
    owner = cluster.maybe.get_ref(workload)
    templates = (owner.spec.volume_claim_templates or ()) if isinstance(owner, StatefulSet) else ()
    names = [f"{one.metadata.name}-{pod.name}" for one in templates]
    return names.index(edit.about.name) if edit.about.name in names else None


def _stateful_command(steps: Sequence[Step], claim: str, owner: str, position: int) -> str:
    """The StatefulSet made anew without touching its pods, then the claim taken away, which it makes anew."""
    if any(step.path[0] != "spec" or step.path[-1] == "volumeName" for step in steps):
        return ""  # No template names a volume, and annotations of claims come from elsewhere.
    operations = [
        {
            "op": "add",
            "path": f"/spec/volumeClaimTemplates/{position}/{'/'.join(map(str, step.path))}",
            "value": step.value,
        }
        for step in steps
    ]
    patched = f"kubectl patch {owner} --type=json -p {shlex.quote(json.dumps(operations))} --dry-run=client -o json"
    return f"{patched} | kubectl replace --force --cascade=orphan -f - && kubectl delete {claim}"


def _with(patch: dict[str, Any], path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    first, *others = path
    inner = patch.get(str(first)) or {}
    return {**patch, str(first): _with(inner, tuple(others), value) if others else value}


def about_data(change: Counterfactual, pod: Pod, workload: Ref, cluster: Cluster) -> str:
    """What becomes of data, and what else holds the old description of a claim; empty where nothing is to be said."""
    remade = [edit for edit in change.edits if edit.kind is Kind.REMAKE_CLAIM and edit.about.kind != "Pod"]
    if not remade:
        return ""
    said = "; no data is lost, it has no volume"
    if any(_template(edit, pod, workload, cluster) is not None for edit in remade):
        said += (
            f"; {workload.title} must be made anew too, because its claim templates cannot be changed; its pods keep"
            " running"
        )
    return said


def too_early(change: Counterfactual, cluster: Cluster, namespace: str) -> bool:
    """Gives another class to a claim that was made a moment ago and whose own class exists: its volume may be on the
    way."""
    for edit in change.edits:
        paths = {step.path[-1] for one in edit.operations for step in one.steps}
        if edit.kind not in CLAIM_KINDS or "storageClassName" not in paths:
            continue
        claim = cluster.maybe.get(PersistentVolumeClaim, namespace, edit.arguments[0])
        created = claim.metadata.creation_timestamp if claim is not None else None
        if claim is None or created is None or cluster.taken_at - created >= AT_ONCE:
            continue
        if cluster.maybe.get(StorageClass, "", class_of(claim) or "") is not None:
            return True
    return False
