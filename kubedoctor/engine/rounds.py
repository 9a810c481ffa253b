"""Reads in rounds: missing objects are fetched, then the read is repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.seen.wants import CannotSee, Gap, LogWant, NotCollected, Want
from kubedoctor.engine.examination import MOST_ROUNDS, Gather

T = TypeVar("T")


class Reading(msgspec.Struct, Generic[T], frozen=True):
    """The result of a read, its gaps, and the number of rounds of fetching."""

    answer: T
    gaps: tuple[Gap, ...]
    rounds: int


def read_in_rounds(read: Callable[[Cluster], T], snapshot: Snapshot, gather: Gather) -> Reading[T]:
    """Call `read` until nothing is missing. CannotSee is passed on; it is also raised after too many rounds."""
    missing: tuple[Want | LogWant, ...] = ()
    for rounds in range(MOST_ROUNDS):
        cluster = Cluster(snapshot)
        try:
            return Reading(read(cluster), tuple(sorted(cluster.gaps)), rounds)
        except NotCollected as more:
            missing = more.wants
            gather(frozenset(missing))
    kinds = sorted({want.kind if isinstance(want, Want) else "Log" for want in missing})
    raise CannotSee(", ".join(kinds), f"not fetched after {MOST_ROUNDS} rounds")
