"""Which taint, how much of which resource, which label: what the nodes show beyond the scheduler's reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from functools import partial
from typing import Final

import msgspec

from kubedoctor.answers.placement.explaining.case import (
    NODE_TROUBLE,
    Case,
    Explanation,
    RefusedNode,
    names,
    some,
)
from kubedoctor.answers.placement.explaining.gone_nodes import gone, gone_text, named_by_pod
from kubedoctor.answers.placement.explaining.start_taints import start_taint
from kubedoctor.answers.placement.reasons import amount
from kubedoctor.cluster import Node, Pod, has_path, quote, ref
from kubedoctor.cluster.changes import Change, Operation, Step, labels_instead
from kubedoctor.cluster.grammar.nearest import NearMiss, misspellings, nearest_labels
from kubedoctor.cluster.grammar.selectors import node_selector_of
from kubedoctor.cluster.grammar.tolerations import untolerated
from kubedoctor.cluster.kinds.affinity import NodeSelectorRequirement, NodeSelectorTerm
from kubedoctor.cluster.kinds.core import Taint
from kubedoctor.cluster.relations.workloads import workload_of
from kubedoctor.cluster.triage import all_containers, container_path
from kubedoctor.findings import Effect, Evidence, Fix
from kubedoctor.findings.commands import command_line, container_command
from kubedoctor.replay.scheduler.framework import Reason, Shortage
from kubedoctor.replay.scheduler.memos import Memo
from kubedoctor.replay.scheduler.plugins.taint_toleration import taint_text
from kubedoctor.replay.scheduler.requests import counted, pod_requests
from kubedoctor.replay.scheduler.well_known import CONTROL_PLANE


class _Tainted(msgspec.Struct, frozen=True):
    """Nodes, each with its first taint that the pod does not tolerate. texts: the taints but for those of the control
    plane, with their numbers. plain, by_text: without nodes of the control plane and nodes in trouble."""

    nodes: tuple[tuple[Node, Taint], ...]
    keys: tuple[str, ...]
    texts: Counter[str]
    troubled: tuple[Node, ...]
    plain: tuple[tuple[Node, Taint], ...]
    by_text: dict[str, list[tuple[Node, Taint]]]


_TAINTED: Final = Memo[Hashable, _Tainted]()
_CORDONED: Final = Memo[Hashable, Explanation]()
_LINES: Final = Memo[Hashable, str]()
_MATCHED: Final = Memo[NodeSelectorTerm, bool]()


def taint(case: Case, reason: Reason) -> Explanation:
    """Releases from 1.34.2 on do not name the taint; the replay does."""
    tainted = case.kept_for_nodes(
        _TAINTED, case.refused(reason), case.pod.spec.tolerations, reason.detail, of=lambda: _tainted(case, reason)
    )
    if not tainted.nodes:
        detail = f" {{{reason.detail}}}" if reason.detail else ""
        return Explanation(f"{some(reason.count, 'has', 'have')} a taint{detail} that the pod does not tolerate")
    complete = len(tainted.nodes) == reason.count
    parts = [
        f"{some(n, 'has', 'have') if complete else 'some have'} the taint {text}"
        for text, n in tainted.texts.most_common(3)
    ]
    if kept_for := len(tainted.nodes) - tainted.texts.total():
        parts.append(f"{some(kept_for, 'has', 'have') if complete else 'some have'} the control-plane taint")
    of_start = next((found for key in tainted.keys if (found := start_taint(key, case.cluster))), None)
    return Explanation(
        ", ".join(parts) + (of_start.clause if of_start else ""),
        tuple(
            quote(node, "spec.taints", "not tolerated by the pod") for node, _ in (tainted.plain or tainted.nodes)[:3]
        ),
        (of_start.fix,) if of_start else _taint_fixes(case, tainted.by_text),
        blames=(*(of_start.suspects if of_start else ()), *(ref(node) for node in tainted.troubled)),
        minor=not tainted.troubled and not tainted.plain,
        settles=of_start is not None,
    )


def _tainted(case: Case, reason: Reason) -> _Tainted:
    """The nodes with the taint that the pod does not tolerate."""
    refused = [(refusal.node, _taint_of(case, refusal)) for refusal in case.refused(reason)]
    nodes = [
        (node, taint)
        for node, taint in refused
        if taint is not None and (not reason.detail or reason.detail in (taint.key, f"{taint.key}: {taint.value}"))
    ]
    plain = [(node, taint) for node, taint in nodes if taint.key not in (*CONTROL_PLANE, *NODE_TROUBLE)]
    by_text: dict[str, list[tuple[Node, Taint]]] = {}
    for node, taint in plain:
        by_text.setdefault(taint_text(taint), []).append((node, taint))
    return _Tainted(
        nodes=tuple(nodes),
        keys=tuple(dict.fromkeys(taint.key for _, taint in nodes)),
        texts=Counter(taint_text(taint) for _, taint in nodes if taint.key not in CONTROL_PLANE),
        troubled=tuple(node for node, taint in nodes if taint.key in NODE_TROUBLE),
        plain=tuple(plain),
        by_text=by_text,
    )


def only_node_tainted(case: Case, refused: list[RefusedNode]) -> Node | None:
    """The node whose taint leaves ordinary pods without any node: it is the only one but for control-plane nodes."""
    workers = [node for node in case.nodes if not any(taint.key in CONTROL_PLANE for taint in node.spec.taints or ())]
    if len(workers) != 1 or workers[0].name not in {refusal.name for refusal in refused}:
        return None
    taint = untolerated(case.pod.spec.tolerations, workers[0].spec.taints or ())
    return workers[0] if taint is not None and taint.key not in NODE_TROUBLE else None


def _taint_of(case: Case, refusal: RefusedNode) -> Taint | None:
    return untolerated(case.pod.spec.tolerations, refusal.node.spec.taints or ())


def _taint_fixes(case: Case, by_text: dict[str, list[tuple[Node, Taint]]]) -> tuple[Fix, ...]:
    fixes: list[Fix] = []
    for text, with_taint in by_text.items():
        nodes, first = [node for node, _ in with_taint], with_taint[0][1]
        toleration = {"key": first.key, "operator": "Equal", "value": first.value, "effect": first.effect}
        if not case.pod.spec.tolerations or not first.value:
            toleration = {"key": first.key, "operator": "Exists", "effect": first.effect}
        fixes.append(
            case.fix_of_template(f"Add a toleration for the taint {text}", Step(("tolerations", "-"), toleration))
        )
        line = case.kept_for_nodes(_LINES, nodes, text, of=partial(_untaint, with_taint))
        fixes.append(Fix(f"Or remove the taint {text}, if it is not intended", line, Effect.CHANGES))
    return tuple(fixes[:4])


def _untaint(tainted: list[tuple[Node, Taint]]) -> str:
    return command_line(_without_taints(tainted), *(node for node, _ in tainted))


def _without_taints(tainted: list[tuple[Node, Taint]]) -> Change:
    return Change(
        tuple(
            Operation(ref(node), (Step(("spec", "taints", (node.spec.taints or ()).index(taint)), remove=True),))
            for node, taint in tainted
        )
    )


def cordoned(case: Case, reason: Reason) -> Explanation:
    refused = case.refused(reason)
    if not refused:
        return Explanation(some(reason.count, "is cordoned", "are cordoned"))
    nodes = sorted((refusal.node for refusal in refused), key=lambda node: node.name)
    return case.kept_for_nodes(_CORDONED, nodes, reason.count, of=lambda: _cordoned(nodes, reason.count))


def _cordoned(nodes: list[Node], count: int | None) -> Explanation:
    return Explanation(
        f"{some(count, 'is', 'are')} cordoned ({names(node.name for node in nodes)})",
        tuple(quote(node, "spec.unschedulable", "cordoned: accepts no new pods") for node in nodes[:5]),
        (Fix("Uncordon the nodes", command_line(_opened(nodes)), Effect.CHANGES),),
    )


def _opened(nodes: Iterable[Node]) -> Change:
    return Change(tuple(Operation(ref(node), (Step(("spec", "unschedulable"), False),)) for node in nodes))


def resource(case: Case, reason: Reason) -> Explanation:
    name = reason.detail
    everywhere = reason.count is not None and reason.count == len(case.nodes)
    head = f"no node has enough {name}" if everywhere else f"{some(reason.count, 'has', 'have')} insufficient {name}"
    requested = counted_requests(case.pod).get(name)
    if requested is None:
        return Explanation(head)
    request_text = amount(name, requested)
    request = _request(case.pod, name)
    short = [
        (shortage, refusal) for refusal in case.refused(reason) if (shortage := refusal.shortage(name)) is not None
    ]
    sized = [(shortage, refusal) for shortage, refusal in short if shortage.capacity]
    if not sized:
        offered = ", and no node has any" if short and not _offered(case, name) else ""
        return Explanation(f"{head}: the pod requests {request_text}{offered}", _kept([request]))
    largest, biggest = max(sized, key=lambda pair: pair[0].capacity)
    size = quote(biggest.node, f"status.allocatable[{name}]", "the most that any node has")
    if requested > largest.capacity:
        text = f"{head}: the pod requests {request_text}, the largest node has {amount(name, largest.capacity)}"
        return Explanation(text, _kept([request, size]), _lower(case, name, largest, biggest))
    roomiest, where = max(sized, key=lambda pair: pair[0].capacity - pair[0].used)
    free = amount(name, max(roomiest.capacity - roomiest.used, 0))
    text = f"{head}: the pod requests {request_text}, at most {free} is free ({where.name})"
    used = f"of which its pods request {amount(name, roomiest.used)}"
    nearest = quote(where.node, f"status.allocatable[{name}]", used)
    above, holder = _held_above(case, name, [refusal for _, refusal in sized])
    return Explanation(text, _kept([request, nearest, holder]), _lower(case, name, roomiest, where), detail=above)


def _offered(case: Case, name: str) -> bool:
    return case.answer is not None and any(info.allocatable.get(name) for info in case.answer.state.nodes)


def counted_requests(pod: Pod) -> dict[str, int]:
    """What the scheduler looks for on a node: cpu in thousandths, the rest in units."""
    return counted(pod_requests(pod.spec))


def _kept(evidence: list[Evidence | None]) -> tuple[Evidence, ...]:
    return tuple(item for item in evidence if item is not None)


def _request(pod: Pod, name: str) -> Evidence | None:
    for container in all_containers(pod):
        path = f"{container_path(pod, container.name)}.resources.requests[{name}]"
        if has_path(pod, path):
            return quote(pod, path, "the request")
    return None


def _held_above(case: Case, name: str, refused: list[RefusedNode]) -> tuple[str, Evidence | None]:
    """The pods of higher priority that use the resource, if any."""
    mine = case.pod.spec.priority or 0
    above = [
        info
        for refusal in refused
        for info in refusal.info.pods
        if info.priority > mine and info.pod.namespace != "kube-system" and info.requests.get(name)
    ]
    if not above:
        return "", None
    holder = min(above, key=lambda info: (-info.requests[name], info.pod.namespace, info.pod.name)).pod
    title = workload_of(holder, case.cluster).title
    text = (
        f"Pods with a higher priority than {mine} use {name} there, such as {title} (priority {holder.spec.priority})"
    )
    evidence = quote(holder, "spec.priority", "a higher priority") if has_path(holder, "spec.priority") else None
    return f"{text}: they may have preempted this pod, and it cannot preempt them.", evidence


def _lower(case: Case, name: str, short: Shortage, where: RefusedNode) -> tuple[Fix, ...]:
    """Lowers the request to what is free on the node with the most room, if a single container requests all of it."""
    summary = f"Lower the {name} request, or add a node that has enough"
    asking = [c.name for c in case.pod.spec.containers if c.resources and name in (c.resources.requests or {})]
    free = short.capacity - short.used
    kinds = ("Deployment", "StatefulSet", "DaemonSet")
    alone = case.workload.kind in kinds and len(asking) == 1 and not case.pod.spec.init_containers
    exact = {"cpu": f"{free}m", "memory": f"{free // 2**20}Mi"}.get(name)
    if not alone or exact is None or exact in ("0m", "0Mi") or free <= 0:
        return (Fix(summary),)
    line = container_command(case.cluster.maybe.get_ref(case.workload), asking, ("resources", "requests", name), exact)
    return (Fix(f"{summary}; {where.name} has {exact} free", line, Effect.DISRUPTS),)


def node_affinity(case: Case, reason: Reason) -> Explanation:
    pod = case.pod
    node_selector = pod.spec.node_selector or {}
    lacking = {key: value for key, value in node_selector.items() if (key, value) not in case.labels}
    affinity = pod.spec.affinity and pod.spec.affinity.node_affinity
    required = affinity and affinity.required_during_scheduling_ignored_during_execution
    head = some(reason.count, "does not match", "do not match")
    if node_selector and (lacking or not required):
        labels = ",".join(f"{key}={value}" for key, value in (lacking or node_selector).items())
        near = nearest_labels(lacking, case.kinds_of_labels) if lacking else None
        hint = f"; did you mean {near.text}?" if near else ""
        evidence = [quote(pod, "spec.nodeSelector", "")]
        if near and (node := next((n for n in case.nodes if n.labels == near.labels), None)):
            evidence += [quote(node, f"metadata.labels[{difference.found_key}]", "") for difference in near.differences]
        fixes = (_selector_fix(case, near),) if near else ()
        missing = gone_text(gone(case, named_by_pod(pod)))
        hint += f"; {missing}" if missing else ""
        text = f"{head} the nodeSelector {labels}{', which no node has' if lacking and case.nodes else ''}{hint}"
        return Explanation(text, tuple(evidence), fixes)
    if required:
        path = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
        terms = required.node_selector_terms or ()
        broken = [
            _expression(case, requirement)
            for term in terms
            for requirement in (*(term.match_expressions or ()), *(term.match_fields or ()))
            if not _matched_somewhere(case, _only(term, requirement))
        ]
        details = f": no node has {names(broken)}" if broken and case.nodes else ""
        missing = gone_text(gone(case, named_by_pod(pod)))
        details += f"; {missing}" if missing else ""
        return Explanation(f"{head} the required node affinity{details}", (quote(pod, path, ""),))
    return Explanation(f"{head} the node affinity or nodeSelector")


def _matched_somewhere(case: Case, term: NodeSelectorTerm) -> bool:
    selector = node_selector_of((term,))
    return case.kept(_MATCHED, term, lambda: any(selector.matches(node.labels, node.name) for node in case.nodes))


def _only(term: NodeSelectorTerm, requirement: NodeSelectorRequirement) -> NodeSelectorTerm:
    """A term with this one condition."""
    fields = term.match_fields or ()
    return (
        NodeSelectorTerm(match_fields=(requirement,))
        if requirement in fields
        else NodeSelectorTerm(match_expressions=(requirement,))
    )


def _expression(case: Case, requirement: NodeSelectorRequirement) -> str:
    values = ",".join(requirement.values or ())
    text = f"{requirement.key} {requirement.operator}{f' ({values})' if values else ''}"
    present = {node.labels[requirement.key] for node in case.nodes if requirement.key in node.labels}
    near = [word for value in requirement.values or () for word in misspellings(value, present, 1)]
    keys = misspellings(requirement.key, {key for node in case.nodes for key in node.labels}, 1) if not present else ()
    suggestions = near or [f"key {key}" for key in keys]
    if suggestions:
        return f"{text} (did you mean {suggestions[0]}?)"
    return f"{text} (the nodes have {names(sorted(present))})" if present else text


def _selector_fix(case: Case, near: NearMiss) -> Fix:
    return case.fix_of_template(
        f"Set nodeSelector {near.text}, which nodes have", *labels_instead(("nodeSelector",), near)
    )


def too_many_pods(case: Case, reason: Reason) -> Explanation:
    head = some(reason.count, "runs its maximum number of pods", "run their maximum number of pods")
    full = [(refusal, short) for refusal in case.refused(reason) if (short := refusal.shortage("pods")) is not None]
    if not full:
        return Explanation(head)
    first, short = full[0]
    evidence = tuple(
        quote(refusal.node, "status.allocatable[pods]", "its maximum number of pods")
        for refusal, _ in full[:3]
        if has_path(refusal.node, "status.allocatable[pods]")
    )
    fix = Fix("Add a node, remove pods, or raise the kubelet's maxPods")
    return Explanation(f"{head} ({first.name}: {short.used} of {short.capacity})", evidence, (fix,))


def left_out(case: Case, reason: Reason) -> Explanation:
    """Nodes that a PreFilter leaves out: the pod is meant for certain nodes, like the pods of a DaemonSet."""
    plugins = reason.detail or "its rules"
    missing = gone_text(gone(case, named_by_pod(case.pod)))
    text = f"{some(reason.count, 'is', 'are')} not among the nodes that the pod allows ({plugins})"
    return Explanation(f"{text}; {missing}" if missing else text, minor=not missing)
