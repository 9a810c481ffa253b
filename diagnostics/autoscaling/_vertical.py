"""What a VerticalPodAutoscaler says and recommends, and how far the pods of its target are from it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from kubedoctor.cluster import Cluster, CustomResource, Event, Pod, Quantity, Ref, amount_of, ref

VERTICAL: Final = "VerticalPodAutoscaler.autoscaling.k8s.io"
WRITTEN: Final = "vpaUpdates"
"""The annotation that its admission controller writes on each pod that it changed."""
EVICTING: Final = ("Auto", "Recreate", "InPlaceOrRecreate")
"""The modes in which its updater evicts (vertical-pod-autoscaler/pkg/apis, v1.5)."""
_EVICTED: Final = "EvictedPod"
"""The event on the autoscaler; the pod's own, EvictedByVPA, goes with the pod's name."""
_LATELY: Final = timedelta(hours=1)


class Evictions(NamedTuple):
    """How many pods were evicted within the hour at least, and the events that tell it, the newest first."""

    number: int
    events: tuple[Event, ...]


class Distance(NamedTuple):
    """A request of a container outside the recommended range. `target`: what is recommended."""

    container: str
    resource: str
    request: str
    target: str

    @property
    def words(self) -> str:
        return (
            f"container `{self.container}` requests {self.request or 'no'} {self.resource}, recommended {self.target}"
        )


def target_of_vertical(vertical: CustomResource) -> Ref | None:
    target = (vertical.spec or {}).get("targetRef")
    kind, name = (target.get("kind"), target.get("name")) if isinstance(target, dict) else (None, None)
    return Ref(kind, vertical.namespace, name) if isinstance(kind, str) and isinstance(name, str) and name else None


def mode_of(vertical: CustomResource) -> str:
    mode = _policy(vertical).get("updateMode")
    return mode if isinstance(mode, str) and mode else "Auto"


def least_replicas(vertical: CustomResource) -> int | None:
    """Its own `minReplicas`; the updater's flag `--min-replicas` (2) counts where it has none."""
    number = _policy(vertical).get("minReplicas")
    return number if isinstance(number, int) else None


def _policy(vertical: CustomResource) -> dict[str, Any]:
    policy = (vertical.spec or {}).get("updatePolicy")
    return policy if isinstance(policy, dict) else {}


def distances(vertical: CustomResource, pod: Pod) -> Iterator[Distance]:
    """What the updater would change at once: it leaves alone what lies between lowerBound and upperBound."""
    containers = {container.name: container for container in pod.spec.containers}
    for row in _recommended(vertical):
        container = containers.get(str(row.get("containerName")))
        target = row.get("target")
        if container is None or not isinstance(target, dict):
            continue
        requests = (container.resources.requests if container.resources is not None else None) or {}
        for resource, amount in sorted(target.items()):
            request = str(requests.get(resource) or "")
            low, high = (_bound(row, side, resource) for side in ("lowerBound", "upperBound"))
            now = amount_of(request)
            if (low is not None and (now is None or now < low)) or (
                high is not None and now is not None and now > high
            ):
                yield Distance(container.name, resource, request, str(amount))


def _recommended(vertical: CustomResource) -> list[dict[str, Any]]:
    recommendation = (vertical.status or {}).get("recommendation")
    rows = recommendation.get("containerRecommendations") if isinstance(recommendation, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _bound(row: dict[str, Any], side: str, resource: str) -> Quantity | None:
    bound = row.get(side)
    return amount_of(str(bound.get(resource) or "")) if isinstance(bound, dict) else None


def evicted_lately(vertical: CustomResource, cluster: Cluster) -> Evictions:
    """An event that began earlier counts once: its number is that of its whole life."""
    events = [
        event
        for event in cluster.events_about(ref(vertical))
        if event.reason == _EVICTED and event.message and _is_recent(event.seen_at, cluster)
    ]
    events.sort(key=lambda event: (event.seen_at, event.name), reverse=True)
    began = [event.first_timestamp or event.event_time for event in events]
    number = sum(event.times if _is_recent(at, cluster) else 1 for event, at in zip(events, began, strict=True))
    return Evictions(number, tuple(events))


def _is_recent(at: datetime | None, cluster: Cluster) -> bool:
    return at is not None and cluster.taken_at - at <= _LATELY
