"""The kubelet's own events about its node."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from kubedoctor.cluster import Cluster, Event, Node, ref

AN_HOUR: Final = timedelta(hours=1)
"""How long the API server keeps events, unless its flags say otherwise."""


def recent_events(node: Node, cluster: Cluster, *reasons: str, within: timedelta = AN_HOUR) -> list[Event]:
    """Those of the reasons, the newest first."""
    events = [event for event in cluster.events_about(ref(node)) if event.reason in reasons]
    return [
        event for event in reversed(events) if event.seen_at is not None and cluster.taken_at - event.seen_at <= within
    ]
