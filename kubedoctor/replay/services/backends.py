"""The pods behind a Service, by their state."""

from __future__ import annotations

import msgspec

from kubedoctor.cluster.grammar.selectors import selector_from_map
from kubedoctor.cluster.kinds.apps import DaemonSet, Deployment, Job, ReplicaSet, StatefulSet
from kubedoctor.cluster.kinds.core import ReplicationController, Service
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.relations.services import endpoints_of, pods_selected_by, selected_so_far
from kubedoctor.cluster.relations.workloads import controller_of, template_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.wants import Want
from kubedoctor.cluster.triage import finished, ready, terminating
from kubedoctor.replay.services.starting import still_starting

MAKERS: tuple[type[KubernetesObject], ...] = (
    Deployment,
    StatefulSet,
    DaemonSet,
    ReplicaSet,
    ReplicationController,
    Job,
)


class Backends(msgspec.Struct, frozen=True):
    """The pods of a Service.

    served: traffic is sent to at least one pod, even if it is about to end.
    live: the selected pods that should serve. finished: those that have ended. leaving: those being deleted. failing:
    those of `live` that are not ready and will not soon become ready by themselves. endpoints_seen: False where only the
    pods could be read.
    """

    served: bool
    live: tuple[Pod, ...]
    finished: tuple[Pod, ...]
    leaving: tuple[Pod, ...]
    failing: tuple[Pod, ...]
    endpoints_seen: bool = True


def backends(service: Service, cluster: Cluster) -> Backends:
    """Raises CannotSee where pods cannot be read; the pods alone tell enough where EndpointSlices cannot."""
    lenient = cluster.maybe
    cluster.together(lambda: endpoints_of(service, lenient), lambda: pods_selected_by(service, cluster))
    slices = Want("EndpointSlice", service.namespace, labels=f"kubernetes.io/service-name={service.name}")
    served = any(
        endpoint.is_ready or (endpoint.conditions.terminating and endpoint.conditions.serving is not False)
        for endpoint in endpoints_of(service, lenient)
    )
    live: list[Pod] = []
    ended: list[Pod] = []
    leaving: list[Pod] = []
    for pod in pods_selected_by(service, cluster):
        (ended if finished(pod) else leaving if terminating(pod) else live).append(pod)
    unready = [pod for pod in live if not ready(pod)]
    served = served or len(unready) < len(live) or (service.spec.publish_not_ready_addresses and bool(live))
    return Backends(
        served=served,
        live=tuple(live),
        finished=tuple(ended),
        leaving=tuple(leaving),
        endpoints_seen=cluster.snapshot.covers(slices),
        failing=tuple(pod for pod in unready if not still_starting(pod, cluster.taken_at)),
    )


def serves_already(service: Service, cluster: Cluster) -> bool:
    """Whether a pod that was seen so far is ready and selected: then the Service is served whatever the others do, and
    nothing more is requested."""
    return any(ready(pod) and not finished(pod) and not terminating(pod) for pod in selected_so_far(service, cluster))


def has_ready_pods(service: Ref, cluster: Cluster) -> bool:
    """Whether the selector picks a ready pod, regardless of EndpointSlices, which follow a change only later."""
    existing = cluster.get(Service, service.namespace, service.name)
    return existing is not None and any(
        ready(pod) and not terminating(pod) for pod in pods_selected_by(existing, cluster)
    )


def workloads_behind(service: Service, cluster: Cluster) -> tuple[KubernetesObject, ...]:
    """The workloads whose pods the Service would select; a ReplicaSet only where no Deployment owns it."""
    if not service.spec.selector:
        return ()
    selector = selector_from_map(service.spec.selector)
    workloads: list[KubernetesObject] = []
    kinds = (Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Job)
    cluster.require(*kinds, namespace=service.namespace)
    for kind in kinds:
        for workload in cluster.maybe.all(kind, service.namespace):
            owner = controller_of(workload)
            template = template_of(workload)
            if template is None or (owner is not None and owner.kind == "Deployment"):
                continue
            if selector.matches(template.metadata.labels):
                workloads.append(workload)
    return tuple(workloads)


def wanted_replicas(workload: KubernetesObject) -> int:
    """How many pods it should have; 1 if the workload does not set it."""
    if isinstance(workload, DaemonSet):
        return workload.status.desired_number_scheduled
    if isinstance(workload, Deployment | StatefulSet | ReplicaSet | ReplicationController):
        return workload.spec.desired_replicas
    return 1
