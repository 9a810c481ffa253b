"""What an object's own status states: its conditions, wherever they stand, and whether its controller leaves it alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.kinds.meta import KubernetesObject

DEEPEST = 4
"""How many fields below the status conditions are looked for."""
RECORDS = compiled_later(r"[hH]istor|^last|^previous|^deprecated$|^steps$|^nodes$")
"""Fields that hold what was, or the course of a run."""
PLAIN_NAME = compiled_later(r"[A-Za-z0-9_]+")
"""Names that the path of a quote can hold."""
_PAUSED = frozenset({"paused", "pause", "suspend", "suspended", "pause-reconciliation", "paused-replicas"})
_PAUSES = ("Paused", "Suspended", "ReconciliationPaused")


class StatedCondition(msgspec.Struct, frozen=True):
    """A condition as an object states it. `status`: empty where the kind has conditions without it. `since`: None where
    it does not say. `place`: the part of the object that it is about (`listener https`), empty for the whole. `earlier`:
    its controller has not handled the newest spec yet."""

    type: str
    status: str
    reason: str
    message: str
    since: datetime | None
    path: str = ""
    place: str = ""
    earlier: bool = False


def suspended(obj: KubernetesObject) -> bool:
    """Its spec, an annotation or a condition says that its controller leaves it alone."""
    spec = getattr(obj, "spec", None)
    if isinstance(spec, dict) and any(spec.get(name) is True for name in ("suspend", "suspended", "paused", "pause")):
        return True
    marks = obj.metadata.annotations or {}
    if any(key.rpartition("/")[2] in _PAUSED and value.lower() not in ("false", "") for key, value in marks.items()):
        return True
    stated = stated_conditions(obj)
    return any(name in stated and stated[name].status == "True" for name in _PAUSES)


def stated_conditions(obj: KubernetesObject) -> dict[str, StatedCondition]:
    """The conditions of the whole object by type; the first of a type counts. Empty where the field is not a list of
    conditions."""
    conditions: dict[str, StatedCondition] = {}
    for stated in _listed(obj, _member(getattr(obj, "status", None), "conditions"), "status.conditions", ""):
        conditions.setdefault(stated.type, stated)
    return conditions


def every_condition(obj: KubernetesObject) -> Iterator[StatedCondition]:
    """The conditions wherever in the status they stand: of the whole object, of its parts (`listeners`), and by what it
    belongs to (`parents`)."""
    status = getattr(obj, "status", None)
    yield from _listed(obj, _member(status, "conditions"), "status.conditions", "")
    if isinstance(status, dict):
        yield from _nested(obj, status, "status", "", DEEPEST)


def _nested(
    obj: KubernetesObject, value: Mapping[str, object], path: str, place: str, depth: int
) -> Iterator[StatedCondition]:
    for key, member in value.items():
        if key == "conditions" or not depth or RECORDS.search(key) or not PLAIN_NAME.fullmatch(key):
            continue
        if isinstance(member, dict):
            parts = [(member, f"{path}.{key}", place)]
        elif isinstance(member, list):
            parts = [
                (part, f"{path}.{key}[{_index(part, number)}]", _place(key, part) or place)
                for number, part in enumerate(member)
                if isinstance(part, dict)
            ]
        else:
            continue
        for part, where, named in parts:
            yield from _listed(obj, part.get("conditions"), f"{where}.conditions", named)
            yield from _nested(obj, part, where, named, depth - 1)


def _index(part: Mapping[str, object], number: int) -> str:
    name = part.get("name")
    return f"name={name}" if isinstance(name, str) and name and "]" not in name else str(number)


def _place(key: str, part: Mapping[str, object]) -> str:
    """`listener https`; `parent infra/web` by the reference that a part holds."""
    word = key[:-1] if key.endswith("s") else key
    reference = next((part[name] for name in (f"{word}Ref", "ref") if isinstance(part.get(name), dict)), None)
    if isinstance(reference, dict):
        names = (reference.get("namespace"), reference.get("name"))
        return " ".join((word, "/".join(name for name in names if isinstance(name, str) and name))).strip()
    name = part.get("name")
    return f"{word} {name}" if isinstance(name, str) and name else ""


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)


def _listed(obj: KubernetesObject, listed: object, path: str, place: str) -> Iterator[StatedCondition]:
    for entry in listed if isinstance(listed, list | tuple) else ():
        if isinstance(entry, dict):
            text = {key: value for key, value in entry.items() if isinstance(value, str)}
            type_, status, reason, message = (text.get(key, "") for key in ("type", "status", "reason", "message"))
            since, observed = moment(text.get("lastTransitionTime", "")), entry.get("observedGeneration")
            if not type_ or (not status and "status" in entry):
                continue
        elif hasattr(entry, "last_transition_time"):
            type_, status, reason, message = entry.type, entry.status, entry.reason, entry.message
            since, observed = entry.last_transition_time, getattr(entry, "observed_generation", 0)
        else:
            return
        earlier = isinstance(observed, int) and 0 < observed < obj.metadata.generation
        yield StatedCondition(type_, status, reason, message, since, f"{path}[type={type_}]", place, earlier)


def moment(text: str) -> datetime | None:
    """A time that an object writes as text; None if it is none, or has no time zone."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo is not None else None
