"""A rollout that waits for its own old pods, in words."""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.answers.placement.reasons import short_reason
from kubedoctor.answers.rollouts.own_pods import WaitingPods
from kubedoctor.cluster.grammar.text import counted, listed
from kubedoctor.cluster.grammar.tolerations import untolerated
from kubedoctor.cluster.kinds.affinity import TopologySpreadConstraint
from kubedoctor.replay.scheduler.cycle import Objection
from kubedoctor.replay.scheduler.plugins.inter_pod_affinity import EXISTING_ANTI_AFFINITY, POD_ANTI_AFFINITY
from kubedoctor.replay.scheduler.plugins.node_ports import HOST_PORT
from kubedoctor.replay.scheduler.plugins.node_resources_fit import RESOURCE
from kubedoctor.replay.scheduler.plugins.pod_topology_spread import TOPOLOGY_SPREAD
from kubedoctor.replay.scheduler.plugins.taint_toleration import taint_text
from kubedoctor.replay.scheduler.plugins.volume_restrictions import CLAIM_IN_USE

_MOST_EMPTY = 3


def why_it_waits(blocked: WaitingPods) -> str:
    """What the old pods have that the new pod needs."""
    return "; ".join(dict.fromkeys(_held(objection, blocked) for objection in blocked.objections))


def spreading(blocked: WaitingPods) -> Iterator[tuple[int, TopologySpreadConstraint]]:
    """The constraints that the old pods break for the new pod, where some are."""
    if any(objection.status.has(TOPOLOGY_SPREAD) for objection in blocked.objections):
        for index, constraint in enumerate(blocked.pod.spec.topology_spread_constraints or ()):
            if constraint.when_unsatisfiable == "DoNotSchedule":
                yield index, constraint


def empty_domains(blocked: WaitingPods) -> str:
    """Nodes that a spread counts as empty although their taints keep the pod away."""
    tolerations, nodes = blocked.pod.spec.tolerations, [info.node for info in blocked.answer.state.nodes]
    closing = {node.name: untolerated(tolerations, node.spec.taints) for node in nodes}
    for _, constraint in spreading(blocked):
        key = constraint.topology_key
        usable = {node.labels.get(key) for node in nodes if closing[node.name] is None}
        closed = [node.name for node in nodes if key in node.labels and node.labels[key] not in usable]
        taint = closing[closed[0]] if closed and constraint.node_taints_policy != "Honor" else None
        if taint is not None:
            return (
                f"{listed(closed, _MOST_EMPTY)} {'counts' if len(closed) == 1 else 'count'} as a domain with 0 pods, "
                f"although the pod does not tolerate taint {taint_text(taint)} there: nodeTaintsPolicy of the spread is "
                "Ignore."
            )
    return ""


def _held(objection: Objection, blocked: WaitingPods) -> str:
    status, single = objection.status, len(blocked.old) == 1
    old = "old pod" if single else counted(len(blocked.old), "old pod")
    if status.has(TOPOLOGY_SPREAD):
        _, first = next(iter(spreading(blocked)))
        return f"maxSkew {first.max_skew} over {first.topology_key} counts its {old} too"
    if status.has(POD_ANTI_AFFINITY, EXISTING_ANTI_AFFINITY):
        return f"the required anti-affinity excludes each node with {'its old pod' if single else f'one of its {old}'}"
    if status.has(HOST_PORT):
        return f"its {old} {'holds' if single else 'hold'} host port {listed(status.named, 3)}"
    if status.has(CLAIM_IN_USE):
        return f"its {old} {'uses' if single else 'use'} the same ReadWriteOncePod claim"
    if status.has(RESOURCE):
        resources = listed(dict.fromkeys(shortage.resource for shortage in status.shortages), 3)
        return f"its {old} {'has' if single else 'have'} the {resources} that it requests"
    return f"{short_reason(objection)}, until its {old} {'ends' if single else 'end'}"
