"""How a cluster, or a namespace, is at one moment, in numbers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

import msgspec

from kubedoctor.cluster import Event, Node, Pod, Snapshot
from kubedoctor.cluster.kinds.meta import condition
from kubedoctor.collect.computed.usage import Use, Uses
from kubedoctor.engine.health import Health
from kubedoctor.replay.scheduler.requests import amounts

MINUTES: Final = 60
"""So far back go the numbers of each minute: events are kept for an hour."""
_MINUTE: Final = timedelta(minutes=1)
_OVER: Final = ("Succeeded", "Failed")


class Pulse(msgspec.Struct, frozen=True):
    """pods: of those that are not over. workloads: by health. warnings, restarts: of each of the last minutes, the oldest
    first; of the restarts of a container only the last is known. use: of all nodes, or of the pods of a namespace; None where
    it is not served. room: what the nodes have."""

    pods: int = 0
    pods_ready: int = 0
    nodes: int = 0
    nodes_ready: int = 0
    workloads: dict[Health, int] = {}
    warnings: tuple[float, ...] = ()
    restarts: tuple[float, ...] = ()
    use: Use | None = None
    room: Use | None = None


def pulse_of(
    snapshot: Snapshot, namespace: str, workloads: dict[Health, int], uses: Uses | None, now: datetime
) -> Pulse:
    """uses: of the nodes, or of the pods of the namespace."""
    pods = [pod for pod in snapshot.of_kind("Pod", namespace) if isinstance(pod, Pod) and pod.status.phase not in _OVER]
    nodes = [node for node in snapshot.of_kind("Node") if isinstance(node, Node)]
    events = (event for event in snapshot.of_kind("Event", namespace) if isinstance(event, Event))
    return Pulse(
        pods=len(pods),
        pods_ready=sum(_is_ready(pod) for pod in pods),
        nodes=len(nodes),
        nodes_ready=sum(_is_ready(node) for node in nodes),
        workloads=workloads,
        warnings=warnings_by_minute(events, now),
        restarts=restarts_by_minute(pods, now),
        use=Use(sum(use.cpu for use in uses.values()), sum(use.memory for use in uses.values())) if uses else None,
        room=_room(nodes) if nodes and not namespace else None,
    )


def warnings_by_minute(events: Iterable[Event], now: datetime) -> tuple[float, ...]:
    """How many warnings there were in each minute. Of one that came often only the first and the last time are known: the
    others are spread evenly between them."""
    minutes = [0.0] * MINUTES
    for event in events:
        last = event.seen_at
        if event.type != "Warning" or last is None:
            continue
        first = event.first_timestamp or event.event_time or last
        end, start = _minute(last, now), max(_minute(first, now), 0)
        start = min(start, end) if end >= 0 else start
        number = max(1, end - _minute(first, now) + 1)
        for minute in range(start, end + 1):
            minutes[minute] += event.times / number
    return tuple(minutes)


def restarts_by_minute(pods: Iterable[Pod], now: datetime) -> tuple[float, ...]:
    """How many containers ended and were started again in each minute, by the last end of each."""
    minutes = [0.0] * MINUTES
    for ended in _last_ends(pods):
        minute = _minute(ended, now)
        if minute >= 0:
            minutes[minute] += 1
    return tuple(minutes)


def _last_ends(pods: Iterable[Pod]) -> Iterator[datetime]:
    for pod in pods:
        for status in (*(pod.status.container_statuses or ()), *(pod.status.init_container_statuses or ())):
            ended = status.last_state.terminated if status.restart_count and status.last_state is not None else None
            if ended is not None and ended.finished_at is not None:
                yield ended.finished_at


def _minute(moment: datetime, now: datetime) -> int:
    """The place among the minutes; negative before the first. What is later than now is in the last."""
    return MINUTES - 1 - max(0, (now - moment) // _MINUTE)


def _is_ready(obj: Pod | Node) -> bool:
    found = condition(obj.status.conditions, "Ready")
    return found is not None and found.status == "True"


def _room(nodes: Iterable[Node]) -> Use:
    """What pods may use of the nodes together."""
    cpu = memory = 0
    for node in nodes:
        has = amounts(node.status.allocatable)
        cpu += has["cpu"].milli_value() if "cpu" in has else 0
        memory += has["memory"].value() if "memory" in has else 0
    return Use(cpu, memory)
