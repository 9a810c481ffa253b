"""Where a pod may run, as data: the contract `kubedoctor.dev/why-pending/v1` (see why-pending.schema.json)."""

from __future__ import annotations

import json
from typing import Any

from kubedoctor.answers.placement.node import NodeSheet, node_sheet
from kubedoctor.answers.placement.outcome import agreement_lines, preemption_lines
from kubedoctor.answers.placement.reasons import plugin_title, short_reason
from kubedoctor.cli.formats.document import fix_data, moment, ref_data
from kubedoctor.engine.placement import Placement
from kubedoctor.engine.placement_words import headline
from kubedoctor.replay.scheduler.cycle import Objection
from kubedoctor.replay.scheduler.many.grouping import NodeVerdictGroup, objections_of
from kubedoctor.replay.scheduler.pending import PendingAnswer
from kubedoctor.replay.scheduler.said.agreement import Difference

SCHEMA = "kubedoctor.dev/why-pending/v1"


def to_json(placement: Placement, node: str = "") -> str:
    """One document, keys sorted: the same answer gives the same bytes."""
    return json.dumps(to_data(placement, node), indent=2, sort_keys=True, ensure_ascii=True) + "\n"


def to_yaml(placement: Placement, node: str = "") -> str:
    """The same document as YAML."""
    import yaml  # 29 ms that only this format pays

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(to_data(placement, node), Dumper=dumper, sort_keys=True, allow_unicode=False, width=120)
    return text


def to_data(placement: Placement, node: str = "") -> dict[str, Any]:
    """The document as plain data. node: also this one in full."""
    last = placement.last
    sheet = node_sheet(last, node) if last is not None and node else None
    return {
        "schema": SCHEMA,
        "taken_at": moment(placement.taken_at),
        "source": {
            "kind": placement.source.kind,
            "name": placement.source.name,
            "kubernetes": placement.source.kubernetes or None,
        },
        "pod": ref_data(placement.pod),
        "outcome": placement.outcome.value,
        "summary": headline(placement),
        "placed_on": placement.node or None,
        "scheduler": _scheduler(placement.before) if placement.before is not None else None,
        "replay": _replay(placement.before) if placement.before is not None else None,
        "changes": list(placement.changes),
        "replay_with_changes": _replay(placement.after) if placement.after is not None else None,
        "node": _sheet(sheet) if sheet is not None else None,
        "fixes": [fix_data(one) for one in placement.fixes],
        "autoscaler": list(placement.autoscaler),
        "not_seen": list(placement.not_seen),
        "requests": placement.requests,
    }


def _scheduler(answer: PendingAnswer) -> dict[str, Any]:
    comparison = answer.comparison
    return {
        "says": answer.said.text if answer.said is not None else None,
        "at": moment(answer.said.at) if answer.said is not None and answer.said.at is not None else None,
        "agreement": comparison.agreement.value,
        "summary": next(iter(agreement_lines(answer))),
        "differences": [_difference(one) for one in comparison.differences],
        "preemption_agreement": comparison.preemption.value,
        "preemption_differences": [_difference(one) for one in comparison.preemption_differences],
        "nodes_come": list(comparison.nodes.come),
        "nodes_gone": comparison.nodes.gone,
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {"reason": one.obstacle.value, "detail": one.detail or None, "said": one.said, "replayed": one.replayed}


def _replay(answer: PendingAnswer) -> dict[str, Any]:
    verdict = answer.verdict
    whole = verdict.pre_enqueue or verdict.pre_filter
    return {
        "nodes": verdict.total,
        "feasible": list(verdict.feasible),
        "message": verdict.message or None,
        "rejected_before_nodes": _objection(whole) if whole is not None else None,
        "groups": [_group(one) for one in answer.groups],
        "preemption": _preemption(answer),
    }


def _group(group: NodeVerdictGroup) -> dict[str, Any]:
    return {
        "fits": group.first is None,
        "reported": _objection(group.first) if group.first is not None else None,
        "nodes": [
            {"name": one.node, "blockers": [_objection(each) for each in objections_of(one)]} for one in group.nodes
        ],
    }


def _objection(one: Objection) -> dict[str, Any]:
    return {
        "filter": plugin_title(one),
        "code": one.status.code.value,
        "reasons": list(one.status.texts),
        "short": short_reason(one),
        "about": list(one.status.named),
        "shortages": [
            {
                "resource": short.resource,
                "asked": short.requested,
                "used": short.used,
                "allocatable": short.capacity,
                "missing": short.missing,
            }
            for short in one.status.shortages
        ],
    }


def _preemption(answer: PendingAnswer) -> dict[str, Any] | None:
    tried = answer.preemption
    if tried is None:
        return None
    return {
        "helps": bool(tried.candidates),
        "summary": ", ".join(preemption_lines(answer)) or None,
        "best": list(tried.best),
        "candidates": [
            {
                "node": one.node,
                "victims": [{"namespace": pod.namespace, "name": pod.name} for pod in one.victims],
                "violations": one.violations,
            }
            for one in tried.candidates
        ],
    }


def _sheet(sheet: NodeSheet) -> dict[str, Any]:
    return {
        "name": sheet.node,
        "fits": sheet.fits,
        "cordoned": sheet.cordoned,
        "blockers": [
            {"filter": one.filter, "short": one.short, "reasons": list(one.reasons)} for one in sheet.objections
        ],
        "resources": [
            {
                "resource": one.resource,
                "asked": one.asked,
                "used": one.used,
                "allocatable": one.allocatable,
                "free": one.free,
                "missing": one.missing,
            }
            for one in sheet.resources
        ],
        "taints": [
            {"taint": one.taint, "toleration": one.toleration or None, "forbids": one.forbids} for one in sheet.taints
        ],
        "labels": [
            {"wanted": one.wanted, "present": one.present, "met": one.met, "term": one.term} for one in sheet.labels
        ],
    }
