"""Which taint, how much of which resource, which label: what the nodes add to the scheduler's reasons."""

from __future__ import annotations

import shlex
from collections import Counter

from diagnostics.scheduling._case import CONTROL_PLANE, NODE_TROUBLE, Case, Fact, amount_text, names, some, taint_text
from kubedoctor.cluster import Pod, has_path, quote, ref
from kubedoctor.cluster.nearest import NearMiss, misspellings, nearest_labels
from kubedoctor.cluster.pods import NodeSelectorRequirement, NodeSelectorTerm
from kubedoctor.cluster.quantities import Quantity
from kubedoctor.cluster.relations import workload_of
from kubedoctor.cluster.selectors import node_selector_matches
from kubedoctor.cluster.triage import all_containers, container_path
from kubedoctor.findings import Effect, Evidence, Fix
from kubedoctor.replay.scheduler.messages import Reason
from kubedoctor.replay.scheduler.requests import pod_requests


def taint(case: Case, reason: Reason) -> Fact:
    """1.34.2 and later no longer name the taint: it is found by comparing tolerations with taints."""
    if not case.tainted:
        named = f" {{{reason.detail}}}" if reason.detail else ""
        return Fact(f"{some(reason.count, 'has', 'have')} a taint{named} that the pod does not tolerate")
    counted = Counter(taint_text(taint) for _, taint in case.tainted if taint.key not in CONTROL_PLANE)
    known = len(case.tainted) == reason.count
    parts = [
        f"{some(n, 'has', 'have') if known else 'some have'} the taint {text}" for text, n in counted.most_common(3)
    ]
    if kept_for := len(case.tainted) - counted.total():
        parts.append(f"{some(kept_for, 'is', 'are') if known else 'some are'} kept for the control plane (taint)")
    troubled = [node for node, taint in case.tainted if taint.key in NODE_TROUBLE]
    plain = [(node, taint) for node, taint in case.tainted if taint.key not in (*CONTROL_PLANE, *NODE_TROUBLE)]
    fixes: list[Fix] = []
    for text in dict.fromkeys(taint_text(taint) for _, taint in plain):
        nodes = " ".join(node.name for node, taint in plain if taint_text(taint) == text)
        first = next(taint for _, taint in plain if taint_text(taint) == text)
        toleration = {"key": first.key, "operator": "Equal", "value": first.value, "effect": first.effect}
        if not case.pod.spec.tolerations or not first.value:
            toleration = {"key": first.key, "operator": "Exists", "effect": first.effect}
        kept = [
            {k: v for k, v in (("key", t.key), ("operator", t.operator), ("value", t.value), ("effect", t.effect)) if v}
            for t in case.pod.spec.tolerations or ()
            if t.toleration_seconds is None
        ]
        fixes.append(case.patch({"tolerations": [*kept, toleration]}, f"let the pods tolerate {text}"))
        line = f"kubectl taint nodes {nodes} {shlex.quote(text)}-"
        fixes.append(Fix(f"or remove the taint {text}, if it is not meant", line, Effect.CHANGES))
    return Fact(
        ", ".join(parts),
        tuple(quote(node, "spec.taints", "not tolerated by the pod") for node, _ in (plain or case.tainted)[:3]),
        tuple(fixes[:4]),
        blames=tuple(ref(node) for node in troubled),
        minor=not troubled and not plain,
    )


def cordoned(case: Case, reason: Reason) -> Fact:
    nodes = case.cordoned
    if not nodes:
        return Fact(some(reason.count, "is cordoned", "are cordoned"))
    listed = " ".join(node.name for node in nodes)
    return Fact(
        f"{some(reason.count, 'is', 'are')} cordoned ({names(node.name for node in nodes)})",
        tuple(quote(node, "spec.unschedulable", "cordoned: takes no new pods") for node in nodes[:5]),
        (Fix("let the nodes take pods again", f"kubectl uncordon {listed}", Effect.CHANGES),),
    )


