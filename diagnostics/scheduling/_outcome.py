"""The outcome in words: every node's blockers, what preemption would do, and whether the scheduler says the same."""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.scheduling._case import amount_text, names
from kubedoctor.cluster import Cluster, Evidence, Pod, has_path, quote
from kubedoctor.cluster.durations import human_duration
from kubedoctor.cluster.relations import workload_of
from kubedoctor.replay.scheduler import reasons
from kubedoctor.replay.scheduler.cycle import Objection
from kubedoctor.replay.scheduler.framework import Code, Shortage
from kubedoctor.replay.scheduler.grouping import NodeGroup
from kubedoctor.replay.scheduler.pending import PendingAnswer
from kubedoctor.replay.scheduler.preemption import Candidate
from kubedoctor.replay.scheduler.self_check import Agreement

MOST_GROUPS = 8
CORDON_TAINT = "node.kubernetes.io/unschedulable:NoSchedule"
_WORDS = {
    reasons.CORDONED: "is cordoned",
    reasons.NODE_NAME: "is not the node that it names",
    reasons.NODE_AFFINITY: "does not match its node selector or affinity",
    reasons.ENFORCED_AFFINITY: "does not match the affinity that the scheduler's configuration adds",
    reasons.DISK_CONFLICT: "has a disk in use that it wants too",
    reasons.VOLUME_BIND: "has no volume for its claim",
    reasons.VOLUME_SPACE: "has too little storage for its claim",
    reasons.VOLUME_MISSING: "its claim is bound to a volume that does not exist",
    reasons.SPREAD_LABEL: "lacks the label that its topology spread needs",
    reasons.SPREAD: "has too many of these pods in its domain",
    reasons.POD_AFFINITY: "runs no pod that its affinity demands",
    reasons.POD_ANTI_AFFINITY: "runs a pod that its anti-affinity excludes",
    reasons.EXISTING_ANTI_AFFINITY: "runs a pod whose anti-affinity excludes it",
    reasons.NODE_FEATURES: "lacks a feature that it needs",
}
_NAMED = {
    "TaintToleration": "has the taint {}",
    "NodePorts": "has port {} taken",
    "NodeVolumeLimits": "can attach no more volumes ({})",
    "VolumeZone": "is in another zone than the volume {}",
    "PodTopologySpread": "would break the spread at {}",
}


def table(answer: PendingAnswer) -> str:
    """A line for each group of nodes, the nearest first; empty where no node was looked at."""
    if not answer.groups:
        return ""
    takes = "takes it, its resource claims apart" if answer.verdict.unreplayed else "takes it"
    lines = [f"- {names(group.names)}: {_group_text(group) or takes}" for group in answer.groups[:MOST_GROUPS]]
    if left := answer.groups[MOST_GROUPS:]:
        lines.append(f"- and {sum(len(group.nodes) for group in left)} more nodes")
    return "\n".join(("All that keeps it from each node, the nearest miss first:", *lines))


def _group_text(group: NodeGroup) -> str:
    """Without what the other blockers of the node say anyway."""
    cordoned = any(one.plugin == "NodeUnschedulable" for one in group.blockers)
    own = [one for one in group.blockers if not (cordoned and one.status.named == (CORDON_TAINT,))]
    return "; ".join(objection_text(one) for one in own if one.plugin or len(own) == 1)


def objection_text(one: Objection) -> str:
    """What one plugin objects to a node, to be read after the node's name."""
    status = one.status
    if status.shortages:
        return ", ".join(_shortage(short) for short in status.shortages)
    if status.named and one.plugin in _NAMED:
        return _NAMED[one.plugin].format(names(status.named))
    if any(reason in (*_OLD_AND_NEW, reasons.CLAIM_IN_USE) for reason in status.reasons):
        return _storage(one)
    return ", ".join(_WORDS.get(reason, reason) for reason in status.reasons) or "cannot be decided"


_OLD_AND_NEW = ("node(s) had volume node affinity conflict", "node(s) didn't match PersistentVolume's node affinity")


def _storage(one: Objection) -> str:
    named = names(one.status.named)
    if reasons.CLAIM_IN_USE in one.status.reasons:
        return f"its claim {named} is in use by another pod" if named else "its claim is in use by another pod"
    return f"cannot reach the volume {named}" if named else "cannot reach its volume"


def _shortage(short: Shortage) -> str:
    if short.resource == "pods":
        return f"runs {short.used} of {short.capacity} pods"
    name = short.resource
    missing = amount_text(name, short.missing)
    if short.beyond:
        return f"lacks {missing} {name} (it has {amount_text(name, short.capacity)} in all)"
    free = amount_text(name, max(short.capacity - short.used, 0))
    return f"lacks {missing} {name} ({free} of {amount_text(name, short.capacity)} is free)"


