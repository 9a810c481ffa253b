"""ReplicaSet or pod was left behind by its workload.

## What it means
Its labels show that a Deployment, StatefulSet or DaemonSet made it, and it has no owner any more. A ReplicaSet keeps its number
of pods, a pod simply runs; but no rollout reaches them, and a pod that is lost is not created again. A Service that selects their
labels still sends them requests: an old version beside the new one.

## Why it happens
- The workload was deleted with `--cascade=orphan`, to replace it without an interruption.
- A label of the pod was changed, so that its ReplicaSet let it go: often to look at a broken pod in peace.
- The pod is a copy, made to debug it, that kept the labels.

## How to fix it
1. If it is not needed any more, delete it.
2. If it is, create the workload again with the same selector: it adopts what matches.

## References
- https://kubernetes.io/docs/tasks/administer-cluster/use-cascading-deletion/#set-orphan-deletion-policy
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import (
    Cluster,
    DaemonSet,
    Evidence,
    Pod,
    ReplicaSet,
    Service,
    StatefulSet,
    controller_of,
    counted,
    pods_selected_by,
    quote,
    ready,
    ref,
    services_selecting,
)
from kubedoctor.cluster.changes import delete
from kubedoctor.findings import Command, Confidence, Effect, Finding, Fix, Severity, command_line, diagnostic, kubectl
from kubedoctor.replay.workloads.orphans import MADE, left_behind


@diagnostic(
    code="KD1222",
    subject=ReplicaSet,
    also_subjects=(Pod,),
    severity=Severity.NOTICE,
    reads=(ReplicaSet, StatefulSet, DaemonSet, Pod, Service),
    when=left_behind,
    symptoms=("orphan", "--cascade=orphan"),
)
def orphan(obj: ReplicaSet | Pod, cluster: Cluster) -> Iterator[Finding]:
    label = next(label for label in MADE if label in obj.labels)
    pods = (obj,) if isinstance(obj, Pod) else cluster.maybe.owned_by(Pod, ref(obj))
    shared = next(_served_beside_others(pods, cluster), None)
    complete = isinstance(obj, Pod) and _complete_without(obj, label, cluster)
    what = (
        "is controlled by nothing"
        if isinstance(obj, Pod)
        else f"runs {counted(obj.status.replicas, 'pod')}, and no Deployment owns it"
    )
    serves = f"; Service {shared.name} sends it requests beside the pods of others" if shared is not None else ""
    kept: tuple[Evidence, ...] = (quote(shared, "spec.selector", "matches its pods too"),) if shared is not None else ()
    yield Finding(
        about=ref(obj),
        summary=f"{ref(obj).kind} {what}: a workload made it and is gone, or let it go"
        f"{', or it is a copy' if isinstance(obj, Pod) else ''}{serves}",
        severity=Severity.WARNING if shared is not None and not complete else None,
        evidence=(
            quote(obj, f"metadata.labels[{label}]", "only a controller gives this label; there is no owner"),
            *kept,
        ),
        confidence=Confidence.CERTAIN,
        affects=(ref(shared),) if shared is not None else (),
        fixes=(Fix("Delete it, if it is not needed any more", command_line(delete(ref(obj))), Effect.DISRUPTS),),
        commands=(
            Command(kubectl("get", ref(obj).argument, "--show-labels", namespace=obj.namespace), "whose labels it has"),
        ),
    )


def _complete_without(pod: Pod, label: str, cluster: Cluster) -> bool:
    """Whether a workload of the same revision has all its pods ready: this one runs the same version."""
    alike = (other for other in cluster.maybe.all(Pod, pod.namespace) if other.labels.get(label) == pod.labels[label])
    owners = {owner for other in alike if (owner := controller_of(other)) is not None}
    for maker in (cluster.maybe.get_ref(owner) for owner in owners):
        if isinstance(maker, ReplicaSet | StatefulSet) and maker.status.ready_replicas >= (maker.spec.replicas or 1):
            return True
        if isinstance(maker, DaemonSet) and maker.status.number_ready >= maker.status.desired_number_scheduled:
            return True
    return False


def _served_beside_others(pods: tuple[Pod, ...], cluster: Cluster) -> Iterator[Service]:
    """A Service that selects such a pod and a ready one that something else controls: two versions answer."""
    names = {pod.name for pod in pods}
    for pod in (pod for pod in pods[:1] if ready(pod)):
        for service in services_selecting(pod, cluster.maybe):
            selected = pods_selected_by(service, cluster.maybe)
            if any(ready(other) and other.name not in names and controller_of(other) for other in selected):
                yield service