def resource(case: Case, reason: Reason) -> Fact:
    name = reason.detail
    head = f"{some(reason.count, 'has', 'have')} too little {name}"
    asked = pod_requests(case.pod.spec).get(name)
    if asked is None:
        return Fact(head)
    want = amount_text(name, asked)
    request = _request(case.pod, name)
    sized = [
        (amount, node) for node in case.open if (amount := case.fleet.allocatable[node.name].get(name)) is not None
    ]
    if not sized:
        offered = ", and no node offers any" if case.nodes else ""
        return Fact(f"{head}: it asks for {want}{offered}", _kept([request]))
    largest, biggest = max(sized, key=lambda pair: pair[0])
    size = quote(biggest, f"status.allocatable[{name}]", "the most that a node offers")
    lacking = _lacking(case, name, asked)
    lower = _lower(case, name, lacking)
    if asked > largest:
        text = f"{head}: it asks for {want}, the largest node has {amount_text(name, largest)}"
        return Fact(text, _kept([request, size]), lower)
    if not lacking:
        return Fact(f"{head} free: it asks for {want}", _kept([request, size]), lower)
    free, node_name = lacking[0]
    text = f"{head} free: it asks for {want}, at most {amount_text(name, free)} is free ({node_name})"
    above, holder = _held_above(case, name)
    return Fact(text, _kept([request, size, holder]), lower, detail=above)


def _kept(evidence: list[Evidence | None]) -> tuple[Evidence, ...]:
    return tuple(one for one in evidence if one is not None)


def _request(pod: Pod, name: str) -> Evidence | None:
    for container in all_containers(pod):
        path = f"{container_path(pod, container.name)}.resources.requests[{name}]"
        if has_path(pod, path):
            return quote(pod, path, "what it asks for")
    return None


def _lacking(case: Case, name: str, asked: Quantity) -> list[tuple[Quantity, str]]:
    """What is free on the nodes that have not enough of it, the most first."""
    free = [
        (max(room.free[name], Quantity()), node.name)
        for node in case.open
        if case.room and (room := case.room.get(node.name)) and name in room.free and room.free[name] < asked
    ]
    return sorted(free, reverse=True)


def _held_above(case: Case, name: str) -> tuple[str, Evidence | None]:
    """Who of a higher priority holds the room, where someone does."""
    mine = case.pod.spec.priority or 0
    if case.room is None:
        return "", None
    above = [
        pod
        for node in case.open
        if node.name in case.room
        for pod in case.room[node.name].pods
        if (pod.spec.priority or 0) > mine and pod.namespace != "kube-system" and name in pod_requests(pod.spec)
    ]
    if not above:
        return "", None
    above.sort(key=lambda pod: (-pod_requests(pod.spec)[name].milli_value(), pod.namespace, pod.name))
    holder = above[0]
    who = workload_of(holder, case.cluster).title
    text = (
        f"Pods of a higher priority than its {mine} hold {name}, first of all {who} (priority {holder.spec.priority})"
    )
    evidence = quote(holder, "spec.priority", "goes before it") if has_path(holder, "spec.priority") else None
    return f"{text}: they may have preempted it, and it cannot preempt them.", evidence


def _lower(case: Case, name: str, lacking: list[tuple[Quantity, str]]) -> tuple[Fix, ...]:
    summary = f"ask for less {name}, or add a node that has enough"
    asking = [c.name for c in case.pod.spec.containers if c.resources and name in (c.resources.requests or {})]
    kinds = ("Deployment", "StatefulSet", "DaemonSet")
    if len(asking) != 1 or not lacking or lacking[0][0].is_zero or case.workload.kind not in kinds:
        return (Fix(summary),)
    free, node_name = lacking[0]
    if name not in ("cpu", "memory"):
        return (Fix(summary),)
    target = f"{case.workload.argument}{case.workload.namespace_flag} -c {asking[0]}"
    line = f"kubectl set resources {target} --requests={name}={free}"
    return (Fix(f"{summary}; {node_name} has {amount_text(name, free)} free", line, Effect.DISRUPTS),)


