"""Which nodes have joined or left since the scheduler counted them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import msgspec

from kubedoctor.cluster.kinds.core import Event
from kubedoctor.cluster.relations.missing_nodes import REMOVALS, Trace, traces_of_missing_nodes
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.replay.scheduler.memos import Memo
from kubedoctor.replay.scheduler.snapshot import ClusterState

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
_TRACES: Final = Memo[None, tuple[Trace, ...]]()


class NodeChanges(msgspec.Struct, frozen=True):
    """joined: as many of the newest nodes as were added. left: how many fewer nodes exist. traces: objects that still
    name a missing node that may have left since."""

    joined: tuple[str, ...] = ()
    left: int = 0
    traces: tuple[Trace, ...] = ()


def node_changes(then: int, at: datetime | None, state: ClusterState, cluster: Cluster) -> NodeChanges:
    """Only the difference is known: replaced nodes do not show. then: how many nodes the scheduler counted,
    at: when."""
    total = len(state.nodes)
    if then > total:
        return NodeChanges(left=then - total, traces=_traces(at, state, cluster))
    newest = sorted(
        (info.node for info in state.nodes),
        key=lambda node: (node.metadata.creation_timestamp or _LONG_AGO, node.name),
        reverse=True,
    )
    return NodeChanges(tuple(node.name for node in newest[: total - then]))


def _traces(at: datetime | None, state: ClusterState, cluster: Cluster) -> tuple[Trace, ...]:
    """One for each node, without nodes that were removed before."""
    traces = _TRACES.kept(state, None, lambda: traces_of_missing_nodes(cluster))
    before = {trace.node for trace in traces if at is not None and _removed_before(trace, at)}
    return tuple({trace.node: trace for trace in reversed(traces) if trace.node not in before}.values())[::-1]


def _removed_before(trace: Trace, at: datetime) -> bool:
    event = trace.object
    if not isinstance(event, Event) or event.reason not in REMOVALS:
        return False
    return event.seen_at is not None and event.seen_at < at
