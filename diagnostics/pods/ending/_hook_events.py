"""The events about preStop hooks that failed: they are about pods that are gone."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from kubedoctor.cluster import Cluster, Container, Event, Pod, Ref, ReplicaSet, has_path, template_of

REASON: Final = "FailedPreStopHook"
_LATELY: Final = timedelta(hours=1)
_ITS_PODS: Final = {
    "Deployment": r"-[a-z0-9]{1,10}-[a-z0-9]{5}",
    "StatefulSet": r"-\d+",
    "DaemonSet": r"-[a-z0-9]{5}",
    "ReplicaSet": r"-[a-z0-9]{5}",
}
"""How controllers name pods."""


def failures_of(pod: Pod, container: Container, about: Ref, cluster: Cluster) -> list[Event]:
    """The newest events about the hook, of pods of the workload, as far as events were read."""
    if not cluster.has_all(Event, pod.namespace):
        return []
    name = re.compile(re.escape(about.name) + _ITS_PODS.get(about.kind, ""))
    events = [
        event
        for event in cluster.all(Event, pod.namespace)
        if event.reason == REASON
        and event.involved_object.kind == "Pod"
        and name.fullmatch(event.involved_object.name)
        and f"{{{container.name}}}" in event.involved_object.field_path
        and event.seen_at is not None
        and cluster.taken_at - event.seen_at <= _LATELY
        and has_path(event, "message")
        and _has_the_same_hook(event, pod, container, about, cluster)
    ]
    return sorted(events, key=lambda event: (event.seen_at, event.name), reverse=True)


def _has_the_same_hook(event: Event, pod: Pod, container: Container, about: Ref, cluster: Cluster) -> bool:
    """False for a pod of another revision whose hook was corrected since."""
    owner = event.involved_object.name.rpartition("-")[0]
    if about.kind != "Deployment" or pod.name.startswith(f"{owner}-"):
        return True
    revision = cluster.maybe.get(ReplicaSet, pod.namespace, owner)
    template = template_of(revision) if revision is not None else None
    hook = container.lifecycle.pre_stop if container.lifecycle is not None else None
    if template is None:
        return hook is None or hook.sleep is None  # It only waits, and needs no program of the image.
    before = next((one for one in template.spec.containers if one.name == container.name), None)
    return before is None or before.lifecycle == container.lifecycle
