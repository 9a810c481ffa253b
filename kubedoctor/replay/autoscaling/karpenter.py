"""The progress of Karpenter with a node, and the pools that it may not grow (`kubernetes-sigs/karpenter`).

Limits: `pkg/controllers/provisioning/scheduling/scheduler.go` (filterByRemainingResources). States of a claim:
`pkg/controllers/nodeclaim/lifecycle`. Events: `pkg/controllers/provisioning/scheduling/events.go`.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from kubedoctor.cluster.grammar.quantities import Quantity
from kubedoctor.cluster.grammar.tolerations import tolerates
from kubedoctor.cluster.kinds.affinity import NodeSelectorRequirement
from kubedoctor.cluster.kinds.karpenter import NODE_POOL_LABEL, NodeClaim, NodePool
from kubedoctor.cluster.kinds.meta import Condition, KubernetesObject, condition
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, custom_kind_name
from kubedoctor.replay.scheduler.plugins.required_node_affinity import required_terms
from kubedoctor.replay.scheduler.requests import amounts, pod_requests

_CLAIM = re.compile(r"\bnodeclaim/([a-z0-9.-]+)")
_NODE = re.compile(r"\bnode/([a-z0-9.-]+)")


class Stage(enum.Enum):
    """The progress of a NodeClaim."""

    LAUNCHING = "launching"
    NOT_LAUNCHED = "not-launched"
    REGISTERING = "registering"
    STARTING = "starting"
    READY = "ready"
    ENDING = "ending"


class Exhausted(msgspec.Struct, frozen=True):
    """A limit of a pool that leaves too little. `limit` and `used` as the pool reports them."""

    resource: str
    limit: str
    used: str


def stage_of(claim: NodeClaim) -> Stage:
    """The progress of a claim. NOT_LAUNCHED only where a failure is reported: until then, the cloud's answer is
    pending."""
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


class Unregistered(NamedTuple):
    """A machine that was launched and whose node has not joined. `registered`: what the claim states of that."""

    since: datetime
    registered: Condition | None


def unregistered(claim: KubernetesObject) -> Unregistered | None:
    """None where its machine is not launched, or its node has joined."""
    if not isinstance(claim, NodeClaim) or stage_of(claim) is not Stage.REGISTERING:
        return None
    launched, registered = (condition(claim.status.conditions, kind) for kind in ("Launched", "Registered"))
    since = launched.last_transition_time if launched is not None else None
    return Unregistered(since, registered) if since is not None else None


def exhausted(pool: NodePool, pod: Pod) -> tuple[Exhausted, ...]:
    """The limits of a pool that leave less than the pod requests, or nothing at all."""
    limits, used = amounts(_texts(pool.spec.limits)), amounts(_texts(pool.status.resources))
    requests = pod_requests(pod.spec)
    reached = []
    for name, limit in sorted(limits.items()):
        usage, request = used.get(name, Quantity()), requests.get(name, Quantity())
        if usage >= limit or usage + request > limit:
            reached.append(Exhausted(name, str(limit), str(usage)))
    return tuple(reached)


def not_ready(pool: NodePool) -> Condition | None:
    """The condition that stops Karpenter from using a pool: the part of Ready that is false, or Ready itself."""
    ready = condition(pool.status.conditions, "Ready")
    if ready is None or ready.status == "True":
        return None
    parts = (condition(pool.status.conditions, kind) for kind in ("NodeClassReady", "ValidationSucceeded"))
    return next(
        (stated for stated in parts if stated is not None and stated.status == "False"),
        ready,
    )


def may_take(pool: NodePool, pod: Pod) -> bool:
    """Whether nodes of a pool could accept a pod, by taints and labels; true where it is unclear."""
    template = pool.spec.template
    for taint in template.spec.taints or ():
        if taint.effect in ("NoSchedule", "NoExecute") and not any(
            tolerates(toleration, taint) for toleration in pod.spec.tolerations or ()
        ):
            return False
    offered = _offered(pool)
    selector = pod.spec.node_selector or {}
    if any(key in offered and value not in offered[key] for key, value in selector.items()):
        return False
    required = required_terms(pod)
    terms = (required.node_selector_terms or ()) if required is not None else ()
    return not terms or any(_possible(term.match_expressions or (), offered) for term in terms)


def is_meant(pool: NodePool, pod: Pod) -> bool:
    """Whether the nodeSelector of a pod has a label that the pool gives its nodes."""
    given = {**(pool.spec.template.metadata.labels or {}), NODE_POOL_LABEL: pool.name}
    return any(given.get(key) == value for key, value in (pod.spec.node_selector or {}).items())


def node_class_of(pool: NodePool) -> Ref | None:
    """The class of the cloud that a pool makes its nodes by (`EC2NodeClass.karpenter.k8s.aws`)."""
    named = pool.spec.template.spec.node_class_ref
    group = (named.group or named.api_version.rpartition("/")[0]) if named is not None else ""
    return Ref(custom_kind_name(named.kind, group), "", named.name) if named is not None and group else None


def _offered(pool: NodePool) -> dict[str, frozenset[str]]:
    """The values that labels of its nodes can have, where the pool lists them."""
    template = pool.spec.template
    offered = {key: frozenset((value,)) for key, value in (template.metadata.labels or {}).items()}
    for requirement in template.spec.requirements or ():
        if requirement.operator == "In":
            values = frozenset(requirement.values or ())
            offered[requirement.key] = offered[requirement.key] & values if requirement.key in offered else values
    offered[NODE_POOL_LABEL] = frozenset((pool.name,))
    return offered


def _possible(requirements: Iterable[NodeSelectorRequirement], offered: Mapping[str, frozenset[str]]) -> bool:
    for requirement in requirements:
        there = offered.get(requirement.key)
        if there is None:
            continue
        values = frozenset(requirement.values or ())
        if (requirement.operator == "In" and not there & values) or (
            requirement.operator == "NotIn" and not there - values
        ):
            return False
        if requirement.operator == "DoesNotExist":
            return False
    return True


def nominated_claim(message: str) -> str:
    """The NodeClaim in a Nominated message (`Pod should schedule on: nodeclaim/a-x7x2f, node/n1`), or nothing."""
    match = _CLAIM.search(message)
    return match[1] if match else ""


def nominated_node(message: str) -> str:
    """The Node in a Nominated message, or nothing."""
    match = _NODE.search(message)
    return match[1] if match else ""


def _true(stated: Condition | None) -> bool:
    return stated is not None and stated.status == "True"


def _texts(values: Mapping[str, str | int] | None) -> dict[str, str]:
    return {name: str(value) for name, value in (values or {}).items()}
