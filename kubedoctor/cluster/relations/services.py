"""Services, the pods that they select, and their endpoints."""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster.grammar.selectors import selector_from_map
from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.kinds.networking import Endpoint
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.seen.reading import Cluster


def pods_selected_by(service: Service, cluster: Cluster) -> tuple[Pod, ...]:
    """The pods that a Service's selector picks, ready or not; none for a Service without selector."""
    if not service.spec.selector:
        return ()
    selector = selector_from_map(service.spec.selector)
    return tuple(selected_so_far(service, cluster)) if cluster.labelled(Pod, service.namespace, selector.text) else ()


def selected_so_far(service: Service, cluster: Cluster) -> Iterator[Pod]:
    """Of the pods that were seen so far those that the selector picks, in turn: for what one of them decides whatever the
    others are. Requests nothing."""
    if not service.spec.selector:
        return iter(())
    selector = selector_from_map(service.spec.selector)
    labelled = (
        cluster.snapshot.labelled("Pod", service.namespace, key).get(value, ())
        for key, value in service.spec.selector.items()
    )
    return (pod for pod in min(labelled, key=len) if selector.matches(pod.metadata.labels))


def selects(service: Service, pod: Pod) -> bool:
    """Whether the Service has a selector, and it picks the pod."""
    return bool(service.spec.selector) and selector_from_map(service.spec.selector or {}).matches(pod.metadata.labels)


def services_selecting(pod: Pod, cluster: Cluster) -> tuple[Service, ...]:
    """The Services whose selector picks the pod."""
    return tuple(service for service in cluster.all(Service, pod.namespace) if selects(service, pod))


def endpoints_of(service: Service, cluster: Cluster) -> tuple[Endpoint, ...]:
    """All endpoints of a Service, of all its slices."""
    return tuple(
        endpoint for slice_ in cluster.slices_of(service.namespace, service.name) for endpoint in slice_.endpoints or ()
    )


def ready_endpoints(service: Service, cluster: Cluster) -> tuple[Endpoint, ...]:
    """The endpoints that traffic is sent to."""
    return tuple(endpoint for endpoint in endpoints_of(service, cluster) if endpoint.is_ready)
