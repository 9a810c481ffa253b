"""No node can take the pod.

## What it means
The scheduler tried every node and each refused the pod, so it stays Pending without a node. Its message counts the
reasons: each node is counted under what refused it first. Nothing runs and nothing is pulled until one node fits.

## Why it happens
- The pod asks for more CPU, memory or devices than any node has free, or than any node has at all.
- A nodeSelector or node affinity names a label that no node carries: a typo, or nodes that are not there yet.
- Nodes carry a taint that the pod does not tolerate, are cordoned, or are in trouble themselves.
- Rules between pods: anti-affinity with too few nodes, a topology spread whose emptiest domain is full, a host port.
- Its claim has no volume, or its volume lives where the pod may not run.
- No scheduler looks at it: `schedulerName` names one that does not run.

## How to fix it
1. Read the whole message: the reason with the most nodes is rarely the only one.
2. Change what the pod asks for, or give one node what it needs; preemption helps only against lower priorities.
3. If a claim or a node is to blame, repair that: the pod is placed by itself afterwards.

## References
- https://kubernetes.io/docs/concepts/scheduling-eviction/kube-scheduler/
- https://kubernetes.io/docs/tasks/debug/debug-application/debug-pods/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import msgspec

from diagnostics.scheduling import _node_facts, _pod_facts, _volume_facts
from diagnostics.scheduling._case import Case, Fact, names
from kubedoctor.cluster import (
    Cluster,
    Event,
    Lease,
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    Ref,
    condition,
    has_path,
    quote,
    ref,
)
from kubedoctor.cluster.control import ResourceClaim, ResourceSlice
from kubedoctor.cluster.relations import WORKLOADS, workload_of
from kubedoctor.cluster.triage import terminating, unscheduled
from kubedoctor.findings import Command, Confidence, Explains, Finding, Severity, diagnostic
from kubedoctor.replay.scheduler.messages import Obstacle, Reason, SchedulingMessage, parse_message
from kubedoctor.replay.scheduler.room import fleet_of

SOON = timedelta(minutes=1)
NODE_COMES = timedelta(minutes=10)
"""So long a cloud may need for a machine that joins."""
SCALES_UP = ("TriggeredScaleUp", "Nominated")
"""Events of the cluster-autoscaler and of Karpenter."""
MESSAGE = "status.conditions[type=PodScheduled].message"
_FACTS: dict[Obstacle, Callable[[Case, Reason], Fact]] = {
    Obstacle.TAINT: _node_facts.taint,
    Obstacle.CORDONED: _node_facts.cordoned,
    Obstacle.RESOURCE: _node_facts.resource,
    Obstacle.TOO_MANY_PODS: _node_facts.too_many_pods,
    Obstacle.NODE_AFFINITY: _node_facts.node_affinity,
    Obstacle.HOST_PORT: _pod_facts.host_port,
    Obstacle.TOPOLOGY_SPREAD: _pod_facts.topology_spread,
    Obstacle.TOPOLOGY_LABEL: _pod_facts.topology_spread,
    Obstacle.POD_AFFINITY: _pod_facts.pod_affinity,
    Obstacle.POD_ANTI_AFFINITY: _pod_facts.pod_affinity,
    Obstacle.EXISTING_ANTI_AFFINITY: _pod_facts.pod_affinity,
    Obstacle.RESOURCE_CLAIM: _pod_facts.resource_claim,
    Obstacle.VOLUME_NODE_AFFINITY: _volume_facts.volume_place,
    Obstacle.VOLUME_ZONE: _volume_facts.volume_place,
    Obstacle.VOLUME_MISSING: _volume_facts.missing_volume,
    Obstacle.NO_VOLUME: _volume_facts.unbound,
    Obstacle.FREE_STORAGE: _volume_facts.unbound,
    Obstacle.CLAIM_UNBOUND: _volume_facts.unbound,
    Obstacle.CLAIM_MISSING: _volume_facts.missing_claim,
    Obstacle.CLAIM_NOT_YET_MADE: _volume_facts.missing_claim,
    Obstacle.CLAIM_DELETING: _volume_facts.deleting_claim,
    Obstacle.CLAIM_IN_USE: _volume_facts.claim_in_use,
}


@diagnostic(
    code="KD1101",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(
        *(Event, Pod, Node, PersistentVolumeClaim, PersistentVolume, ResourceClaim, ResourceSlice, Lease),
        *WORKLOADS,
    ),
    when=unscheduled,
    explains=(Explains("same", ("KD1201", "KD1204")), Explains("selects", ("KD2001",))),
    also_known_as=("pending", "FailedScheduling"),
)
def unschedulable(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if not unscheduled(pod) or terminating(pod) or pod.spec.scheduling_gates:
        return
    said = condition(pod.status.conditions, "PodScheduled")
    if said is None or said.status == "True":
        yield from _nobody_tried(pod, cluster)
        return
    if said.status != "False" or said.reason == "SchedulingGated" or not has_path(pod, MESSAGE):
        return
    message = parse_message(said.message)
    if _soon_placed(pod, message, cluster):
        return
    cluster.together(lambda: cluster.require(Node, Pod), lambda: cluster.events_about(ref(pod)))
    case = Case(pod, cluster, workload_of(pod, cluster), fleet_of(cluster))
    made = _finding(case, message)
    coming = _node_to_come(pod, cluster)
    if coming is not None:
        made = msgspec.structs.replace(
            made,
            summary=f"{made.summary}; a node is being added for it",
            severity=Severity.NOTICE,
            evidence=(*made.evidence, quote(coming, "message", "an autoscaler answers")),
            fixes=(),
        )
    yield made


def _node_to_come(pod: Pod, cluster: Cluster) -> Event | None:
    """The newest word of an autoscaler, if it is that it adds a node, and is not old."""
    for event in reversed(cluster.events_about(ref(pod))):
        if event.reason in ("NotTriggerScaleUp", *SCALES_UP) and event.message and event.seen_at is not None:
            fresh = cluster.taken_at - event.seen_at < NODE_COMES
            return event if event.reason in SCALES_UP and fresh else None
    return None


def _soon_placed(pod: Pod, message: SchedulingMessage, cluster: Cluster) -> bool:
    """Room is being made for it, or a controller is about to make what it waits for."""
    young = pod.metadata.creation_timestamp is None or cluster.taken_at - pod.metadata.creation_timestamp < SOON
    making = bool(pod.status.nominated_node_name) or bool(message.preemption and message.preemption.node)
    waiting = any(
        reason.obstacle is Obstacle.CLAIM_NOT_YET_MADE or "to create the resourceclaim" in reason.text
        for reason in message.reasons
    )
    return young and (making or waiting)


def _finding(case: Case, message: SchedulingMessage) -> Finding:
    pod = case.pod
    pairs = [(reason, _fact(case, reason)) for reason in message.reasons]
    pairs.sort(key=lambda pair: (pair[1].minor, -(pair[0].count or 0), pair[0].text))
    major = [(reason, fact) for reason, fact in pairs if not fact.minor] or pairs
    about = _culprit(case, major)
    evidence = [quote(pod, MESSAGE, "the scheduler's own words")]
    for _, fact in pairs:
        evidence += [one for one in fact.evidence if one not in evidence]
    return Finding(
        about=about,
        summary=_summary(about, message, [fact.text for _, fact in pairs]),
        evidence=tuple(evidence),
        confidence=Confidence.CERTAIN,
        detail=" ".join(fact.detail for _, fact in pairs if fact.detail),
        fixes=tuple(dict.fromkeys(fix for _, fact in major for fix in fact.fixes)),
        commands=(
            Command(
                f"kubectl describe pod {pod.name} -n {pod.namespace}", "the scheduler's message and what it asks for"
            ),
            Command("kubectl get nodes -o wide --show-labels", "the nodes, their state and labels"),
        ),
        because_of=_blamed(major),
    )


def _summary(about: Ref, message: SchedulingMessage, texts: list[str]) -> str:
    told = "; ".join(texts) or message.rest or "nothing more"
    counted = any(reason.count is not None for reason in message.reasons)
    if about.kind == "Node":
        others = f", and no other of the {message.nodes} nodes can" if (message.nodes or 0) > 1 else ""
        return f"takes no new pods{others}: {told}"
    if message.nodes and counted:
        return f"{f'fits none of the {message.nodes} nodes' if message.nodes > 1 else 'does not fit the only node'}: {told}"
    return f"no node is tried: {told}" if message.nodes else f"the scheduler says: {told}"


def _fact(case: Case, reason: Reason) -> Fact:
    if made := _FACTS.get(reason.obstacle):
        return made(case, reason)
    return Fact(f"{reason.count} {reason.text}" if reason.count is not None else reason.text)


def _culprit(case: Case, major: list[tuple[Reason, Fact]]) -> Ref:
    """A node where nothing but that node's state refuses the pod, else its workload."""
    obstacles = {reason.obstacle for reason, _ in major}
    if obstacles == {Obstacle.CORDONED} and case.cordoned:
        return ref(case.cordoned[0])
    if obstacles == {Obstacle.TOO_MANY_PODS} and case.room:
        full = [node for node in case.open if node.name in case.room and case.room[node.name].is_full]
        if len(full) == 1 == len(case.open):
            return ref(full[0])
    return case.workload


