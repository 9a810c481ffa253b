"""Events about a pod."""

from __future__ import annotations

from kubedoctor.cluster.kinds.core import Event
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.seen.reading import Cluster


def newest_event(pod: Pod, cluster: Cluster, *reasons: str, text: str = "", container: str = "") -> Event | None:
    """The newest event about a pod with one of the reasons, and with `text` in its message."""
    for event in reversed(cluster.events_about(ref(pod))):
        if event.reason in reasons and text in event.message:
            field_path = event.involved_object.field_path
            if not container or not field_path or f"{{{container}}}" in field_path:
                return event
    return None
