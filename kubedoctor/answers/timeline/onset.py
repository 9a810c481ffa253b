"""Since when something is wrong, as far as the objects tell."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from kubedoctor.cluster.kinds.core import Event
from kubedoctor.cluster.kinds.meta import KubernetesObject, condition
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.quoting import Evidence
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.triage import all_statuses

_CONDITION: Final = "status.conditions[type="
_NEVER_READY: Final = timedelta(seconds=5)
"""A pod's first Ready condition is written this soon after its creation."""


class Basis(enum.Enum):
    """How the onset is known: it was never well since its creation; it was last well then; a controller reported it first
    then; it is true since then, and may be older (a container that keeps crashing is ready in between)."""

    NEVER_WELL = "never well"
    LAST_WELL = "last well"
    FIRST_REPORT = "first report"
    AT_LEAST = "at least"


class Onset(msgspec.Struct, frozen=True):
    """The moment, and how it is known."""

    at: datetime
    basis: Basis


def onset(about: Ref, affects: Iterable[Ref], evidence: Iterable[Evidence], snapshot: Snapshot) -> Onset | None:
    """Since when a finding is true; None where the objects do not tell. The age of an object counts only where it was
    never well.

    Pods tell best: the earliest that is still not ready. Then the conditions and events that the finding quotes.
    """
    pods = [pod for name in (about, *affects) if name.kind == "Pod" and isinstance(pod := snapshot.get(name), Pod)]
    if starts := [start for pod in pods if (start := _of_pod(pod)) is not None]:
        return min(starts, key=lambda start: start.at)
    stated = [start for fact in evidence if (start := _of_fact(fact, snapshot)) is not None]
    return min(stated, key=lambda start: start.at, default=None)


def _of_pod(pod: Pod) -> Onset | None:
    """A pod that is not ready: since it was last ready, or since its creation where it never was."""
    created = pod.metadata.creation_timestamp
    ready = condition(pod.status.conditions, "Ready")
    if ready is not None and ready.status == "True":
        return None
    changed = ready.last_transition_time if ready is not None else None
    if changed is None or created is None:
        return Onset(created, Basis.NEVER_WELL) if created is not None else None
    if changed - created <= _NEVER_READY:
        return Onset(created, Basis.NEVER_WELL)
    return Onset(changed, Basis.AT_LEAST if _restarted(pod) else Basis.LAST_WELL)


def _restarted(pod: Pod) -> bool:
    return any(status.restart_count for status in all_statuses(pod))


def _of_fact(fact: Evidence, snapshot: Snapshot) -> Onset | None:
    obj = snapshot.get(fact.object)
    if obj is None:
        return None
    if isinstance(obj, Event):
        first = obj.first_timestamp or obj.event_time or obj.metadata.creation_timestamp
        return Onset(first, Basis.FIRST_REPORT) if first is not None else None
    if fact.path.startswith(_CONDITION):
        return _of_condition(fact.path, obj)
    if fact.path == "status.phase" and fact.value == "Pending" and obj.metadata.creation_timestamp is not None:
        return Onset(obj.metadata.creation_timestamp, Basis.NEVER_WELL)
    return None


def _of_condition(path: str, obj: KubernetesObject) -> Onset | None:
    kind = path.removeprefix(_CONDITION).partition("]")[0]
    stated = condition(getattr(getattr(obj, "status", None), "conditions", None), kind)
    changed = stated.last_transition_time if stated is not None else None
    if changed is None:
        return None
    created = obj.metadata.creation_timestamp
    never = created is not None and changed - created <= _NEVER_READY
    return Onset(changed, Basis.NEVER_WELL if never else Basis.LAST_WELL)
