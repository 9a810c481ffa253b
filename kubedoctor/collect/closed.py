"""What all sources share that cannot fetch more than they have."""

from __future__ import annotations

from kubedoctor.cluster.seen.snapshot import NOT_HERE, Snapshot
from kubedoctor.cluster.seen.wants import LogWant, Want


def refuse_missing(snapshot: Snapshot, wants: frozenset[Want | LogWant], no_logs: str = NOT_HERE) -> None:
    """Refuse what is wanted and missing. no_logs: why there is no such log."""
    for want in wants:
        if isinstance(want, LogWant):
            if snapshot.refusal(want) in ("", NOT_HERE):
                snapshot.refuse(want, no_logs)
        elif not (snapshot.covers(want) or snapshot.limitation(want)):
            snapshot.refuse(want, snapshot.refusal(want) or NOT_HERE)