def _blamed(major: list[tuple[Reason, Fact]]) -> tuple[Ref, ...]:
    """Claims are always to blame; nodes only where no node refuses for another reason."""
    all_nodes = all(reason.obstacle is Obstacle.TAINT for reason, _ in major)
    blamed = [name for _, fact in major for name in fact.blames if all_nodes or name.kind != "Node"]
    return tuple(dict.fromkeys(blamed))


def _nobody_tried(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    """Pending, without a node and without a word of any scheduler."""
    created = pod.metadata.creation_timestamp
    if created is None or cluster.taken_at - created < SOON or pod.status.phase not in ("", "Pending"):
        return
    name = pod.spec.scheduler_name or "default-scheduler"
    lease = cluster.maybe.get(Lease, "kube-system", "kube-scheduler")
    renewed = lease.spec.renew_time if lease is not None else None
    evidence = [quote(pod, "metadata.creationTimestamp", "and no scheduler has said anything since")]
    if has_path(pod, "spec.schedulerName"):
        evidence.append(quote(pod, "spec.schedulerName", "the scheduler that must place it"))
    down = name == "default-scheduler" and renewed is not None and cluster.taken_at - renewed > SOON
    if down and lease is not None and renewed is not None:
        since = int((cluster.taken_at - renewed).total_seconds())
        yield Finding(
            about=ref(lease),
            summary=f"kube-scheduler has not renewed its lease for {since} s: it does not run, so no pod is placed",
            evidence=(quote(lease, "spec.renewTime", "when the scheduler was last alive"), *evidence),
            confidence=Confidence.LIKELY,
            commands=(Command("kubectl get pods -n kube-system -l component=kube-scheduler", "does it run?"),),
        )
        return
    schedulers = {one.spec.scheduler_name for one in cluster.maybe.all(Pod) if one.spec.node_name}
    unknown = name not in schedulers and name != "default-scheduler"
    known = names(sorted(filter(None, schedulers)))
    yield Finding(
        about=workload_of(pod, cluster),
        summary=f"no scheduler has looked at it: it asks for the scheduler {name}"
        + (f", which has placed no pod here (others: {known})" if unknown and known else ""),
        evidence=tuple(evidence),
        confidence=Confidence.LIKELY if unknown else Confidence.POSSIBLE,
        would_disprove="" if unknown else "an event or a PodScheduled condition from that scheduler",
        commands=(Command("kubectl get pods -A | grep scheduler", "is a scheduler of that name running?"),),
    )
