"""Where a pod may run, for a person at a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from kubedoctor.answers.placement.outcome import agreement_lines, preemption_lines
from kubedoctor.cli.formats.phrases import effect_note
from kubedoctor.cli.formats.placement_rows import group_rows, node_sections
from kubedoctor.cli.formats.text import LABEL, WIDTH
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.engine.placement import Placement, PlacementOutcome
from kubedoctor.engine.placement_words import fix_line, headline, outcome_line
from kubedoctor.replay.scheduler.pending import PendingAnswer

MOST_ROWS = 25
_LEAST = 12
_GAP = 2
_MARKS = {
    PlacementOutcome.SCHEDULED: ("✓", "32"),
    PlacementOutcome.LOST: ("✗", "31"),
    PlacementOutcome.ENDED: ("✓", "32"),
    PlacementOutcome.ENDING: ("✓", "32"),
    PlacementOutcome.FITS: ("✓", "32"),
    PlacementOutcome.GATED: ("✗", "31"),
    PlacementOutcome.FITS_NOWHERE: ("✗", "31"),
    PlacementOutcome.UNKNOWN: ("?", "33"),
}


def to_text(placement: Placement, node: str = "", *, colour: bool = False) -> str:
    """The verdict, the table or one node, then what would help and what was not seen."""
    mark, code = _MARKS[placement.outcome]
    start = f"\x1b[{code}m{mark}\x1b[0m" if colour else mark
    tried = f" with {', '.join(placement.changes)}" if placement.changes else ""
    lines = _flow(f"{mark} {placement.pod.title}{tried} {headline(placement)}", "", "  ")
    lines[0] = start + lines[0][1:]
    before = placement.before
    if placement.after is not None and before is not None:
        lines += ["", *_flow(f"As it is, it {outcome_line(before, placement.outcome)}", "  ", "  ")]
    if before is not None:
        for said in agreement_lines(before):
            lines += _flow(said, "  ", "  ")
    if before is not None and (placement.after is None or not node):
        lines += _node(before, node) if node else _groups(before)
    if placement.after is not None:
        lines += ["", f"  With {visible(', '.join(placement.changes))}"]
        lines += _node(placement.after, node) if node else _groups(placement.after)
    lines += _rest(placement, node)
    return "\n".join(lines) + "\n"


def _rest(placement: Placement, node: str) -> Iterator[str]:
    last = placement.last
    blocks: list[tuple[str, list[str]]] = []
    if last is not None and not last.verdict.feasible and not node:
        blocks.append(("preemption", list(preemption_lines(last))))
    blocks.append(("autoscaler", [] if node else list(placement.autoscaler)))
    fixes = []
    for fix in () if node else placement.fixes:
        fixes.append(fix_line(fix))
        fixes += [f"{visible(fix.command)}  [{effect_note(fix.effect)}]"] if fix.command else []
    blocks.append(("fixes", fixes))
    if last is not None and last.groups and last.groups[0].first is not None and not node:
        nearest = last.groups[0].names[0]
        pod = placement.pod
        blocks.append(("look", [f"kubedoctor why-pending {pod.name}{pod.namespace_flag} --node {nearest}"]))
    blocks.append(("not seen", list(placement.not_seen)))
    if any(texts for _, texts in blocks):
        yield ""
    for label, texts in blocks:
        for number, text in enumerate(texts):
            first = f"  {label if number == 0 else '':<{LABEL}}  "
            if text.startswith(("kubectl ", "kubedoctor ")):  # Commands stay on one line: they are pasted.
                yield first + visible(text)
            else:
                yield from _flow(text, first, " " * len(first))


def _groups(answer: PendingAnswer) -> Iterator[str]:
    rows = group_rows(answer)
    if not rows:
        return
    yield ""
    yield from aligned(rows[: MOST_ROWS + 1])
    if len(rows) > MOST_ROWS + 1:
        yield f"  and {len(rows) - MOST_ROWS - 1} more rows; -o json has them all"


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as they must be, wrapped where the line would be too long."""
    cells = [[visible(cell) for cell in row] for row in rows]
    widths = [max(len(row[place]) for row in cells) for place in range(len(cells[0]))]
    room = WIDTH - 2 - _GAP * (len(widths) - 1)
    while sum(widths) > room and max(widths) > _LEAST:
        widths[widths.index(max(widths))] -= 1
    for row in cells:
        wrapped = [_cell(cell, width) for cell, width in zip(row, widths, strict=True)]
        for line in range(max(len(lines) for lines in wrapped)):
            parts = (
                f"{lines[line] if line < len(lines) else '':<{width}}"
                for lines, width in zip(wrapped, widths, strict=True)
            )
            yield ("  " + (" " * _GAP).join(parts)).rstrip()


def _cell(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width) or [""]


def _flow(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        visible(text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first.rstrip()]


def _node(answer: PendingAnswer, name: str) -> Iterator[str]:
    sections = node_sections(answer, name)
    if not sections:
        return
    yield ""
    yield f"  Node {visible(name)}: " + ("would take it" if name in answer.verdict.feasible else "does not take it")
    for rows in sections:
        yield ""
        yield from aligned(rows)