def agreement(answer: PendingAnswer, cluster: Cluster) -> str:
    """Whether the scheduler says the same; empty where it has said nothing."""
    said, compared = answer.said, answer.comparison
    if said is None:
        return ""
    ago = f"{human_duration(cluster.taken_at - said.at)} ago" if said.at else "at a time that is not known"
    if compared.agreement is Agreement.AGREES:
        return "The replay of the scheduler agrees with the scheduler's own words."
    if compared.agreement is Agreement.NOT_REPLAYED:
        return "This is the scheduler's word: what it objects to is not replayed."
    seen = answer.verdict.message or f"{names(answer.verdict.feasible)} would take it"
    if compared.agreement is Agreement.STALE:
        count = compared.nodes_then
        then = f"of {count} node{'' if count == 1 else 's'}" if count not in (None, answer.verdict.total) else ""
        newer = f", before {compared.changed[0].title} changed" if compared.changed else ""
        head = " ".join(filter(None, ("The scheduler spoke", then, ago)))
        return f'{head}{newer}: "{said.text}" What is seen of the cluster says: "{seen}"'
    other = "; ".join(
        f"{one.obstacle.value}{f' {one.detail}' if one.detail else ''}: {one.said} for the scheduler, {one.replayed} here"
        for one in compared.differences
    )
    blind = f" Not seen: {names(answer.unseen)}." if answer.unseen else ""
    return f'The scheduler ({ago}) counts otherwise than what is seen here explains: "{seen}" ({other}).{blind}'


def preemption(answer: PendingAnswer, cluster: Cluster) -> str:
    """Whether making room would help, and whom it would cost."""
    tried = answer.preemption
    if tried is None or tried.code is Code.ERROR:
        return ""
    if tried.not_eligible == reasons.PREEMPTION_NEVER:
        return "It may not preempt other pods: its preemptionPolicy is Never."
    if tried.not_eligible:
        return f"It does not preempt more pods while some end on {answer.pod.status.nominated_node_name}."
    best = next((one for one in tried.candidates if one.node in tried.best[:1]), None)
    priority = _priority(answer.pod)
    if best is not None:
        return _evicted(best, priority, cluster)
    without = [node for node, objection in tried.rejected if reasons.NO_VICTIMS in objection.status.reasons]
    still = [(node, each) for node, each in tried.rejected if reasons.NO_VICTIMS not in each.status.reasons]
    parts = []
    if without:
        parts.append(f"no pod on {names(without)} has a lower priority than this one ({priority})")
    if still:
        node, objection = still[0]
        parts.append(f"with every pod of a lower priority gone, {node} still {objection_text(objection)}")
    if not parts:
        return "Preemption does not help: no node would take it, whichever pods were evicted."
    return f"Preemption does not help: {'; '.join(parts)}."


def _priority(pod: Pod) -> str:
    name = pod.spec.priority_class_name
    return f"{pod.spec.priority or 0}{f', of class {name}' if name else ''}"


def _evicted(best: Candidate, priority: str, cluster: Cluster) -> str:
    who = names(dict.fromkeys(workload_of(one, cluster).title for one in best.victims))
    count = len(best.victims)
    budget = f", against {best.violations} of their disruption budgets" if best.violations else ""
    pods = f"{count} pod{'s' if count > 1 else ''}"
    return f"The scheduler may evict {pods} of {who} from {best.node} for it (its priority is {priority}){budget}."


def nearest_evidence(answer: PendingAnswer) -> Iterator[Evidence]:
    """The fields of the nearest node that decide."""
    if not answer.groups or not answer.groups[0].blockers:
        return
    node = answer.state.node_by_name[answer.groups[0].names[0]].node
    for one in answer.groups[0].blockers:
        paths = {
            "TaintToleration": (("spec.taints", "not tolerated by the pod"),),
            "NodeUnschedulable": (("spec.unschedulable", "cordoned: takes no new pods"),),
            "NodeResourcesFit": tuple(
                (
                    f"status.allocatable[{short.resource}]",
                    f"of which {amount_text(short.resource, short.used)} are taken",
                )
                for short in one.status.shortages
            ),
        }.get(one.plugin, ())
        for path, shows in paths:
            if has_path(node, path):
                yield quote(node, path, shows)


def ending_on_nominated(pod: Pod, answer: PendingAnswer | None) -> tuple[Pod, ...]:
    """The pods that must end before it gets the place that is kept for it."""
    info = answer.state.node_by_name.get(pod.status.nominated_node_name) if answer else None
    return tuple(one.pod for one in info.pods if one.pod.metadata.deletion_timestamp is not None) if info else ()
