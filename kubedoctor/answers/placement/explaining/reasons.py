"""Each reason of the scheduler, with what the objects show beyond it, and the object at fault."""

from __future__ import annotations

from collections.abc import Callable

from kubedoctor.answers.placement.explaining import nodes, pods, volumes
from kubedoctor.answers.placement.explaining.case import Case, Explanation
from kubedoctor.answers.placement.explaining.free_storage import free_storage
from kubedoctor.cluster import Ref, ref
from kubedoctor.replay.scheduler.cycle import PLUGINS
from kubedoctor.replay.scheduler.framework import Obstacle, Reason
from kubedoctor.replay.scheduler.plugins.dynamic_resources import RESOURCE_CLAIM
from kubedoctor.replay.scheduler.plugins.inter_pod_affinity import (
    EXISTING_ANTI_AFFINITY,
    POD_AFFINITY,
    POD_ANTI_AFFINITY,
)
from kubedoctor.replay.scheduler.plugins.node_affinity import NODE_AFFINITY
from kubedoctor.replay.scheduler.plugins.node_ports import HOST_PORT
from kubedoctor.replay.scheduler.plugins.node_resources_fit import RESOURCE, TOO_MANY_PODS
from kubedoctor.replay.scheduler.plugins.node_unschedulable import CORDONED
from kubedoctor.replay.scheduler.plugins.pod_claims import CLAIM_MISSING, CLAIM_UNBOUND, VOLUME_MISSING
from kubedoctor.replay.scheduler.plugins.pod_topology_spread import TOPOLOGY_LABEL, TOPOLOGY_SPREAD
from kubedoctor.replay.scheduler.plugins.taint_toleration import TAINT
from kubedoctor.replay.scheduler.plugins.volume_binding import (
    CLAIM_DELETING,
    CLAIM_NOT_YET_MADE,
    FREE_STORAGE,
    NO_VOLUME,
    VOLUME_NODE_AFFINITY,
)
from kubedoctor.replay.scheduler.plugins.volume_restrictions import CLAIM_IN_USE
from kubedoctor.replay.scheduler.plugins.volume_zone import VOLUME_ZONE
from kubedoctor.replay.scheduler.said.messages import SchedulingMessage

_FACTS: dict[Obstacle, Callable[[Case, Reason], Explanation]] = {
    TAINT: nodes.taint,
    CORDONED: nodes.cordoned,
    RESOURCE: nodes.resource,
    TOO_MANY_PODS: nodes.too_many_pods,
    NODE_AFFINITY: nodes.node_affinity,
    HOST_PORT: pods.host_port,
    TOPOLOGY_SPREAD: pods.topology_spread,
    TOPOLOGY_LABEL: pods.topology_spread,
    POD_AFFINITY: pods.pod_affinity,
    POD_ANTI_AFFINITY: pods.pod_affinity,
    EXISTING_ANTI_AFFINITY: pods.pod_affinity,
    RESOURCE_CLAIM: pods.resource_claim,
    VOLUME_NODE_AFFINITY: volumes.volume_place,
    VOLUME_ZONE: volumes.volume_place,
    VOLUME_MISSING: volumes.missing_volume,
    NO_VOLUME: volumes.unbound,
    FREE_STORAGE: free_storage,
    CLAIM_UNBOUND: volumes.unbound,
    CLAIM_MISSING: volumes.missing_claim,
    CLAIM_NOT_YET_MADE: volumes.missing_claim,
    CLAIM_DELETING: volumes.deleting_claim,
    CLAIM_IN_USE: volumes.claim_in_use,
    PLUGINS: nodes.left_out,
}


_MOST_REASONS = 6


def fact_of(case: Case, reason: Reason) -> Explanation:
    """The explanation of a reason; the scheduler's own text where the objects show nothing more."""
    if explain := _FACTS.get(reason.obstacle):
        return explain(case, reason)
    return Explanation(f"{reason.count} {reason.text}" if reason.count is not None else reason.text)


def culprit(case: Case, major: list[tuple[Reason, Explanation]]) -> Ref:
    """The object at fault: a node where only that node's state blocks the pod, else the workload."""
    obstacles = {reason.obstacle for reason, _ in major}
    refused = [refusal for reason, _ in major for refusal in case.refused(reason)]
    if obstacles == {CORDONED} and refused:
        return ref(min((refusal.node for refusal in refused), key=lambda node: node.name))
    if obstacles == {TOO_MANY_PODS} and len(refused) == 1:
        return ref(refused[0].node)
    if obstacles == {TAINT} and (node := nodes.only_node_tainted(case, refused)) is not None:
        return ref(node)
    return case.workload


def blamed(major: list[tuple[Reason, Explanation]]) -> tuple[Ref, ...]:
    """Claims are always blamed; nodes only where no node rejects the pod for another reason."""
    all_nodes = all(reason.obstacle is TAINT for reason, _ in major)
    blamed = [name for _, fact in major for name in fact.blames if all_nodes or name.kind != "Node"]
    return tuple(dict.fromkeys(blamed))


def aspect(major: list[tuple[Reason, Explanation]]) -> str:
    """Equal for pods of one workload that wait for the same reason."""
    return ", ".join(
        sorted(
            {
                f"{reason.obstacle.value} {reason.detail}" if reason.obstacle is RESOURCE else reason.obstacle.value
                for reason, _ in major
            }
        )
    )


def summary(about: Ref, message: SchedulingMessage, texts: list[str]) -> str:
    reasons = "; ".join(texts[:_MOST_REASONS]) or message.rest or "no reason given"
    if len(texts) > _MOST_REASONS:
        reasons += f"; and {len(texts) - _MOST_REASONS} more reasons"
    counted = any(reason.count is not None for reason in message.reasons)
    if about.kind == "Node":
        other_nodes = f", and no other of {message.nodes} nodes does" if (message.nodes or 0) > 1 else ""
        tainted = all(reason.obstacle is TAINT for reason in message.reasons)
        return f"accepts no new pods{' without a toleration' if tainted else ''}{other_nodes}: {reasons}"
    if reasons.startswith("no node has enough"):
        return reasons
    if message.nodes and counted:
        return (
            f"{f'fits none of {message.nodes} nodes' if message.nodes > 1 else 'does not fit the only node'}: {reasons}"
        )
    return f"cannot be scheduled: {reasons}"
