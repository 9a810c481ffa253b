"""Compares the replay with the scheduler's own message about the pod."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from datetime import datetime
from heapq import merge, nlargest
from typing import Final

import msgspec

from kubedoctor.cluster.kinds.core import Event, Node
from kubedoctor.cluster.kinds.meta import KubernetesObject, condition
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.replay.scheduler.cycle import SchedulingVerdict
from kubedoctor.replay.scheduler.framework import OTHER
from kubedoctor.replay.scheduler.memos import Memo
from kubedoctor.replay.scheduler.plugins.dynamic_resources import RESOURCE_CLAIM
from kubedoctor.replay.scheduler.plugins.pod_claims import asks_for_storage
from kubedoctor.replay.scheduler.plugins.scheduling_gates import GATED
from kubedoctor.replay.scheduler.preemption import Preemption
from kubedoctor.replay.scheduler.said.agreement import (
    CountAgreement,
    Difference,
    PreemptionAgreement,
    agreement,
    preemption_agreement,
)
from kubedoctor.replay.scheduler.said.messages import GROUP, SchedulingMessage, parse_message
from kubedoctor.replay.scheduler.said.node_changes import NodeChanges, node_changes
from kubedoctor.replay.scheduler.snapshot import ClusterState

_PLACED_CHANGES: Final = Memo[None, list[tuple[datetime, Ref]]]()
_Agreed = tuple[SchedulingVerdict, CountAgreement, PreemptionAgreement | None]
_AGREEMENTS: Final = Memo[tuple[int, str, str], _Agreed]()
_OTHERS = ("karpenter", "cluster-autoscaler")
"""Components that also write FailedScheduling events, but are not schedulers."""
MOST_CHANGED: Final = 4
"""In a large cluster thousands of pods are newer than a message; the newest few are enough."""


class Agreement(enum.Enum):
    """agrees: the counts are the same. differs: the counts differ, and no change since the message is known. stale: the
    counts differ, and the message is older than a change. no-message: no scheduler has reported anything. not-replayed:
    the message is about something that is not replayed: devices, groups of pods, an error of the scheduler."""

    AGREES = "agrees"
    DIFFERS = "differs"
    STALE = "stale"
    NO_MESSAGE = "no-message"
    NOT_REPLAYED = "not-replayed"


class Said(msgspec.Struct, frozen=True):
    """The scheduler's own message. at: when it was last repeated. event: None where the message is from the
    condition."""

    text: str
    message: SchedulingMessage
    reason: str = ""
    at: datetime | None = None
    event: Event | None = None


class Comparison(msgspec.Struct, frozen=True):
    """The comparison of the filters, and separately of preemption.

    changed: the last few that are newer than the message, the newest first, of changed_at; only where something differs.
    nodes_then: how many nodes the scheduler counted, None where the message does not say.
    nodes: the nodes that joined and left since.
    preemption: NO_MESSAGE where one of the two has nothing to compare.
    preemption_differences: about the nodes where it would not help.
    """

    agreement: Agreement
    differences: tuple[Difference, ...] = ()
    changed: tuple[Ref, ...] = ()
    nodes_then: int | None = None
    changed_at: datetime | None = None
    nodes: NodeChanges = NodeChanges()
    preemption: Agreement = Agreement.NO_MESSAGE
    preemption_differences: tuple[Difference, ...] = ()


def said_of(pod: Pod, cluster: Cluster) -> Said | None:
    """The message of the condition, else of the newest event of a scheduler; None where no scheduler has reported."""
    events = [
        event
        for event in cluster.events_about(ref(pod))
        if event.reason == "FailedScheduling" and (event.reporting_component or event.source.component) not in _OTHERS
    ]
    stated = condition(pod.status.conditions, "PodScheduled")
    if stated is not None and stated.status == "False" and stated.message and not gates_are_gone(pod):
        heard = [event.seen_at for event in events if event.seen_at and event.message == stated.message]
        times = [*heard, *([stated.last_transition_time] if stated.last_transition_time else [])]
        return Said(stated.message, parse_message(stated.message), stated.reason, max(times, default=None))
    if not events or (stated is not None and stated.status == "True"):
        return None
    last = events[-1]
    return Said(last.message, parse_message(last.message), last.reason, last.seen_at, last)


def gates_are_gone(pod: Pod) -> bool:
    """Whether the condition still reports gates that were removed: no scheduler has updated it since."""
    stated = condition(pod.status.conditions, "PodScheduled")
    return stated is not None and stated.reason == "SchedulingGated" and not pod.spec.scheduling_gates


def compare(
    pod: Pod,
    stated: Said | None,
    verdict: SchedulingVerdict,
    tried: Preemption | None,
    state: ClusterState,
    cluster: Cluster,
) -> Comparison:
    """Compare the counts and the preemption of the replay with those of the message."""
    if stated is None:
        return Comparison(Agreement.NO_MESSAGE)
    then = stated.message.nodes
    if verdict.pre_enqueue is not None:
        same_verdict = stated.reason == "SchedulingGated" or any(r.obstacle is GATED for r in stated.message.reasons)
        return Comparison(Agreement.AGREES if same_verdict else Agreement.STALE, nodes_then=then)
    if _beyond(stated.message, verdict):
        return Comparison(Agreement.NOT_REPLAYED, nodes_then=then)
    counts, room = _agreements(stated, verdict, tried, pod.status.nominated_node_name, state)
    same_room = room is None or room.is_full
    if counts.is_full and same_room:
        spoken = Agreement.NO_MESSAGE if room is None else Agreement.AGREES
        return Comparison(Agreement.AGREES, nodes_then=then, preemption=spoken)
    changes = _changed_since(pod, stated.at, state, cluster) if stated.at else {}
    stale = bool(changes) or (then is not None and then != verdict.total)
    otherwise = Agreement.STALE if stale else Agreement.DIFFERS
    return Comparison(
        Agreement.AGREES if counts.is_full else otherwise,
        counts.differences,
        tuple(changes),
        then,
        next(iter(changes.values()), None),
        node_changes(then, stated.at, state, cluster) if then not in (None, verdict.total) else NodeChanges(),
        otherwise if not same_room else Agreement.NO_MESSAGE if room is None else Agreement.AGREES,
        room.differences if room is not None else (),
    )


def _agreements(
    stated: Said, verdict: SchedulingVerdict, tried: Preemption | None, nominated: str, state: ClusterState
) -> tuple[CountAgreement, PreemptionAgreement | None]:
    """Once for all pods that share a replay and a message; the verdict is cached with them, so that no other can have
    its identity."""
    memo, key = _AGREEMENTS.of(state), (id(verdict), stated.text, nominated)
    if key not in memo:
        room = preemption_agreement(verdict, tried, stated.message, nominated)
        memo[key] = verdict, agreement(verdict, stated.message), room
    return memo[key][1:]


def _beyond(message: SchedulingMessage, verdict: SchedulingVerdict) -> bool:
    """Whether the scheduler gives a reason that no replayed plugin gives."""
    devices = bool(verdict.unreplayed) and any(reason.obstacle is RESOURCE_CLAIM for reason in message.reasons)
    alone = message.nodes is None and any(reason.obstacle is OTHER for reason in message.reasons)
    return devices or alone or any(reason.obstacle is GROUP for reason in message.reasons)


def _changed_since(pod: Pod, at: datetime, state: ClusterState, cluster: Cluster) -> dict[Ref, datetime]:
    """The nodes, placed pods and claims that changed last, if that was after a moment, the newest first."""
    placed = _PLACED_CHANGES.kept(state, None, lambda: _newest(_placed_changes(state)))
    stored = sorted(_storage_changes(pod, cluster), key=_when) if asks_for_storage(pod) else []
    changes: dict[Ref, datetime] = {}
    for when, name in merge(reversed(placed), reversed(stored), key=_when, reverse=True):
        if when <= at or len(changes) == MOST_CHANGED:
            break
        changes.setdefault(name, when)
    return changes


def _when(change: tuple[datetime, Ref]) -> datetime:
    return change[0]


def _newest(changes: Iterable[tuple[datetime, KubernetesObject]]) -> list[tuple[datetime, Ref]]:
    """The last few, the newest last; of equal times the later of the iteration."""
    numbered = ((when, number, obj) for number, (when, obj) in enumerate(changes))
    newest = nlargest(MOST_CHANGED, numbered)
    return [(when, ref(obj)) for when, _, obj in reversed(newest)]


def _placed_changes(state: ClusterState) -> Iterator[tuple[datetime, KubernetesObject]]:
    """The last change of each node and placed pod."""
    for info in state.nodes:
        if node_times := tuple(_node_times(info.node)):
            yield max(node_times), info.node
        for pod_info in info.pods:
            metadata = pod_info.pod.metadata
            placed = condition(pod_info.pod.status.conditions, "PodScheduled")
            last = metadata.creation_timestamp
            for moment in (placed.last_transition_time if placed else None, metadata.deletion_timestamp):
                if moment is not None and (last is None or moment > last):
                    last = moment
            if last is not None:
                yield last, pod_info.pod


def _storage_changes(pod: Pod, cluster: Cluster) -> Iterator[tuple[datetime, Ref]]:
    stored = (*cluster.maybe.all(PersistentVolumeClaim, pod.namespace), *cluster.maybe.all(PersistentVolume))
    for obj in stored:
        if obj.metadata.creation_timestamp is not None:
            yield obj.metadata.creation_timestamp, ref(obj)


def _node_times(node: Node) -> Iterator[datetime]:
    if node.metadata.creation_timestamp is not None:
        yield node.metadata.creation_timestamp
    for node_condition in node.status.conditions or ():
        if node_condition.last_transition_time is not None:
            yield node_condition.last_transition_time
    for taint in node.spec.taints or ():
        if taint.time_added is not None:
            yield taint.time_added
