"""Leases that nodes and components renew as long as they run: in a recording that is served for a while they would seem to
have stopped at its moment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from kubedoctor.sandbox.exchange import Object

EVERY: Final = timedelta(seconds=10)
"""A kubelet and an API server renew their leases so often."""
_FORM: Final = "%Y-%m-%dT%H:%M:%S.%fZ"


def renewed_leases(objects: Iterable[Object]) -> frozenset[tuple[str, str]]:
    """Namespace and name of the leases that their holders still renewed when they were recorded: not older than the newest
    of all by more than two renewals."""
    times = {_key(obj): at for obj in objects if obj.get("kind") == "Lease" and (at := _renewed_at(obj)) is not None}
    newest = max(times.values(), default=None)
    return frozenset(key for key, at in times.items() if newest is not None and newest - at <= 2 * EVERY)


def renewed(lease: Object, now: datetime) -> Object | None:
    """The lease as its holder has renewed it last; None where that is not due."""
    at = _renewed_at(lease)
    times = (now - at) // EVERY if at is not None else 0
    if at is None or times < 1:
        return None
    return {**lease, "spec": {**lease["spec"], "renewTime": (at + times * EVERY).strftime(_FORM)}}


def _key(lease: Object) -> tuple[str, str]:
    return lease["metadata"].get("namespace", ""), lease["metadata"]["name"]


def _renewed_at(lease: Object) -> datetime | None:
    text = (lease.get("spec") or {}).get("renewTime")
    return datetime.fromisoformat(text) if text else None
