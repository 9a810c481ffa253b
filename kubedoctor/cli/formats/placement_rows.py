"""The tables of a placement as rows of cells, the titles first."""

from __future__ import annotations

from collections.abc import Sequence

from kubedoctor.answers.placement.node import LabelLine, NodeSheet, node_sheet
from kubedoctor.answers.placement.table import group_table
from kubedoctor.cluster.grammar.text import listed
from kubedoctor.replay.scheduler.pending import PendingAnswer

Rows = list[list[str]]


def group_rows(answer: PendingAnswer) -> Rows:
    """Rows of nodes, columns of filters; empty where no filter objects to any node."""
    table = group_table(answer.groups)
    if not table.rows or not table.filters:
        return []
    rows = [[_nodes(row.nodes), *(cell or "✓" for cell in row.cells)] for row in table.rows]
    return [["nodes", *table.filters], *rows]


def _nodes(names: Sequence[str]) -> str:
    return listed(names, 2) if len(names) > 3 else ", ".join(names)


def node_sections(answer: PendingAnswer, name: str) -> list[Rows]:
    """One node in full: what objects, resources, taints, labels; what is not there is left out."""
    sheet = node_sheet(answer, name)
    if sheet is None:
        return []
    sections = [_objections(sheet), _resources(sheet), _taints(sheet), _labels(sheet.labels)]
    return [rows for rows in sections if len(rows) > 1]


def _objections(sheet: NodeSheet) -> Rows:
    titles = ["filter", "why not", "as the scheduler says it"]
    return [titles, *([one.filter, one.short, ", ".join(one.reasons)] for one in sheet.objections)]


def _resources(sheet: NodeSheet) -> Rows:
    rows = [["resource", "asked", "used", "allocatable", "free", ""]]
    for one in sheet.resources:
        amounts = [one.text(number) for number in (one.asked, one.used, one.allocatable, one.free)]
        rows.append([one.resource, *amounts, f"✗ lacks {one.text(one.missing)}" if one.missing else "✓"])
    return rows


def _taints(sheet: NodeSheet) -> Rows:
    rows = [["taint", "toleration", ""]]
    for one in sheet.taints:
        fine = "✓" if one.toleration else "✗" if one.forbids else "✓ only preferred"
        rows.append([one.taint, one.toleration or "none", fine])
    return rows


def _labels(labels: Sequence[LabelLine]) -> Rows:
    several = max((one.term for one in labels), default=0) > 1
    rows = [["label wanted", "on the node", ""]]
    for one in labels:
        term = f"  (term {one.term})" if several and one.term else ""
        present = "no such label" if one.present is None else one.present or '""'
        rows.append([one.wanted + term, present, "✓" if one.met else "✗"])
    return rows
