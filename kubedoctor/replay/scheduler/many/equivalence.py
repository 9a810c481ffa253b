"""Pods that the scheduler cannot tell apart, so that the replay of one answers for all."""

from __future__ import annotations

import msgspec

from kubedoctor.cluster.kinds.containers import Container
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.volumes import DISKS, Volume

_ENCODER = msgspec.json.Encoder(order="deterministic")


def equivalence_key(pod: Pod) -> bytes:
    """Equal for pods to which every filter gives the same answers: all that filters read, nothing else.

    Pods with claims of their own (generic ephemeral volumes) and nominated pods are like no other.
    """
    spec = pod.spec
    volumes = [found for one in spec.volumes or () if (found := _volume(one))]
    unique = pod.status.nominated_node_name or any(one.ephemeral is not None for one in spec.volumes or ())
    return _ENCODER.encode(
        (
            pod.namespace,
            pod.metadata.labels or {},
            [_container(one) for one in spec.containers],
            [_container(one) for one in spec.init_containers or ()],
            [_container(one) for one in spec.ephemeral_containers or ()],
            volumes,
            spec.node_name,
            spec.node_selector,
            spec.affinity,
            spec.tolerations,
            spec.topology_spread_constraints,
            spec.scheduling_gates,
            spec.priority or 0,
            spec.preemption_policy,
            spec.host_network,
            spec.host_users,
            spec.resource_claims,
            spec.resources,
            spec.overhead,
            (pod.name, pod.metadata.uid, pod.status.nominated_node_name) if unique else None,
        )
    )


def _container(container: Container) -> tuple[object, ...]:
    return (
        container.resources,
        [one for one in container.ports or () if one.host_port],
        container.restart_policy,
        container.restart_policy_rules,
        any(one.bind_mount_options for one in container.volume_mounts or ()),
    )


def _volume(volume: Volume) -> tuple[object, ...]:
    """Empty for volumes that no filter looks at."""
    if volume.persistent_volume_claim is not None:
        return ("claim", volume.persistent_volume_claim.claim_name)
    if volume.ephemeral is not None:
        return ("ephemeral", volume.name)
    return tuple((name, source) for name in DISKS if (source := getattr(volume, name)) is not None)
