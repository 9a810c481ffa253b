"""Where a pod may run, as data: the contract `kubedoctor.dev/why-pending/v1` (see why-pending.schema.json)."""

from __future__ import annotations

from typing import Any

from kubedoctor.answers.placement.node import NodeInFull, node_in_full
from kubedoctor.answers.placement.outcome import agreement_lines, preemption_lines
from kubedoctor.answers.placement.placement import Placement
from kubedoctor.answers.placement.reasons import plugin_title, short_reason
from kubedoctor.replay.scheduler.cycle import Objection
from kubedoctor.replay.scheduler.many.grouping import NodeVerdictGroup, objections_of
from kubedoctor.replay.scheduler.pending import PendingAnswer
from kubedoctor.replay.scheduler.said.agreement import Difference


def placement_data(placement: Placement, node: str = "") -> dict[str, Any]:
    """Keys of the document beside those that every sheet has. node: also this node in full."""
    last = placement.last
    sheet = node_in_full(last, node) if last is not None and node else None
    return {
        "pod": placement.pod,
        "outcome": placement.outcome.value,
        "placed_on": placement.node or None,
        "scheduler": _scheduler(placement.before) if placement.before is not None else None,
        "replay": _replay(placement.before) if placement.before is not None else None,
        "changes": placement.changes,
        "replay_with_changes": _replay(placement.after) if placement.after is not None else None,
        "node": _node(sheet) if sheet is not None else None,
        "autoscaler": placement.autoscaler,
    }


def _scheduler(answer: PendingAnswer) -> dict[str, Any]:
    comparison = answer.comparison
    return {
        "says": answer.said.text if answer.said is not None else None,
        "at": answer.said.at if answer.said is not None else None,
        "agreement": comparison.agreement.value,
        "summary": next(iter(agreement_lines(answer))),
        "differences": [_difference(difference) for difference in comparison.differences],
        "preemption_agreement": comparison.preemption.value,
        "preemption_differences": [
            _difference(preemption_difference) for preemption_difference in comparison.preemption_differences
        ],
        "nodes_come": comparison.nodes.joined,
        "nodes_gone": comparison.nodes.left,
    }


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "reason": difference.obstacle.value,
        "detail": difference.detail or None,
        "said": difference.said,
        "replayed": difference.replayed,
    }


def _replay(answer: PendingAnswer) -> dict[str, Any]:
    verdict = answer.verdict
    whole = verdict.pre_enqueue or verdict.pre_filter
    return {
        "nodes": verdict.total,
        "feasible": verdict.feasible,
        "message": verdict.message or None,
        "rejected_before_nodes": _objection(whole) if whole is not None else None,
        "groups": [_group(group) for group in answer.groups],
        "preemption": _preemption(answer),
    }


def _group(group: NodeVerdictGroup) -> dict[str, Any]:
    return {
        "fits": group.first is None,
        "reported": _objection(group.first) if group.first is not None else None,
        "nodes": [
            {"name": node.node, "blockers": [_objection(objection) for objection in objections_of(node)]}
            for node in group.nodes
        ],
    }


def _objection(objection: Objection) -> dict[str, Any]:
    return {
        "filter": plugin_title(objection),
        "code": objection.status.code.value,
        "reasons": objection.status.texts,
        "short": short_reason(objection),
        "about": objection.status.named,
        "shortages": [
            {
                "resource": short.resource,
                "asked": short.requested,
                "used": short.used,
                "allocatable": short.capacity,
                "missing": short.missing,
            }
            for short in objection.status.shortages
        ],
    }


def _preemption(answer: PendingAnswer) -> dict[str, Any] | None:
    tried = answer.preemption
    if tried is None:
        return None
    return {
        "helps": bool(tried.candidates),
        "summary": ", ".join(preemption_lines(answer)) or None,
        "best": tried.best,
        "candidates": [
            {
                "node": candidate.node,
                "victims": [{"namespace": pod.namespace, "name": pod.name} for pod in candidate.victims],
                "violations": candidate.violations,
            }
            for candidate in tried.candidates
        ],
    }


def _node(sheet: NodeInFull) -> dict[str, Any]:
    return {
        "name": sheet.node,
        "fits": sheet.fits,
        "cordoned": sheet.cordoned,
        "blockers": [
            {"filter": objection.filter, "short": objection.short, "reasons": objection.reasons}
            for objection in sheet.objections
        ],
        "resources": [
            {
                "resource": resource.resource,
                "asked": resource.request,
                "used": resource.used,
                "allocatable": resource.allocatable,
                "free": resource.free,
                "missing": resource.missing,
            }
            for resource in sheet.resources
        ],
        "taints": [
            {"taint": taint.taint, "toleration": taint.toleration or None, "forbids": taint.forbids}
            for taint in sheet.taints
        ],
        "labels": [
            {"wanted": label.wanted, "present": label.present, "met": label.met, "term": label.term}
            for label in sheet.labels
        ],
    }
