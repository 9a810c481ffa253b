"""What to do about volumes that others have, and about claims that there are not."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from kubedoctor.cluster.changes import Operation, Path, Step
from kubedoctor.cluster.grammar.nearest import misspellings
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.replay.scheduler.counterfactuals.edits import Edit, Kind
from kubedoctor.replay.scheduler.counterfactuals.node_remedies import Remedy
from kubedoctor.replay.scheduler.counterfactuals.pod_remedies import comes_back, delete_pod, delete_pods, filter_passes
from kubedoctor.replay.scheduler.plugins.pod_claims import claim_names, is_bound, mounted_claim_names
from kubedoctor.replay.scheduler.plugins.volume_restrictions import VolumeRestrictions
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo
from kubedoctor.replay.storage.unbound import SELECTED_NODE

_MOST_FREED = 3


def about_volumes_in_use(pod: Pod, state: ClusterState, node: NodeInfo) -> list[Remedy]:
    """Take claims from those who have them for themselves alone, and disks from those on the node."""
    names = {(pod.namespace, name) for name in mounted_claim_names(pod)}
    exclusive = {
        name
        for name in names
        if name in state.claims and "ReadWriteOncePod" in (state.claims[name].spec.access_modes or ())
    }
    placed = (info.pod for each in state.nodes for info in each.pods)
    users = [
        one
        for one in (*placed, *state.lost)
        if any((one.namespace, name) in exclusive for name in mounted_claim_names(one))
    ]
    kept = [info for info in node.pods if all(info.pod is not one for one in users)]
    with_disk = [
        info.pod
        for info in kept
        if not filter_passes(VolumeRestrictions(), pod, ClusterState(), NodeInfo(node.node, [info]))
    ]
    return delete_pods([*users, *with_disk], "uses the same volume")


def about_attached(pod: Pod, state: ClusterState, node: NodeInfo, drivers: Sequence[str]) -> list[Remedy]:
    """Free a place for a volume: another pod's volumes are detached once it is gone."""
    found: list[tuple[int, int, str, Remedy]] = []
    for info in node.pods:
        own = _driven(info.pod, state, drivers)
        others = {name for one in node.pods if one is not info for name in _driven(one.pod, state, drivers)}
        freed = own - others
        if not freed or comes_back(info.pod) or info.pod.metadata.deletion_timestamp is not None:
            continue
        detached = tuple(
            Operation(ref(one), delete=True)
            for one in state.attachments.get(node.name, ())
            if one.spec.source.persistent_volume_name in freed
        )
        edit = replace(delete_pod(info.pod, f"has {len(freed)} of the volumes of {node.name}"), follows=detached)
        found.append((info.priority, -len(freed), info.title, (edit,)))
    return [remedy for _, _, _, remedy in sorted(found, key=lambda one: one[:3])[:_MOST_FREED]]


def _driven(pod: Pod, state: ClusterState, drivers: Sequence[str]) -> set[str]:
    """The names of its volumes that one of the drivers attaches."""
    claims = (state.claims.get((pod.namespace, name)) for name, _ in claim_names(pod))
    volumes = (state.volumes.get(one.spec.volume_name) for one in claims if one is not None)
    return {one.name for one in volumes if one is not None and one.spec.csi and one.spec.csi.driver in drivers}


def about_claims(pod: Pod, state: ClusterState, named: Sequence[str]) -> list[Remedy]:
    """For claims that there are not: those with almost the same name."""
    existing = sorted(name for namespace, name in state.claims if namespace == pod.namespace)
    edits = []
    for wanted in named:
        if (pod.namespace, wanted) in state.claims:
            return []
        right = next(iter(misspellings(wanted, existing)), None)
        if right is None:
            return []
        for index, volume in enumerate(pod.spec.volumes or ()):
            if volume.persistent_volume_claim is not None and volume.persistent_volume_claim.claim_name == wanted:
                path: Path = ("spec", "volumes", index, "persistentVolumeClaim", "claimName")
                text = f"use the claim {right} in place of {wanted}"
                operation = Operation(ref(pod), (Step(path, right),))
                edits.append(Edit(Kind.CORRECT_CLAIM, ref(pod), text, (operation,), (volume.name, right), 1))
    return [tuple(edits)] if edits else []


def about_selected_nodes(pod: Pod, state: ClusterState, node: NodeInfo) -> list[Remedy]:
    """Claims for which another node was selected, in vain so far: select anew."""
    edits = []
    for name, _ in claim_names(pod):
        claim = state.claims.get((pod.namespace, name))
        if claim is None or is_bound(claim) or claim.annotations.get(SELECTED_NODE) in (None, node.name):
            continue
        about = Ref("PersistentVolumeClaim", pod.namespace, name)
        text = f"let another node be selected for the claim {name} than {claim.annotations[SELECTED_NODE]}"
        operation = Operation(about, (Step(("metadata", "annotations", SELECTED_NODE), remove=True),))
        edits.append(Edit(Kind.FORGET_NODE, about, text, (operation,), weight=3))
    return [tuple(edits)] if edits else []
