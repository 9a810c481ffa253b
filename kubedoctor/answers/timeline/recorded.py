"""What a watch has recorded, in words: changes of fields, deletions, and events that the cluster has forgotten since."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, Final

import msgspec

from kubedoctor.answers.timeline.differences import FieldChange
from kubedoctor.answers.timeline.timeline_entry import TimelineEntry
from kubedoctor.cluster.grammar.text import listed, visible_end
from kubedoctor.cluster.history.object_changes import FieldDifference, ObjectChange, Place
from kubedoctor.cluster.history.ring import IncidentMark, RecordedChange, Ring
from kubedoctor.cluster.history.travelling import Stop, object_of
from kubedoctor.cluster.kinds.core import Event
from kubedoctor.cluster.kinds.references import Ref

MOST_FIELDS: Final = 4
MOST_LETTERS: Final = 240
SOON: Final = timedelta(seconds=15)
"""An incident is found by the next examination after the change that began it."""
_WANTED: Final = ("spec", "data", "webhooks", "rules", "roleRef", "subjects", "value", "parameters")
"""Fields by which people say what they want."""
_METADATA: Final = ("labels", "annotations", "finalizers", "deletionTimestamp")
_DERIVED: Final = ("Pod", "ReplicaSet", "EndpointSlice", "Event", "Lease", "PodMetrics", "NodeMetrics")
"""Kinds that controllers write: their fields follow from others."""
_WRITTEN: Final = ("deployment.kubernetes.io/", "control-plane.alpha.kubernetes.io/", "pv.kubernetes.io/")
"""Annotations of controllers."""


def wanted(entry: RecordedChange, change: ObjectChange) -> bool:
    """Whether somebody changed what is wanted, and not only what has become of it."""
    if entry.about.kind in _DERIVED:
        return False
    if change.added is not msgspec.UNSET or change.removed is not msgspec.UNSET:
        return True
    return any(_is_wanted(difference.path) for difference in change.fields)


def sentence(change: ObjectChange) -> str:
    """`image 1.4.2 → 2.0.0-rc1`, `created`, `Ready True → False`; empty where nothing is worth a word."""
    if change.added is not msgspec.UNSET:
        return "created"
    if change.removed is not msgspec.UNSET:
        return "deleted"
    fields = sorted(change.fields, key=lambda difference: not _is_wanted(difference.path))
    return listed([text for text in map(_text, fields) if text], MOST_FIELDS)


def recorded(ring: Ring, objects: Iterable[Ref]) -> Iterator[TimelineEntry]:
    """What happened to these objects, as far as their present state does not tell it."""
    names = frozenset(objects)
    for entry in ring.entries():
        if entry.about in names:
            change = entry.change
            if change.removed is not msgspec.UNSET:
                yield TimelineEntry(entry.at, entry.about, "deleted", change=entry.about.kind not in _DERIVED)
            elif wanted(entry, change) and change.added is msgspec.UNSET:
                yield TimelineEntry(entry.at, entry.about, f"changed: {sentence(change)}", change=True)
            else:
                yield from (TimelineEntry(entry.at, entry.about, text) for text in map(_became, change.fields) if text)
        elif entry.about.kind == "Event":
            yield from _forgotten(entry, names)
    for mark in ring.marks():
        if mark.about in names:
            yield TimelineEntry(mark.at, mark.about, told_mark(mark), bad=mark.began)


def told_mark(mark: IncidentMark) -> str:
    """That an incident began or ended."""
    return f"incident {'began' if mark.began else 'ended'}: {mark.summary} ({mark.code})"


def before_what(stop: Stop, ring: Ring) -> tuple[str, str]:
    """What happens next at a stop: what begins or changes, and the sentence about it. An incident first, then what somebody
    wants otherwise."""
    last = stop.entries[-1].at + SOON
    for mark in ring.marks():
        if stop.at < mark.at <= last:
            return ("before it broke" if mark.began else "before it recovered"), f"{mark.about.title}: {mark.summary}"
    changes = [(entry, entry.change) for entry in stop.entries]
    chosen = next((pair for pair in changes if wanted(*pair)), None)
    chosen = chosen or next((pair for pair in changes if pair[0].about.kind != "Event"), changes[0])
    text = sentence(chosen[1]) or "status changed"
    others = len({entry.about for entry in stop.entries}) - 1
    more = f" (and {others} more {'object' if others == 1 else 'objects'})" if others else ""
    return "before", f"{chosen[0].about.title}: {text}{more}"


def _forgotten(entry: RecordedChange, names: frozenset[Ref]) -> Iterator[TimelineEntry]:
    """An event that was deleted: the cluster keeps them for an hour."""
    removed = entry.change.removed
    event = object_of(entry.about, removed) if removed is not msgspec.UNSET else None
    if isinstance(event, Event) and event.seen_at is not None:
        about = event.involved_object
        name = next((name for name in names if (name.kind, name.name) == (about.kind, about.name)), None)
        if name is not None and name.namespace in ("", about.namespace):
            text = f"{event.reason}: {visible_end(event.message, MOST_LETTERS)}"
            yield TimelineEntry(event.seen_at, name, text, bad=event.type == "Warning")


def _is_wanted(path: Place) -> bool:
    if path[0] == "metadata":
        return path[1] in _METADATA and not str(path[-1]).startswith(_WRITTEN)
    return path[0] in _WANTED


def _text(difference: FieldDifference) -> str:
    if not _is_wanted(difference.path):
        return _became(difference) or _counted(difference)
    path = _path(difference.path).removeprefix("spec.template.")
    return FieldChange(path, _value(difference.old), _value(difference.new)).text


def _became(difference: FieldDifference) -> str:
    """Conditions that turned, and containers that restarted."""
    path = difference.path
    if path[:2] == ("status", "conditions") and path[-1] == "status":
        return f"{_name(path[2])} became {difference.new}"
    if path[-1] == "restartCount" and isinstance(difference.new, int) and difference.new:
        return f"container `{_name(path[2])}` restarted ({difference.new} restarts)"
    if path == ("status", "phase"):
        return f"phase {difference.old} → {difference.new}"
    return ""


def _counted(difference: FieldDifference) -> str:
    """Replicas and the like: whole numbers of a status."""
    path, old, new = difference.path, difference.old, difference.new
    if len(path) == 2 and path[0] == "status" and path[1] != "observedGeneration" and isinstance(new, int):
        return f"{path[1]} {old} → {new}"
    return ""


def _path(path: Place) -> str:
    """`spec.containers[app].image`."""
    text = ""
    for part in path:
        label = str(part)
        if isinstance(part, int) or label.partition("=")[0].isdecimal():
            text += f"[{_name(part)}]"
        else:
            text += f".{label}" if text else label
    return text


def _name(part: str | int) -> str:
    return str(part).partition("=")[2] or str(part)


def _value(value: Any) -> Any:
    return None if value is msgspec.UNSET else value
