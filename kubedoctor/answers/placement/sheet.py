"""A placement as a sheet: the nodes with each filter's verdict, the replay in sentences, and what is proven to help."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from kubedoctor.answers.placement.data import placement_data
from kubedoctor.answers.placement.node import NodeInFull, node_in_full
from kubedoctor.answers.placement.outcome import agreement_lines, preemption_lines
from kubedoctor.answers.placement.placement import Placement, PlacementOutcome
from kubedoctor.answers.placement.reasons import group_reasons, plugin_title
from kubedoctor.answers.placement.verdict import headline, outcome_line
from kubedoctor.answers.sheet import Cell, Conclusion, Fact, Mark, Sheet, SheetRow, Table
from kubedoctor.cluster.grammar.text import listed
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.findings import Command, own_command
from kubedoctor.replay.scheduler import profile
from kubedoctor.replay.scheduler.cycle import NodeVerdict
from kubedoctor.replay.scheduler.many.grouping import NodeVerdictGroup
from kubedoctor.replay.scheduler.pending import PendingAnswer

_ORDER: Final = {plugin.name: position for position, plugin in enumerate(profile.PLUGINS)}
_CONCLUSIONS: Final = {
    PlacementOutcome.SCHEDULED: Conclusion.WELL,
    PlacementOutcome.LOST: Conclusion.TROUBLE,
    PlacementOutcome.ENDED: Conclusion.WELL,
    PlacementOutcome.ENDING: Conclusion.WELL,
    PlacementOutcome.FITS: Conclusion.WELL,
    PlacementOutcome.GATED: Conclusion.TROUBLE,
    PlacementOutcome.FITS_NOWHERE: Conclusion.TROUBLE,
    PlacementOutcome.UNKNOWN: Conclusion.UNKNOWN,
}


def placement_sheet(placement: Placement, node: str = "") -> Sheet:
    """The whole answer; with a node, that node's tables take the place of the table of nodes."""
    tried = f" with {', '.join(placement.changes)}" if placement.changes else ""
    return Sheet(
        title=f"{placement.pod.title}{tried}",
        verdict=headline(placement),
        conclusion=_CONCLUSIONS[placement.outcome],
        facts=tuple(_facts(placement, node)),
        tables=tuple(_tables(placement, node)),
        fixes=placement.fixes,
        next=tuple(_next(placement, node)),
        gaps=placement.gaps,
        data=placement_data(placement, node),
    )


def _facts(placement: Placement, node: str) -> Iterator[Fact]:
    before, last = placement.before, placement.last
    if before is not None:
        if placement.after is not None:
            yield Fact("unchanged", outcome_line(before, placement.outcome))
        yield from (Fact("scheduler", line) for line in agreement_lines(before))
    if last is not None and node:
        yield Fact(f"node {node}", "fits" if node in last.verdict.feasible else "does not fit")
    elif last is not None and not last.verdict.feasible:
        yield from (Fact("preemption", line) for line in preemption_lines(last))
    yield from (Fact("autoscaler", line) for line in placement.autoscaler)


def _tables(placement: Placement, node: str) -> Iterator[Table]:
    """Where changes were tried: the nodes before, then with the changes; of one node only the latter."""
    last = placement.last
    if last is None:
        return
    if node:
        full = node_in_full(last, node)
        yield from node_tables(full) if full is not None else ()
        return
    for answer in (placement.before, placement.after):
        title = f"With {', '.join(placement.changes)}" if answer is placement.after else "As it is"
        if answer is not None:
            yield from _nodes(placement.pod, answer, title if placement.changes else "")


def _next(placement: Placement, node: str) -> Iterator[Command]:
    last, pod = placement.last, placement.pod
    if last is not None and last.groups and last.groups[0].first is not None and not node:
        yield _in_full(pod, last.groups[0].names[0])
    if last is not None or placement.outcome in (PlacementOutcome.LOST, PlacementOutcome.UNKNOWN):
        yield Command(pod.describe_command, "the pod and its events")


def _in_full(pod: Ref, node: str) -> Command:
    return Command(
        own_command("why-pending", pod.name, "--node", node, namespace=pod.namespace), f"node {node} in full"
    )


