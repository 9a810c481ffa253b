"""Trouble that an extension's object states outside of conditions: a state, a phase, a health, an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from kubedoctor.cluster.kinds.meta import CustomResource, KubernetesObject, OwnerReference
from kubedoctor.cluster.kinds.references import Ref, kind_name
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.replay.status.conditions import bad_conditions
from kubedoctor.replay.status.stated import PLAIN_NAME, RECORDS, moment, stated_conditions
from kubedoctor.replay.status.vocabulary import (
    PROGRESS,
    SOON,
    STATE_FIELD,
    is_bad_state,
    is_ended_state,
    is_waiting_state,
)

LATELY = timedelta(hours=1)
"""An attempt that failed longer ago, and that nothing replaces, is only a record."""
_DEEPEST = 2
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)
_MOST_MAKERS = 4
"""How far the objects that made an object are followed: Challenge, Order, CertificateRequest, Certificate."""
_EXPLANATIONS = ("message", "statusMessage", "reason", "failureMessage", "errorMessage", "error")
_ERRORS = ("error", "errorMessage", "failureMessage", "failureReason")
_ENDS = ("completionTime", "completionTimestamp", "failureTime", "finishedAt", "endTime", "stoppedAt")


class BadState(msgspec.Struct, frozen=True):
    """A field that states trouble. `field`: as people say it (`health`); `path`: where it stands. `explained`: the paths
    of the sentences that explain it."""

    field: str
    word: str
    path: str
    explained: tuple[str, ...]


def bad_states(obj: CustomResource, now: datetime) -> Iterator[BadState]:
    """The states that mean trouble, at once; a state of waiting only where the object says why it waits."""
    status, created = obj.status or {}, obj.metadata.creation_timestamp
    if created is not None and now - created < SOON:
        return
    for state in _states(status, "status", _DEEPEST):
        if not _is_rebuilt(state, status, now):
            yield state
    if status.get("readyToUse") is not True:
        for name in _ERRORS:
            if sentence := _sentence(status, "status", name):
                yield BadState(name, "", sentence, (sentence,))
                break
    for name in ("state", "phase"):
        word, old = status.get(name), created is not None and now - created > PROGRESS
        if isinstance(word, str) and is_waiting_state(word) and old and (explained := _explained(status, "status")):
            yield BadState(name, word, f"status.{name}", explained)


def _is_rebuilt(state: BadState, status: Mapping[str, object], now: datetime) -> bool:
    """A volume of Longhorn serves while a replica is built again, for minutes (`longhorn-manager`, lastDegradedAt, 1.3)."""
    since = status.get("lastDegradedAt") if state.path == "status.robustness" and state.word == "degraded" else None
    at = moment(since) if isinstance(since, str) else None
    return at is not None and now - at < LATELY


def states_trouble(obj: CustomResource) -> bool:
    """Whether its status states trouble, of whatever age."""
    return bool(obj.status) and (any(bad_conditions(obj)) or any(bad_states(obj, _END_OF_TIME)))


def _states(part: Mapping[str, object], path: str, depth: int) -> Iterator[BadState]:
    for key, value in part.items():
        if RECORDS.search(key) or not PLAIN_NAME.fullmatch(key):
            continue
        if isinstance(value, dict) and depth and not _is_past(key, part):
            yield from _states(value, f"{path}.{key}", depth - 1)
        elif isinstance(value, str) and STATE_FIELD.fullmatch(key) and _is_bad(path, key, value):
            where = f"{path}.{key}"
            field = where.removeprefix("status.").removesuffix(".status")
            yield BadState(field, value, where, _explained(part, path) or _of_a_part(part, path))


def _is_bad(path: str, key: str, value: str) -> bool:
    # Argo CD cannot tell: it could not compare, or could not read the cluster.
    unknown = value == "Unknown" and key == "status" and path in ("status.sync", "status.health")
    return unknown or is_bad_state(value)


def _is_past(key: str, status: Mapping[str, object]) -> bool:
    """A failed operation of Argo CD after which the application was synced in another way."""
    sync = status.get("sync")
    return key == "operationState" and isinstance(sync, dict) and sync.get("status") == "Synced"


def _explained(part: Mapping[str, object], path: str) -> tuple[str, ...]:
    found = (_sentence(part, path, name) for name in _EXPLANATIONS)
    return tuple(dict.fromkeys(filter(None, found)))[:1]


def _sentence(part: Mapping[str, object], path: str, name: str) -> str:
    """The path of a text, or of the message of an error; empty where there is none."""
    value = part.get(name)
    if isinstance(value, str) and len(value) > 1 and value.lower() not in ("none", "null", "false", "ok", "no error"):
        return f"{path}.{name}"
    inner = value.get("message") if isinstance(value, dict) else None
    return f"{path}.{name}.message" if isinstance(inner, str) and inner else ""


def _of_a_part(part: Mapping[str, object], path: str) -> tuple[str, ...]:
    """The trace of a failed task of a connector."""
    return (f"{path}.trace",) if isinstance(part.get("trace"), str) else ()


def ended_at(obj: CustomResource) -> datetime | None:
    """When an attempt (a request, a backup, a run of a pipeline) ended; None for what has no end."""
    status = obj.status or {}
    times = (moment(value) for name in _ENDS if isinstance(value := status.get(name), str))
    return next((time for time in times if time is not None), None)


def is_past(obj: CustomResource, snapshot: Snapshot, depth: int = _MOST_MAKERS) -> bool:
    """Whether the object is the record of an attempt that counts no more: another one came later, what it was for is
    well or counts no more itself, or it ended long ago."""
    ended, status = ended_at(obj), obj.status or {}
    states = (status.get(name) for name in ("state", "phase"))
    if ended is None and not any(isinstance(word, str) and is_ended_state(word) for word in states):
        return False
    owners = obj.metadata.owner_references or ()
    if any(_is_well(owner, obj, snapshot) for owner in owners) or _has_later_sibling(obj, snapshot):
        return True
    makers = [maker for owner in owners if (maker := _owner(owner, obj, snapshot)) is not None]
    if depth and any(isinstance(maker, CustomResource) and is_past(maker, snapshot, depth - 1) for maker in makers):
        return True
    return ended is not None and not makers and snapshot.taken_at - ended > LATELY


def _owner(owner: OwnerReference, obj: KubernetesObject, snapshot: Snapshot) -> KubernetesObject | None:
    group = owner.api_version.rpartition("/")[0]
    names = (owner.kind, f"{owner.kind}.{group}")
    places = (obj.metadata.namespace, "")
    found = (snapshot.get(Ref(kind, place, owner.name)) for kind in names for place in places)
    return next((candidate for candidate in found if candidate is not None), None)


def _is_well(owner: OwnerReference, obj: KubernetesObject, snapshot: Snapshot) -> bool:
    found = _owner(owner, obj, snapshot)
    if found is None or any(bad_conditions(found)):
        return False
    stated = stated_conditions(found)
    return any(name in stated and stated[name].status == "True" for name in ("Ready", "Available", "Healthy"))


def _has_later_sibling(obj: CustomResource, snapshot: Snapshot) -> bool:
    mine = {(owner.kind, owner.name) for owner in obj.metadata.owner_references or ()}
    created = obj.metadata.creation_timestamp
    if not mine or created is None:
        return False
    for other in snapshot.of_kind(kind_name(obj), obj.metadata.namespace):
        later = other.metadata.creation_timestamp
        shared = mine & {(owner.kind, owner.name) for owner in other.metadata.owner_references or ()}
        if shared and later is not None and later > created:
            return True
    return False