def node_affinity(case: Case, reason: Reason) -> Fact:
    pod = case.pod
    wanted = pod.spec.node_selector or {}
    lacking = {key: value for key, value in wanted.items() if (key, value) not in case.fleet.labels}
    affinity = pod.spec.affinity and pod.spec.affinity.node_affinity
    required = affinity and affinity.required_during_scheduling_ignored_during_execution
    head = some(reason.count, "does not match", "do not match")
    if wanted and (lacking or not required):
        asked = ",".join(f"{key}={value}" for key, value in (lacking or wanted).items())
        near = nearest_labels(lacking, case.fleet.kinds_of_labels) if lacking else None
        hint = f"; did you mean {near.text}?" if near else ""
        evidence = [quote(pod, "spec.nodeSelector", "")]
        if near and (node := next((n for n in case.nodes if n.labels == near.labels), None)):
            evidence += [quote(node, f"metadata.labels[{each.found_key}]", "") for each in near.differs]
        fixes = (_selector_fix(case, near),) if near else ()
        text = f"{head} its nodeSelector {asked}{', which no node has' if lacking and case.nodes else ''}{hint}"
        return Fact(text, tuple(evidence), fixes)
    if required:
        path = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
        terms = required.node_selector_terms or ()
        broken = [
            _expression(case, one)
            for term in terms
            for one in (*(term.match_expressions or ()), *(term.match_fields or ()))
            if not any(node_selector_matches((_only(term, one),), node.labels, node.name) for node in case.nodes)
        ]
        said = f": no node has {names(broken)}" if broken and case.nodes else ""
        return Fact(f"{head} its node affinity{said}", (quote(pod, path, ""),))
    return Fact(f"{head} its node affinity or selector")


def _only(term: NodeSelectorTerm, one: NodeSelectorRequirement) -> NodeSelectorTerm:
    """A term with this one condition."""
    fields = term.match_fields or ()
    return NodeSelectorTerm(match_fields=(one,)) if one in fields else NodeSelectorTerm(match_expressions=(one,))


def _expression(case: Case, one: NodeSelectorRequirement) -> str:
    values = ",".join(one.values or ())
    text = f"{one.key} {one.operator}{f' ({values})' if values else ''}"
    present = {node.labels[one.key] for node in case.nodes if one.key in node.labels}
    near = [word for value in one.values or () for word in misspellings(value, present, 1)]
    keys = misspellings(one.key, {key for node in case.nodes for key in node.labels}, 1) if not present else ()
    meant = near or [f"key {key}" for key in keys]
    if meant:
        return f"{text} (did you mean {meant[0]}?)"
    return f"{text} (they have {names(sorted(present))})" if present else text


def _selector_fix(case: Case, near: NearMiss) -> Fix:
    selector: dict[str, str | None] = {}
    for each in near.differs:
        if each.found_key != each.key:
            selector[each.key] = None
        selector[each.found_key] = each.found
    return case.patch({"nodeSelector": selector}, f"select {near.text}, which nodes have")


def too_many_pods(case: Case, reason: Reason) -> Fact:
    full = [(node, room) for node in case.open if case.room and (room := case.room.get(node.name)) and room.is_full]
    if not full:
        return Fact(some(reason.count, "runs as many pods as it may", "run as many pods as they may"))
    node, room = full[0]
    head = some(reason.count, "runs as many pods as it may", "run as many pods as they may")
    text = f"{head} ({node.name}: {len(room.pods)} of {room.allocatable['pods']})"
    evidence = tuple(quote(one, "status.allocatable[pods]", "the most pods that it may run") for one, _ in full[:3])
    return Fact(text, evidence, (Fix("add a node, move pods away, or raise the kubelet's maxPods"),))
