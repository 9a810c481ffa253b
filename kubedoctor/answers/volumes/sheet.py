"""The claims of a namespace and the volumes without a claim, as a sheet: an account, in which nothing is judged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubedoctor.answers.sheet import Cell, Conclusion, Fact, Sheet, SheetRow, Table
from kubedoctor.answers.volumes.account import ClaimAccount, accounts, deleted_with_claim
from kubedoctor.cluster.changes import put
from kubedoctor.cluster.grammar.quantities import format_bytes
from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.apps import StatefulSet
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.findings.commands import command_line
from kubedoctor.findings.model import Command, Effect, Fix

_FIXES: Final = 3
_DELETE: Final = "Delete"


def volumes_sheet(namespace: str, cluster: Cluster) -> Sheet:
    """namespace: empty for all."""
    cluster.together(
        lambda: cluster.all(PersistentVolumeClaim, namespace),
        lambda: cluster.maybe.all(PersistentVolume),
        lambda: cluster.maybe.all(Pod, namespace),
        lambda: cluster.maybe.all(StatefulSet, namespace),
    )
    rows = accounts(namespace, cluster)
    left = tuple(_left_behind(namespace, cluster))
    unused = [row for row in rows if not row.users]
    at_risk = [row for row in rows if row.stateful_set and deleted_with_claim(row)]
    text = counted(len(rows), "claim")
    if unused:
        text += f", {len(unused)} of them used by no pod"
    if left:
        text += f"; {counted(len(left), 'volume')} without a claim"
    return Sheet(
        title=f"Volumes of namespace {namespace}" if namespace else "Volumes of all namespaces",
        verdict=text,
        conclusion=Conclusion.ACCOUNT,
        facts=tuple(_facts(at_risk)),
        tables=(
            *(
                (Table(("claim", "size", "left", "used by", "reclaim", "note"), tuple(map(_row, rows))),)
                if rows
                else ()
            ),
            *(
                (Table(("volume", "size", "phase", "claim", "reclaim"), left, "Volumes without a claim"),)
                if left
                else ()
            ),
        ),
        fixes=tuple(_keeping(row) for row in at_risk[:_FIXES]),
        next=(Command("kubectl get pvc,pv -A", "the claims and volumes of the cluster"),),
        gaps=tuple(str(gap) for gap in sorted(cluster.gaps)),
    )


def _facts(at_risk: list[ClaimAccount]) -> Iterator[Fact]:
    if at_risk:
        names = sorted({row.stateful_set for row in at_risk})
        yield Fact(
            "reclaim",
            f"Delete: the data of {counted(len(at_risk), 'claim')} of StatefulSet {', '.join(names[:_FIXES])} is deleted with the"
            " claims",
        )


def _row(row: ClaimAccount) -> SheetRow:
    claim, use = row.claim, row.use
    left = ""
    if use is not None and use.available is not None and use.capacity:
        left = f"{format_bytes(use.available)} ({100 * use.available // use.capacity} %)"
    users = (
        row.users[0].name + (f" and {len(row.users) - 1} more" if len(row.users) > 1 else "") if row.users else "none"
    )
    size = (claim.status.capacity or {}).get("storage") or (claim.spec.resources.requests or {}).get("storage", "")
    policy = row.volume.spec.persistent_volume_reclaim_policy if row.volume is not None else ""
    name = f"{claim.namespace}/{claim.name}"
    return SheetRow((Cell(name), Cell(size), Cell(left), Cell(users), Cell(policy), Cell(row.note)), about=ref(claim))


def _left_behind(namespace: str, cluster: Cluster) -> Iterator[SheetRow]:
    """Volumes whose claim is gone."""
    for volume in cluster.maybe.all(PersistentVolume):
        held, spec = volume.spec.claim_ref, volume.spec
        if volume.status.phase not in ("Released", "Failed") or held is None or namespace not in ("", held.namespace):
            continue
        size = (spec.capacity or {}).get("storage", "")
        cells = (
            volume.name,
            size,
            volume.status.phase,
            f"{held.namespace}/{held.name}",
            spec.persistent_volume_reclaim_policy,
        )
        yield SheetRow(tuple(map(Cell, cells)), about=ref(volume))


def _keeping(row: ClaimAccount) -> Fix:
    volume = row.volume
    assert volume is not None  # Only a volume has a reclaim policy.
    change = put(ref(volume), ("spec", "persistentVolumeReclaimPolicy"), "Retain")
    text = f"Keep the data of claim {row.claim.namespace}/{row.claim.name} when it is deleted: set the reclaim policy to Retain"
    return Fix(text, command_line(change, volume), Effect.CHANGES, changes=ref(volume))
