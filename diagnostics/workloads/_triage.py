"""Which workloads some diagnostics are about: predicates that are asked without importing those."""

from __future__ import annotations

from kubedoctor.cluster import Deployment, KubernetesObject, StatefulSet


def scaled_to_zero(workload: KubernetesObject) -> bool:
    """The desired number of replicas is 0, and the workload is not being deleted."""
    return (
        isinstance(workload, Deployment | StatefulSet)
        and workload.spec.replicas == 0
        and workload.metadata.deletion_timestamp is None
    )