def _nodes(pod: Ref, answer: PendingAnswer, title: str) -> Iterator[Table]:
    """Rows for groups of nodes with one outcome, the closest match first; none where no filter rejects any node."""
    filters = _filters(answer.groups)
    if filters:
        rows = tuple(_group_row(pod, group, filters, answer) for group in answer.groups)
        yield Table(("nodes", *filters), rows, title)


def _group_row(pod: Ref, group: NodeVerdictGroup, filters: Sequence[str], answer: PendingAnswer) -> SheetRow:
    names = listed(group.names, 2) if len(group.names) > 3 else ", ".join(group.names)

    def parts() -> tuple[SheetRow, ...]:
        return tuple(_node_row(pod, node, filters, answer) for node in group.nodes)

    return SheetRow((Cell(names), *_cells(group.nodes, filters)), parts=parts)


def _node_row(pod: Ref, node: NodeVerdict, filters: Sequence[str], answer: PendingAnswer) -> SheetRow:
    return SheetRow(
        (Cell(node.node), *_cells((node,), filters)),
        about=Ref("Node", "", node.node),
        detail=lambda: _detail(pod, node.node, answer),
    )


def _filters(groups: Sequence[NodeVerdictGroup]) -> tuple[str, ...]:
    """The plugins that reject any node, in the scheduler's order."""
    titles = {plugin_title(objection) for group in groups for objection in group.blockers}
    return tuple(sorted(titles, key=lambda title: (_ORDER.get(title, -1), title)))


def _cells(nodes: Sequence[NodeVerdict], filters: Sequence[str]) -> Iterator[Cell]:
    """The cells of nodes with one outcome: why each filter rejects them, or a tick."""
    reasons = group_reasons(NodeVerdictGroup(tuple(nodes)))
    for title in filters:
        yield Cell(reasons[title], Mark.NO) if title in reasons else Cell(mark=Mark.YES)


def _detail(pod: Ref, name: str, answer: PendingAnswer) -> Sheet:
    full = node_in_full(answer, name)
    node = Ref("Node", "", name)
    return Sheet(
        title=node.title,
        verdict=f"{'fits' if full is None or full.fits else 'does not fit'} {pod.title}",
        conclusion=Conclusion.WELL if full is None or full.fits else Conclusion.TROUBLE,
        tables=tuple(node_tables(full)) if full is not None else (),
        next=(Command(node.describe_command, "the node"), _in_full(pod, name)),
    )


def node_tables(full: NodeInFull) -> Iterator[Table]:
    """Rejections, resources, taints and labels of a node; empty tables are left out."""
    rows = tuple(
        _row(objection.filter, Cell(objection.short, Mark.NO), ", ".join(objection.reasons))
        for objection in full.objections
    )
    tables = [Table(("filter", "why not", "in the scheduler's words"), rows)]
    rows = tuple(
        _row(
            resource.resource,
            *(
                resource.text(number)
                for number in (resource.request, resource.used, resource.allocatable, resource.free)
            ),
            Cell(f"lacks {resource.text(resource.missing)}", Mark.NO) if resource.missing else Cell(mark=Mark.YES),
        )
        for resource in full.resources
    )
    tables.append(Table(("resource", "requested", "used", "allocatable", "free", ""), rows))
    rows = tuple(
        _row(
            taint.taint,
            taint.toleration or "none",
            Cell(mark=Mark.YES if taint.toleration else Mark.NO) if taint.forbids else Cell("only preferred", Mark.YES),
        )
        for taint in full.taints
    )
    tables.append(Table(("taint", "toleration", ""), rows))
    several = max((label.term for label in full.labels), default=0) > 1
    rows = tuple(
        _row(
            f"{label.wanted}  (term {label.term})" if several and label.term else label.wanted,
            "not set" if label.present is None else label.present or '""',
            Cell(mark=Mark.YES if label.met else Mark.NO),
        )
        for label in full.labels
    )
    tables.append(Table(("label required", "on the node", ""), rows))
    return (table for table in tables if table.rows)


def _row(*cells: str | Cell) -> SheetRow:
    return SheetRow(tuple(Cell(cell) if isinstance(cell, str) else cell for cell in cells))
