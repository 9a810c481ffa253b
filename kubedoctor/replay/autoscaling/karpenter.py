"""How far Karpenter is with a node, and which pools it may not make bigger (`kubernetes-sigs/karpenter`).

Limits: `pkg/controllers/provisioning/scheduling/scheduler.go` (filterByRemainingResources). States of a claim:
`pkg/controllers/nodeclaim/lifecycle`. Events: `pkg/controllers/provisioning/scheduling/events.go`.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping

import msgspec

from kubedoctor.cluster.grammar.quantities import Quantity
from kubedoctor.cluster.grammar.tolerations import tolerates
from kubedoctor.cluster.kinds.affinity import NodeSelectorRequirement
from kubedoctor.cluster.kinds.karpenter import NODE_POOL_LABEL, NodeClaim, NodePool
from kubedoctor.cluster.kinds.meta import Condition, condition
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.plugins.required_node_affinity import required_terms
from kubedoctor.replay.scheduler.requests import amounts, pod_requests

_CLAIM = re.compile(r"\bnodeclaim/([a-z0-9.-]+)")
_NODE = re.compile(r"\bnode/([a-z0-9.-]+)")


class Stage(enum.Enum):
    """How far a claim is."""

    LAUNCHING = "launching"
    NOT_LAUNCHED = "not-launched"
    REGISTERING = "registering"
    STARTING = "starting"
    READY = "ready"
    ENDING = "ending"


class Exhausted(msgspec.Struct, frozen=True):
    """A limit of a pool that leaves too little. `limit` and `used` as the pool has them."""

    resource: str
    limit: str
    used: str


def stage_of(claim: NodeClaim) -> Stage:
    """NOT_LAUNCHED only where a failure is reported: before that, the cloud is asked."""
    if claim.metadata.deletion_timestamp is not None:
        return Stage.ENDING
    launched, registered, started = (
        condition(claim.status.conditions, kind) for kind in ("Launched", "Registered", "Initialized")
    )
    if not _true(launched):
        failed = launched is not None and (launched.status == "False" or "Fail" in launched.reason)
        return Stage.NOT_LAUNCHED if failed else Stage.LAUNCHING
    if not _true(registered):
        return Stage.REGISTERING
    return Stage.READY if _true(started) else Stage.STARTING


def exhausted(pool: NodePool, pod: Pod) -> tuple[Exhausted, ...]:
    """The limits of a pool that leave less than the pod requests, or nothing at all."""
    limits, used = amounts(_texts(pool.spec.limits)), amounts(_texts(pool.status.resources))
    asked = pod_requests(pod.spec)
    found = []
    for name, limit in sorted(limits.items()):
        taken, wanted = used.get(name, Quantity()), asked.get(name, Quantity())
        if taken >= limit or taken + wanted > limit:
            found.append(Exhausted(name, str(limit), str(taken)))
    return tuple(found)


def not_ready(pool: NodePool) -> Condition | None:
    """The condition that stops Karpenter from using a pool: the part of Ready that is false, or Ready itself."""
    ready = condition(pool.status.conditions, "Ready")
    if ready is None or ready.status == "True":
        return None
    parts = (condition(pool.status.conditions, kind) for kind in ("NodeClassReady", "ValidationSucceeded"))
    return next((one for one in parts if one is not None and one.status == "False"), ready)


def may_take(pool: NodePool, pod: Pod) -> bool:
    """Whether nodes of a pool could take a pod, as far as taints and labels tell. Where it is unclear: they could."""
    template = pool.spec.template
    for taint in template.spec.taints or ():
        if taint.effect in ("NoSchedule", "NoExecute") and not any(
            tolerates(one, taint) for one in pod.spec.tolerations or ()
        ):
            return False
    offered = _offered(pool)
    selector = pod.spec.node_selector or {}
    if any(key in offered and value not in offered[key] for key, value in selector.items()):
        return False
    required = required_terms(pod)
    terms = (required.node_selector_terms or ()) if required is not None else ()
    return not terms or any(_possible(term.match_expressions or (), offered) for term in terms)


def _offered(pool: NodePool) -> dict[str, frozenset[str]]:
    """The values that labels of its nodes can have, where they are named."""
    template = pool.spec.template
    offered = {key: frozenset((value,)) for key, value in (template.metadata.labels or {}).items()}
    for one in template.spec.requirements or ():
        if one.operator == "In":
            values = frozenset(one.values or ())
            offered[one.key] = offered[one.key] & values if one.key in offered else values
    offered[NODE_POOL_LABEL] = frozenset((pool.name,))
    return offered


def _possible(wanted: Iterable[NodeSelectorRequirement], offered: Mapping[str, frozenset[str]]) -> bool:
    for one in wanted:
        there = offered.get(one.key)
        if there is None:
            continue
        values = frozenset(one.values or ())
        if (one.operator == "In" and not there & values) or (one.operator == "NotIn" and not there - values):
            return False
        if one.operator == "DoesNotExist":
            return False
    return True


def nominated_claim(message: str) -> str:
    """The NodeClaim in a Nominated message (`Pod should schedule on: nodeclaim/a-x7x2f, node/n1`), or nothing."""
    found = _CLAIM.search(message)
    return found[1] if found else ""


def nominated_node(message: str) -> str:
    """The Node in a Nominated message, or nothing."""
    found = _NODE.search(message)
    return found[1] if found else ""


def _true(one: Condition | None) -> bool:
    return one is not None and one.status == "True"


def _texts(found: Mapping[str, str | int] | None) -> dict[str, str]:
    return {name: str(value) for name, value in (found or {}).items()}
