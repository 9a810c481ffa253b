"""One claim: its volume, who uses it, what the kubelet measured, and what a person may want to know before deleting it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.kinds.apps import StatefulSet
from kubedoctor.cluster.kinds.meta import condition
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim
from kubedoctor.cluster.relations.claims import claim_names
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.wants import LogTail
from kubedoctor.cluster.triage import finished
from kubedoctor.replay.storage.usage import VolumeUse, use_of

_ORDINAL: Final = re.compile(r"-(?P<ordinal>\d+)$")
_UNUSED: Final = "Unused"
"""Condition of a claim that no pod uses (`pkg/controller/volume/pvcprotection`, v1.37)."""
MOST_NODES: Final = 20
"""So many kubelets are asked."""


class ClaimAccount(msgspec.Struct, frozen=True):
    """stateful_set: whose template made the claim; empty for other claims."""

    claim: PersistentVolumeClaim
    volume: PersistentVolume | None
    users: tuple[Pod, ...]
    use: VolumeUse | None
    stateful_set: str = ""
    note: str = ""


def accounts(namespace: str, cluster: Cluster) -> tuple[ClaimAccount, ...]:
    """Of all claims of a namespace, or of all namespaces, by namespace and name."""
    users: dict[tuple[str, str], list[Pod]] = {}
    for pod in cluster.maybe.all(Pod, namespace):
        for name in claim_names(pod) if not finished(pod) else ():
            users.setdefault((pod.namespace, name), []).append(pod)
    unseen = any(gap.kind == "Pod" for gap in cluster.gaps)
    volumes = {volume.name: volume for volume in cluster.maybe.all(PersistentVolume)}
    measured = _measured([pod for pods in users.values() for pod in pods], cluster)
    sets = {(one.namespace, one.name): one for one in cluster.maybe.all(StatefulSet, namespace)}
    rows = []
    for claim in cluster.all(PersistentVolumeClaim, namespace):
        owner = _owner(claim, sets)
        mounted = tuple(users.get((claim.namespace, claim.name), ()))
        rows.append(
            ClaimAccount(
                claim,
                volumes.get(claim.spec.volume_name),
                mounted,
                next((use for tail in measured if (use := use_of(claim, tail)) is not None), None),
                owner.name if owner is not None else "",
                _note(claim, owner, cluster, used=bool(mounted) or unseen),
            )
        )
    return tuple(rows)


def deleted_with_claim(row: ClaimAccount) -> bool:
    """Whether volume and data go with the claim."""
    return row.volume is not None and row.volume.spec.persistent_volume_reclaim_policy == "Delete"


def _measured(pods: Iterable[Pod], cluster: Cluster) -> list[LogTail]:
    nodes = sorted({pod.spec.node_name for pod in pods if pod.spec.node_name})[:MOST_NODES]
    first = nodes[0] if nodes else ""
    cluster.together(*(lambda name=name: cluster.volumes_of_node(name, first) for name in nodes))
    tails = (cluster.volumes_of_node(name, first) for name in nodes)
    return [tail for tail in tails if tail is not None]


def _owner(claim: PersistentVolumeClaim, sets: dict[tuple[str, str], StatefulSet]) -> StatefulSet | None:
    """The StatefulSet whose template has this name: `data-db-0` of template data and StatefulSet db."""
    found = _ORDINAL.search(claim.name)
    stem = claim.name[: found.start()] if found is not None else ""
    for (namespace, name), one in sets.items():
        template = stem.removesuffix(f"-{name}")
        made = {row.metadata.name for row in one.spec.volume_claim_templates or ()}
        if namespace == claim.namespace and template != stem and template in made:
            return one
    return None


def _note(claim: PersistentVolumeClaim, owner: StatefulSet | None, cluster: Cluster, *, used: bool) -> str:
    notes = []
    found = _ORDINAL.search(claim.name)
    if owner is not None and found is not None:
        start = owner.spec.ordinals.start if owner.spec.ordinals is not None else 0
        replicas = owner.spec.desired_replicas
        if int(found["ordinal"]) >= start + replicas:
            notes.append(f"kept from before StatefulSet {owner.name} was scaled to {replicas}")
    stated = condition(claim.status.conditions, _UNUSED)
    since = stated.last_transition_time if stated is not None and stated.status == "True" else None
    if not used:
        notes.append(
            f"no pod has used it for {human_duration(cluster.taken_at - since)}" if since else "no pod uses it"
        )
    return "; ".join(notes)
