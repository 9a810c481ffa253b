"""A claim as a sheet: the volume that it has or gets, and what keeps every other volume from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubedoctor.answers.binding.claim_fixes import claim_fixes
from kubedoctor.answers.binding.objections import COLUMNS, objections, short
from kubedoctor.answers.binding.places import attachments_of, place_of, user_links
from kubedoctor.answers.sheet import Cell, Conclusion, Fact, Link, Mark, Sheet, SheetRow, Table
from kubedoctor.cluster.grammar.selectors import SelectorError
from kubedoctor.cluster.grammar.text import counted, listed
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim, StorageClass, VolumeAttachment
from kubedoctor.cluster.relations.claims import pods_mounting
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.findings.commands import kubectl
from kubedoctor.findings.model import Command
from kubedoctor.replay.storage.binding import BIND_COMPLETED, possible_volumes
from kubedoctor.replay.storage.controller import ClaimStep, synced_claim
from kubedoctor.replay.storage.defaults import default_classes
from kubedoctor.replay.storage.matching import Rejection, class_of
from kubedoctor.replay.storage.unbound import Awaited, Unbound, unbound

_SHOWN: Final = 3


def claim_sheet(subject: Ref, cluster: Cluster) -> Sheet:
    """The whole answer."""
    cluster.together(
        lambda: cluster.get(PersistentVolumeClaim, subject.namespace, subject.name),
        lambda: cluster.all(PersistentVolume),
        lambda: cluster.all(StorageClass),
        lambda: cluster.maybe.all(Pod, subject.namespace),
    )
    claim = cluster.get(PersistentVolumeClaim, subject.namespace, subject.name)
    if claim is None:
        return Sheet(subject.title, "does not exist", Conclusion.UNKNOWN)
    volumes, classes = cluster.all(PersistentVolume), cluster.all(StorageClass)
    try:
        step = synced_claim(claim, volumes, classes, cluster.maybe.all(Pod, claim.namespace))
    except SelectorError as error:
        return Sheet(subject.title, f"matches no volume: its selector is not valid: {error}", Conclusion.TROUBLE)
    if BIND_COMPLETED in claim.annotations or claim.status.phase in ("Bound", "Lost"):
        return _bound(claim, step, cluster)
    return _pending(claim, step, unbound(claim, volumes, classes), cluster)


def _pending(claim: PersistentVolumeClaim, step: ClaimStep, state: Unbound, cluster: Cluster) -> Sheet:
    users = pods_mounting(claim, cluster.maybe)
    verdict, conclusion = _verdict(claim, step, state, bool(users))
    return Sheet(
        title=ref(claim).title,
        verdict=verdict,
        conclusion=conclusion,
        facts=tuple(_facts(claim, step, state, cluster)),
        tables=tuple(volumes_table(claim, state.judged)),
        fixes=tuple(claim_fixes(claim, state, cluster)) if conclusion is Conclusion.TROUBLE else (),
        next=(
            Command(ref(claim).describe_command, "its events, unless they have expired"),
            Command("kubectl get storageclass,pv", "the classes and volumes of the cluster"),
        ),
        data=_data(claim, step, state),
    )


def _verdict(claim: PersistentVolumeClaim, step: ClaimStep, state: Unbound, used: bool) -> tuple[str, Conclusion]:
    name, own = class_of(claim), state.storage_class
    by_hand = own is not None and not own.makes_volumes
    none = "no existing volume matches"
    match state.awaits:
        case Awaited.BINDING:
            text = f"gets PersistentVolume {step.volume.name}" if step.volume is not None else "gets a volume"
            return f"{text}: the volume controller binds it at its next look", Conclusion.WELL
        case Awaited.NAMED_VOLUME:
            wanted = claim.spec.volume_name
            if not state.judged:
                return f"is not bound: PersistentVolume {wanted}, which it requests by name, does not exist", _TROUBLE
            return f"is not bound: PersistentVolume {wanted} {objections(claim, state.judged[0])}", _TROUBLE
        case Awaited.DEFAULT_CLASS:
            return f"is about to get the default class {step.storage_class}", Conclusion.WELL
        case Awaited.ANY_CLASS:
            return f"is not bound: it sets no class, no class is the default, and {none}", _TROUBLE
        case Awaited.NAMED_CLASS:
            return f"is not bound: its class {name} does not exist, and {none}", _TROUBLE
        case Awaited.FIRST_POD if not used:
            return f"waits for its first pod (class {name}: WaitForFirstConsumer)", Conclusion.WELL
        case Awaited.FIRST_POD if by_hand and not state.fits:
            return f"is not bound: {none}, and class {name} provisions none", _TROUBLE
        case Awaited.FIRST_POD:
            return f"waits until its pod is scheduled (class {name}: WaitForFirstConsumer)", Conclusion.UNKNOWN
        case Awaited.VOLUME:
            source = f"class {name} provisions none" if name else "it requests no class"
            return f"is not bound: {none}, and {source}", _TROUBLE
        case Awaited.PROVISIONER:
            driver = own.provisioner if own is not None else "its provisioner"
            return f"waits for a volume that {driver} has to create (class {name})", Conclusion.UNKNOWN


_TROUBLE: Final = Conclusion.TROUBLE


def _facts(claim: PersistentVolumeClaim, step: ClaimStep, state: Unbound, cluster: Cluster) -> Iterator[Fact]:
    if step.event is not None:
        yield Fact("controller", f"{step.event.reason}: {step.event.message}")
    own = state.storage_class
    if own is not None:
        mode = own.volume_binding_mode or "no volumeBindingMode"
        yield Fact("class", f"{own.name}: {own.provisioner or 'no provisioner'}, {mode}")
    elif class_of(claim) == "":
        yield Fact("class", "the empty class: only existing volumes without a class count, no default class")
    defaults = default_classes(cluster.all(StorageClass))
    if class_of(claim) is None and len(defaults) > 1:
        names = listed((one.name for one in defaults), _SHOWN)
        yield Fact(
            "class", f"{len(defaults)} classes are the default ({names}): the newest is used, {defaults[0].name}"
        )
    if state.awaits is Awaited.BINDING and not claim.spec.volume_name:
        delayed = own is not None and own.waits_for_first_consumer
        choices = possible_volumes(claim, cluster.all(PersistentVolume), delayed=delayed)
        if len(choices) > 1:
            yield Fact(
                "choice", f"any of {listed((one.name for one in choices), _SHOWN)}: the controller takes one at random"
            )
    users = pods_mounting(claim, cluster.maybe)
    if users:
        yield Fact(
            "pods",
            f"{counted(len(users), 'pod')} {'waits' if len(users) == 1 else 'wait'}: {listed((pod.name for pod in users), _SHOWN)}",
        )


def volumes_table(claim: PersistentVolumeClaim, judged: tuple[Rejection, ...]) -> Iterator[Table]:
    """Every volume, the nearest first, with a column for everything that keeps a volume from the claim."""
    columns = [(title, about) for title, about in COLUMNS if any(set(about) & set(one.reasons) for one in judged)]
    rows = tuple(_row(claim, rejection, columns) for rejection in judged)
    if rows:
        yield Table(("volume", *(title for title, _ in columns), "reached from"), rows, "Volumes, closest match first")


def _row(claim: PersistentVolumeClaim, rejection: Rejection, columns: Any) -> SheetRow:
    cells = []
    for _, about in columns:
        wrong = [reason for reason in rejection.reasons if reason in about]
        text = "; ".join(short(claim, rejection.volume, reason) for reason in wrong)
        cells.append(Cell(text, Mark.NO) if wrong else Cell(mark=Mark.YES))
    name = Cell(rejection.volume.name, Mark.NONE if rejection.reasons else Mark.YES)
    return SheetRow((name, *cells, Cell(place_of(rejection.volume))), about=ref(rejection.volume))


def _bound(claim: PersistentVolumeClaim, step: ClaimStep, cluster: Cluster) -> Sheet:
    volume = next((one for one in cluster.all(PersistentVolume) if one.name == claim.spec.volume_name), None)
    lost = step.phase == "Lost" or claim.status.phase == "Lost"
    if lost:
        held = volume.spec.claim_ref if volume is not None else None
        if held is not None:
            why = f"PersistentVolume {claim.spec.volume_name} belongs to claim {held.namespace}/{held.name} (uid {held.uid or 'none'})"
        elif claim.spec.volume_name:
            why = f"its PersistentVolume {claim.spec.volume_name} does not exist any more"
        else:
            why = "it names no PersistentVolume any more"
        verdict = f"is Lost: {why}"
    else:
        verdict = f"is bound to PersistentVolume {claim.spec.volume_name}"
    attachments = attachments_of(volume, cluster) if volume is not None else ()
    return Sheet(
        title=ref(claim).title,
        verdict=verdict,
        conclusion=_TROUBLE if lost else Conclusion.WELL,
        facts=tuple(_bound_facts(claim, volume, step)),
        tables=tuple(attachment_table(attachments)),
        chain=(
            Link(ref(claim).title, about=ref(claim)),
            *((Link(f"{ref(volume).title} ({place_of(volume)})", about=ref(volume)),) if volume is not None else ()),
            *user_links(pods_mounting(claim, cluster.maybe)),
        ),
        next=(
            Command(ref(claim).describe_command, "its events, unless they have expired"),
            *((Command(kubectl("get", "volumeattachments"), "where volumes are attached"),) if attachments else ()),
        ),
        data={
            "claim": ref(claim),
            "phase": step.phase or claim.status.phase,
            "volume": claim.spec.volume_name or None,
            "attached_to": [one.spec.node_name for one in attachments],
        },
    )


def _bound_facts(claim: PersistentVolumeClaim, volume: PersistentVolume | None, step: ClaimStep) -> Iterator[Fact]:
    if step.event is not None:
        yield Fact("controller", f"{step.event.reason}: {step.event.message}")
    wanted = (claim.spec.resources.requests or {}).get("storage", "")
    has = (claim.status.capacity or {}).get("storage", "")
    if wanted and has:
        yield Fact("size", f"{has}" if wanted == has else f"{has}; {wanted} requested")
    if volume is not None and volume.spec.persistent_volume_reclaim_policy:
        policy = volume.spec.persistent_volume_reclaim_policy
        ends = (
            "volume and data are deleted with the claim"
            if policy == "Delete"
            else "volume and data stay when the claim is deleted"
        )
        yield Fact("reclaim", f"{policy}: {ends}")


def attachment_table(attachments: tuple[VolumeAttachment, ...]) -> Iterator[Table]:
    """Where the volume is attached, and what fails there."""
    rows = []
    for one in attachments:
        errors = [error.message for error in (one.status.attach_error, one.status.detach_error) if error is not None]
        attached = Cell("attached", Mark.YES) if one.status.attached else Cell("not attached", Mark.NO)
        node = Ref("Node", "", one.spec.node_name)
        rows.append(SheetRow((Cell(one.spec.node_name), attached, Cell("; ".join(errors))), about=node))
    if rows:
        yield Table(("node", "state", "error"), tuple(rows), "Attachments")


def _data(claim: PersistentVolumeClaim, step: ClaimStep, state: Unbound) -> dict[str, Any]:
    """The contract for machines."""
    return {
        "claim": ref(claim),
        "phase": step.phase or claim.status.phase,
        "awaits": state.awaits.name.lower(),
        "class": class_of(claim),
        "volume": step.volume.name if step.volume is not None else None,
        "event": {"type": step.event.type, "reason": step.event.reason, "message": step.event.message}
        if step.event is not None
        else None,
        "volumes": [
            {"volume": one.volume.name, "against": [reason.name.lower() for reason in one.reasons]}
            for one in state.judged
        ],
    }
