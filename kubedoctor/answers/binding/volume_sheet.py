"""A volume as a sheet: who holds it, what becomes of it, and which pending claims it would serve."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from kubedoctor.answers.binding.claim_fixes import binds, may_be_released
from kubedoctor.answers.binding.claim_sheet import attachment_table
from kubedoctor.answers.binding.objections import COLUMNS, short
from kubedoctor.answers.binding.places import attachments_of, place_of, user_links
from kubedoctor.answers.placement.fixing.claims import release_volume
from kubedoctor.answers.proof import prove, proven
from kubedoctor.answers.sheet import Cell, Conclusion, Fact, Link, Mark, Sheet, SheetRow, Table
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim, StorageClass
from kubedoctor.cluster.relations.claims import pods_mounting
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.findings.commands import command_line
from kubedoctor.findings.model import Command, Effect, Fix
from kubedoctor.replay.storage.binding import pending
from kubedoctor.replay.storage.controller import VolumeStep, holder, synced_volume
from kubedoctor.replay.storage.matching import Mismatch, Rejection, rejection

_MOST: Final = 20


def volume_sheet(subject: Ref, cluster: Cluster) -> Sheet:
    """The whole answer."""
    cluster.together(
        lambda: cluster.get(PersistentVolume, "", subject.name),
        lambda: cluster.all(PersistentVolumeClaim),
        lambda: cluster.all(StorageClass),
    )
    volume = cluster.get(PersistentVolume, "", subject.name)
    if volume is None:
        return Sheet(subject.title, "does not exist", Conclusion.UNKNOWN)
    claims = cluster.all(PersistentVolumeClaim)
    claim = holder(volume, claims)
    step = synced_volume(volume, claims, cluster.maybe.all(Pod, claim.namespace) if claim is not None else ())
    judged = sorted(
        ((one, rejection(one, volume)) for one in claims if pending(one) and one is not claim),
        key=lambda pair: (len(pair[1].reasons), pair[0].namespace, pair[0].name),
    )[:_MOST]
    verdict, conclusion = _verdict(volume, claim, step)
    attachments = attachments_of(volume, cluster)
    users = pods_mounting(claim, cluster.maybe) if claim is not None else ()
    return Sheet(
        title=subject.title,
        verdict=verdict,
        conclusion=conclusion,
        facts=tuple(_facts(volume, step)),
        tables=(*_claims_table(judged), *attachment_table(attachments)),
        chain=(
            Link(f"{subject.title} ({place_of(volume)})", about=subject),
            *((Link(ref(claim).title, about=ref(claim)),) if claim is not None else ()),
            *user_links(users),
        ),
        fixes=tuple(_fixes(volume, claim, judged, cluster)),
        next=(Command(subject.describe_command, "the volume and its events"),),
        data={
            "volume": subject,
            "phase": step.phase or volume.status.phase,
            "claim": ref(claim) if claim is not None else None,
            "reclaim_policy": volume.spec.persistent_volume_reclaim_policy,
            "attached_to": [one.spec.node_name for one in attachments],
            "claims": [
                {"claim": ref(one), "against": [reason.name.lower() for reason in found.reasons]}
                for one, found in judged
            ],
        },
    )


def _verdict(volume: PersistentVolume, claim: PersistentVolumeClaim | None, step: VolumeStep) -> tuple[str, Conclusion]:
    held, phase = volume.spec.claim_ref, step.phase or volume.status.phase
    if phase == "Failed":
        why = volume.status.message or (step.event.message if step.event is not None else "")
        return f"is Failed: it was not reclaimed{f': {why}' if why else ''}", Conclusion.TROUBLE
    if held is None:
        return "is free: any claim that matches it gets it", Conclusion.WELL
    name = f"{held.namespace}/{held.name}"
    if claim is None and held.uid:
        kept = volume.spec.persistent_volume_reclaim_policy == "Retain"
        ends = (
            "its data is kept, and no claim gets it before its claimRef is removed" if kept else "its driver deletes it"
        )
        return f"is Released: claim {name} (uid {held.uid}) was deleted; {ends}", Conclusion.WELL
    if claim is None:
        return f"is reserved for claim {name}, which does not exist", Conclusion.WELL
    if step.event is not None:
        return f"is not bound to claim {name}: {step.event.message}", Conclusion.TROUBLE
    if claim.spec.volume_name and claim.spec.volume_name != volume.name:
        return f"is reserved for claim {name}, which is bound to {claim.spec.volume_name}", Conclusion.TROUBLE
    if not claim.spec.volume_name:
        return f"is reserved for claim {name}", Conclusion.WELL
    return f"is bound to claim {name}", Conclusion.WELL


def _facts(volume: PersistentVolume, step: VolumeStep) -> Iterator[Fact]:
    spec = volume.spec
    size, modes = (spec.capacity or {}).get("storage", ""), ", ".join(spec.access_modes or ())
    yield Fact("volume", ", ".join(part for part in (size, modes, spec.volume_mode or "Filesystem") if part))
    if spec.csi is not None:
        yield Fact("driver", f"{spec.csi.driver}, handle {spec.csi.volume_handle}")
    policy = spec.persistent_volume_reclaim_policy
    if policy == "Delete":
        yield Fact("reclaim", "Delete: the data is lost when its claim is deleted")
    elif policy:
        yield Fact("reclaim", f"{policy}: the data stays when its claim is deleted" if policy == "Retain" else policy)
    if step.event is not None:
        yield Fact("controller", f"{step.event.reason}: {step.event.message}")


def _claims_table(judged: list[tuple[PersistentVolumeClaim, Rejection]]) -> Iterator[Table]:
    columns = [(title, about) for title, about in COLUMNS if any(set(about) & set(one.reasons) for _, one in judged)]
    rows = []
    for claim, found in judged:
        cells = []
        for _, about in columns:
            wrong = [short(claim, found.volume, reason) for reason in found.reasons if reason in about]
            cells.append(Cell("; ".join(wrong), Mark.NO) if wrong else Cell(mark=Mark.YES))
        name = Cell(f"{claim.namespace}/{claim.name}", Mark.NONE if found.reasons else Mark.YES)
        rows.append(SheetRow((name, *cells), about=ref(claim)))
    if rows:
        yield Table(("claim", *(title for title, _ in columns)), tuple(rows), "Pending claims, closest match first")


def _fixes(
    volume: PersistentVolume,
    claim: PersistentVolumeClaim | None,
    judged: list[tuple[PersistentVolumeClaim, Rejection]],
    cluster: Cluster,
) -> Iterator[Fix]:
    """Only for a volume that a pending claim waits for: a Released volume keeps data that somebody may need."""
    if claim is not None or not may_be_released(volume, cluster):
        return
    for wanting, found in judged:
        if found.reasons in ((Mismatch.RELEASED,), (Mismatch.RESERVED,)):
            change = release_volume(ref(volume))
            text = f"Remove its claimRef: claim {wanting.namespace}/{wanting.name} then gets it with its data, and its pods can overwrite it"
            fix = Fix(text, command_line(change), Effect.CHANGES, changes=ref(volume))
            yield proven(fix, prove(change, cluster, partial(binds, wanting)))
            return
