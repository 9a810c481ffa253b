"""What a claim that has no volume waits for (`pkg/controller/volume/persistentvolume/pv_controller.go
syncUnboundClaim`, v1.37)."""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec

from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim, StorageClass
from kubedoctor.replay.storage.defaults import default_classes
from kubedoctor.replay.storage.matching import Mismatch, Rejection, class_of, rejection, rejections, reserved_for

SELECTED_NODE = "volume.kubernetes.io/selected-node"
"""Set by the scheduler when it has placed a pod for which a volume must be provisioned."""
NOT_ASKED_BY_NAME = frozenset({Mismatch.SELECTOR, Mismatch.NOT_AVAILABLE})
"""A claim that requests a volume by name gets it regardless of labels and phase (`checkVolumeSatisfyClaim`)."""


class Awaited(enum.Enum):
    """What the claim waits for.

    BINDING: nothing, a volume fits. NAMED_VOLUME: the volume that it names does not exist or does not fit.
    DEFAULT_CLASS: the default class is about to be set. ANY_CLASS: it names no class, and none is the default. NAMED_CLASS:
    its class does not exist. FIRST_POD: its class waits for a pod that is placed. VOLUME: nothing provisions volumes for it.
    PROVISIONER: the provisioner of its class.
    """

    BINDING = enum.auto()
    NAMED_VOLUME = enum.auto()
    DEFAULT_CLASS = enum.auto()
    ANY_CLASS = enum.auto()
    NAMED_CLASS = enum.auto()
    FIRST_POD = enum.auto()
    VOLUME = enum.auto()
    PROVISIONER = enum.auto()


class Unbound(msgspec.Struct, frozen=True):
    """The state of a claim. `judged`: the reasons against each volume, the closest match first; for a claim that
    requests a volume by name only that volume."""

    awaits: Awaited
    judged: tuple[Rejection, ...] = ()
    storage_class: StorageClass | None = None

    @property
    def fits(self) -> bool:
        """Whether a volume fits the claim."""
        return any(not judged.reasons for judged in self.judged)


def unbound(
    claim: PersistentVolumeClaim, volumes: Iterable[PersistentVolume], classes: Iterable[StorageClass]
) -> Unbound:
    """The controller's decision about a claim that is not bound."""
    if claim.spec.volume_name:
        return _by_name(claim, volumes)
    name = class_of(claim)
    storage_class = next((candidate for candidate in classes if name and candidate.name == name), None)
    delayed = storage_class is not None and storage_class.waits_for_first_consumer
    judged = rejections(claim, volumes)
    if any(not rejected.reasons and (not delayed or reserved_for(rejected.volume, claim)) for rejected in judged):
        awaits = Awaited.BINDING
    elif name is None:
        awaits = Awaited.DEFAULT_CLASS if default_classes(classes) else Awaited.ANY_CLASS
    elif delayed and SELECTED_NODE not in claim.annotations:
        awaits = Awaited.FIRST_POD
    elif name and storage_class is None:
        awaits = Awaited.NAMED_CLASS
    elif storage_class is None or not storage_class.makes_volumes:
        awaits = Awaited.VOLUME
    else:
        awaits = Awaited.PROVISIONER
    return Unbound(awaits, judged, storage_class)


def _by_name(claim: PersistentVolumeClaim, volumes: Iterable[PersistentVolume]) -> Unbound:
    volume = next((candidate for candidate in volumes if candidate.name == claim.spec.volume_name), None)
    if volume is None:
        return Unbound(Awaited.NAMED_VOLUME)
    reasons: tuple[Mismatch, ...] = ()
    if not reserved_for(volume, claim):  # A volume that in turn names the claim is bound without further checks.
        reasons = tuple(reason for reason in rejection(claim, volume).reasons if reason not in NOT_ASKED_BY_NAME)
    return Unbound(Awaited.NAMED_VOLUME if reasons else Awaited.BINDING, (Rejection(volume, reasons),))
