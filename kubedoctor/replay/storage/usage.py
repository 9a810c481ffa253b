"""How full the volume of a claim is, as the kubelet of a node measured it."""

from __future__ import annotations

from typing import Final, NamedTuple

from kubedoctor.cluster.kinds.storage import PersistentVolumeClaim
from kubedoctor.cluster.seen.wants import LogTail

LITTLE: Final = 0.03
"""The part that is left of a volume which counts as full: alerts in use warn of less than 3 % as critical."""


class VolumeUse(NamedTuple):
    """Of the file system that the volume is on. None: not measured. `line`: where it stands in the lines of the node."""

    line: int
    capacity: int | None = None
    available: int | None = None
    inodes: int | None = None
    inodes_free: int | None = None

    @property
    def space_left(self) -> float | None:
        """The part of the space that is available, 0 to 1."""
        return _part(self.available, self.capacity)

    @property
    def is_full(self) -> bool:
        """Next to no space is left, or no inode."""
        return (self.space_left is not None and self.space_left < LITTLE) or self.is_without_inodes

    @property
    def is_without_inodes(self) -> bool:
        return self.inodes_left is not None and self.inodes_left < LITTLE

    @property
    def inodes_left(self) -> float | None:
        """The part of the inodes that is free; None also for file systems that do not count them."""
        return _part(self.inodes_free, self.inodes)


def use_of(claim: PersistentVolumeClaim, tail: LogTail) -> VolumeUse | None:
    """tail: the volumes of a node, see `volumes_of_node`; None where the claim is not among them."""
    name = f"{claim.namespace}/{claim.name}"
    for index, line in enumerate(tail.lines):
        first, *words = line.split(" ")
        if first == name:
            told = dict(word.split("=", 1) for word in words if "=" in word)
            return VolumeUse(
                index,
                _number(told.get("capacityBytes")),
                _number(told.get("availableBytes")),
                _number(told.get("inodes")),
                _number(told.get("inodesFree")),
            )
    return None


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None


def _part(rest: int | None, whole: int | None) -> float | None:
    return rest / whole if rest is not None and whole else None
