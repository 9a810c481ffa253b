"""Warning events: the newest about an object, and objects of which nothing but such events tells how they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.grammar.text import times
from kubedoctor.cluster.kinds.apps import CronJob
from kubedoctor.cluster.kinds.core import ConfigMap, Event, Secret, Service, ServiceAccount
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.networking import EndpointSlice, Ingress
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS
from kubedoctor.cluster.seen.quoting import Evidence, has_path, quote
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.seen.wants import Want

MOST_QUOTED = 2
REPEATED = 3
"""An event that was seen less often may be of a start that has succeeded since."""
STILL = timedelta(minutes=10)
"""Controllers that fail try again within minutes; what was not repeated for longer is over."""
LATELY = timedelta(hours=1)
_CREATE_PODS = WORKLOAD_KINDS | {"PersistentVolumeClaim", "Ingress"}
"""Kinds of which one Warning that nothing follows already tells that they got no further."""


class _Warning(msgspec.Struct, frozen=True):
    """The events of one reason about one object. `newest` stands for all of them."""

    newest: Event
    seen: int


def warnings_about(names: Iterable[Ref], snapshot: Snapshot) -> tuple[Evidence, ...]:
    """The newest Warning events about the objects, one for each reason, with how often and when they were seen."""
    found: dict[str, _Warning] = {}
    for name in names:
        for warning in _warnings(name, snapshot):
            known = found.get(warning.newest.reason)
            if known is None or _moment(warning.newest) > _moment(known.newest):
                found[warning.newest.reason] = warning
    newest = sorted(found.values(), key=lambda warning: _moment(warning.newest), reverse=True)
    late = [warning for warning in newest if _is_late(warning.newest, snapshot)]
    return tuple(_quoted(warning, snapshot) for warning in (late or newest)[:MOST_QUOTED])


def said_by_events(obj: KubernetesObject, snapshot: Snapshot) -> tuple[str, tuple[Evidence, ...]] | None:
    """What Warning events tell of an object whose own status cannot: the clause and the event."""
    if not isinstance(obj, _WITHOUT_STATE):
        return None
    return _said(
        ref(obj), snapshot, once=isinstance(obj, CronJob) or (isinstance(obj, Ingress) and _has_no_address(obj))
    )


_WITHOUT_STATE = (CronJob, Ingress, Service, ConfigMap, Secret, ServiceAccount, EndpointSlice)
"""Kinds whose status tells nothing, so that only events can; others state how they are."""


def unseen_objects(snapshot: Snapshot) -> Iterator[tuple[Ref, str, tuple[Evidence, ...]]]:
    """Objects that the snapshot lacks, of which the newest event is a Warning: their own status cannot be read."""
    for key in sorted(snapshot.index("Event", "involved")):
        about = _named(snapshot.index("Event", "involved")[key][0], *key)
        if not about.name or snapshot.get(about) is not None or snapshot.covers(Want(about.kind, about.namespace)):
            continue
        if (said := _said(about, snapshot, once=about.kind in _CREATE_PODS)) is not None:
            yield about, f"{said[0]}; the object itself is not in what was read", said[1]


def _named(event: Event, kind: str, namespace: str, name: str) -> Ref:
    group = event.involved_object.api_version.rpartition("/")[0]
    return Ref(kind if kind_named(kind) is not None or not group else f"{kind}.{group}", namespace, name)


def _said(about: Ref, snapshot: Snapshot, *, once: bool) -> tuple[str, tuple[Evidence, ...]] | None:
    events = _events(about, snapshot)
    if not events or events[-1].type != "Warning" or not _is_late(events[-1], snapshot):
        return None
    warning = next((warning for warning in _warnings(about, snapshot) if warning.newest is events[-1]), None)
    if warning is None:
        return None
    age = snapshot.taken_at - _moment(events[-1])
    if (not once and (warning.seen < REPEATED or age > STILL)) or _is_progress(warning.newest, about, snapshot):
        return None
    return f"event {warning.newest.reason}, {_frequency(warning, snapshot)}", (_quoted(warning, snapshot),)


def _warnings(about: Ref, snapshot: Snapshot) -> Iterator[_Warning]:
    newest: dict[str, _Warning] = {}
    for event in _events(about, snapshot):
        if event.type == "Warning" and _deciding_field(event) and not _is_answered(event, about, snapshot):
            before = newest.get(event.reason)
            newest[event.reason] = _Warning(event, event.times + (before.seen if before else 0))
    yield from newest.values()


def _events(about: Ref, snapshot: Snapshot) -> list[Event]:
    events = snapshot.index("Event", "involved").get((about.short_kind, about.namespace, about.name), ())
    return sorted((event for event in events if event.seen_at is not None and event.reason != _BY_HAND), key=_order)


def _order(event: Event) -> tuple[datetime, str]:
    return _moment(event), event.metadata.name


def _moment(event: Event) -> datetime:
    return event.seen_at or _NEVER


_NEVER = datetime(1, 1, 1, tzinfo=UTC)


def _is_late(event: Event, snapshot: Snapshot) -> bool:
    return snapshot.taken_at - _moment(event) <= LATELY


_BY_HAND = "UnexpectedJob"
"""The CronJob controller reports each Job that `kubectl create job --from` made, for as long as it runs
(`pkg/controller/cronjob/cronjob_controllerv2.go`, v1.37)."""


def _is_answered(event: Event, about: Ref, snapshot: Snapshot) -> bool:
    """A pod that has its node was placed after the scheduler failed to."""
    pod = snapshot.get(about) if event.reason == "FailedScheduling" else None
    return isinstance(pod, Pod) and bool(pod.spec.node_name)


def _is_progress(event: Event, about: Ref, snapshot: Snapshot) -> bool:
    """A load balancer that a cloud still creates is no failure, although its controller warns of it."""
    service = snapshot.get(about) if about.kind == "Service" else None
    created = service.metadata.creation_timestamp if service is not None else None
    if created is None:
        return False
    from kubedoctor.replay.messages.message import Message  # what is healthy has no message to read
    from kubedoctor.replay.messages.reader import read_message

    age = snapshot.taken_at - created
    reading = read_message(Message(text=event.message, reason=event.reason, kind="Service", type=event.type, age=age))
    return reading is not None and reading.message_class.is_healthy


def _deciding_field(event: Event) -> str:
    """Its message, or its reason where it has no message; empty without both."""
    return next((field for field in ("message", "reason") if has_path(event, field)), "")


def _quoted(warning: _Warning, snapshot: Snapshot) -> Evidence:
    shows = f"event {warning.newest.reason}, {_frequency(warning, snapshot)}"
    return quote(warning.newest, _deciding_field(warning.newest), shows)


def _frequency(warning: _Warning, snapshot: Snapshot) -> str:
    """`once, 3h ago`; `14 times, last 2m ago`."""
    ago = f"{human_duration(max(snapshot.taken_at - _moment(warning.newest), timedelta()))} ago"
    return f"{times(warning.seen)}, {ago if warning.seen == 1 else f'last {ago}'}"


def _has_no_address(ingress: Ingress) -> bool:
    return not ingress.status.load_balancer.ingress
