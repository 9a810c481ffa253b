"""Whether an ended pod is history: its controller is complete without it."""

from __future__ import annotations

from kubedoctor.cluster import Cluster, Pod, ReplicaSet, StatefulSet, controller_of


def is_replaced(pod: Pod, cluster: Cluster) -> bool:
    """Whether the set that created the pod is complete and ready without it."""
    owner = controller_of(pod)
    workload = cluster.maybe.get_ref(owner) if owner is not None else None
    if not isinstance(workload, ReplicaSet | StatefulSet):
        return False
    return workload.status.ready_replicas >= workload.spec.desired_replicas


def is_alone(pod: Pod, cluster: Cluster) -> bool:
    """Whether no other pod of its set, of those that were read, ended for the same reason."""
    owner = controller_of(pod)
    key = (owner.kind, owner.namespace, owner.name) if owner is not None else ()
    siblings = cluster.snapshot.index("Pod", "owner").get(key, ())
    return len([sibling for sibling in siblings if sibling.status.reason == pod.status.reason]) <= 1
