"""The endpoints of a Service, from its selector and the pods (`pkg/controller/endpointslice`, v1.37)."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.grammar.selectors import selector_from_map
from kubedoctor.cluster.kinds.core import Service, ServicePort
from kubedoctor.cluster.kinds.meta import ObjectMeta, ObjectReference
from kubedoctor.cluster.kinds.networking import Endpoint, EndpointConditions, EndpointPort, EndpointSlice
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.triage import finished, ready

_SERVICE_OF: Final = "kubernetes.io/service-name"


def endpoints_of(service: Service, snapshot: Snapshot) -> tuple[tuple[EndpointSlice, ...], tuple[Ref, ...]]:
    """The slice that its controller would write, and the slices that it replaces."""
    selector = selector_from_map(service.spec.selector or {})
    pods = [
        pod
        for pod in snapshot.of_kind("Pod", service.namespace)
        if isinstance(pod, Pod) and not finished(pod) and pod.status.pod_ip and selector.matches(pod.labels)
    ]
    present = [
        item
        for item in snapshot.of_kind("EndpointSlice", service.namespace)
        if isinstance(item, EndpointSlice) and item.labels.get(_SERVICE_OF) == service.name
    ]
    named = {
        endpoint.target_ref.name
        for item in present
        for endpoint in item.endpoints or ()
        if endpoint.target_ref is not None and endpoint.is_ready
    }
    if present and named == {pod.name for pod in pods if ready(pod)}:
        return (), ()
    ports = tuple(
        EndpointPort(name=port.name or "", port=number, protocol=port.protocol or "TCP")
        for port in service.spec.ports or ()
        if (number := _number(port, pods)) is not None
    )
    written = EndpointSlice(
        metadata=ObjectMeta(
            name=f"{service.name}-new",
            namespace=service.namespace,
            labels={_SERVICE_OF: service.name},
            creation_timestamp=service.metadata.creation_timestamp,
        ),
        endpoints=tuple(map(_endpoint, pods)),
        ports=ports,
    )
    return (written,), tuple(map(ref, present))


def _number(port: ServicePort, pods: list[Pod]) -> int | None:
    """The number that a port's target means in the first pod that has it."""
    target = port.target_port
    if isinstance(target, int) and target:
        return target
    if not target:
        return port.port
    for pod in pods:
        for container in pod.spec.containers:
            for own in container.ports or ():
                if own.name == target:
                    return own.container_port
    return None


def _endpoint(pod: Pod) -> Endpoint:
    is_ready = ready(pod)
    return Endpoint(
        addresses=(pod.status.pod_ip,),
        conditions=EndpointConditions(ready=is_ready, serving=is_ready, terminating=False),
        target_ref=ObjectReference(kind="Pod", namespace=pod.namespace, name=pod.name),
        node_name=pod.spec.node_name,
    )
