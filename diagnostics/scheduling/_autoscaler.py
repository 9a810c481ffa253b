"""What an autoscaler says about a pod that no node takes."""

from __future__ import annotations

from datetime import timedelta

from kubedoctor.cluster import Cluster, Event, Pod, ref

NODE_COMES = timedelta(minutes=10)
"""So long a cloud may need for a machine that joins."""
SCALES_UP = ("TriggeredScaleUp", "Nominated")
"""Events of the cluster-autoscaler and of Karpenter."""
AUTOSCALER = ("NotTriggerScaleUp", *SCALES_UP)


def node_to_come(pod: Pod, cluster: Cluster) -> Event | None:
    """The newest word of an autoscaler, if it is that it adds a node, and is not old."""
    for event in reversed(cluster.events_about(ref(pod))):
        if event.reason in AUTOSCALER and event.message and event.seen_at is not None:
            fresh = cluster.taken_at - event.seen_at < NODE_COMES
            return event if event.reason in SCALES_UP and fresh else None
    return None


def autoscaler(events: tuple[Event, ...]) -> str:
    """Why an autoscaler adds no node, where that is its last word."""
    spoken = [one for one in events if one.message and (one.reason in AUTOSCALER or _component(one) == "karpenter")]
    last = spoken[-1] if spoken else None
    if last is None or not (last.reason == "NotTriggerScaleUp" or last.reason == "FailedScheduling"):
        return ""
    return f'The autoscaler adds no node for it: "{last.message}"'


def _component(event: Event) -> str:
    return event.reporting_component or event.source.component
