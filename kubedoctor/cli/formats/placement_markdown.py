"""Where a pod may run, for an issue or a chat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubedoctor.answers.placement.outcome import agreement_lines, preemption_lines
from kubedoctor.cli.formats.markdown import code_block, plain
from kubedoctor.cli.formats.phrases import effect_note
from kubedoctor.cli.formats.placement_rows import group_rows, node_sections
from kubedoctor.engine.placement import Placement
from kubedoctor.engine.placement_words import fix_line, headline, outcome_line
from kubedoctor.replay.scheduler.pending import PendingAnswer


def to_markdown(placement: Placement, node: str = "") -> str:
    """Headings, tables, and commands as blocks."""
    tried = f" with {', '.join(placement.changes)}" if placement.changes else ""
    lines = [f"# {plain(f'{placement.pod.title}{tried} {headline(placement)}')}", ""]
    before, after = placement.before, placement.after
    if before is not None:
        if after is not None:
            lines += [f"## As it is: {plain(outcome_line(before, placement.outcome))}", ""]
        lines += [*(f"- {plain(said)}" for said in agreement_lines(before)), ""]
        if after is None or not node:
            lines += _tables(before, node)
    if after is not None:
        lines += [f"## With {plain(', '.join(placement.changes))}", "", *_tables(after, node)]
    last = placement.last
    if last is not None and not last.verdict.feasible and not node:
        lines += [f"- Preemption: {plain(said)}" for said in preemption_lines(last)]
    lines += [] if node else [f"- Autoscaler: {plain(said)}" for said in placement.autoscaler]
    for fix in () if node else placement.fixes:
        lines.append(f"- Fix: {plain(fix_line(fix))}, {effect_note(fix.effect)}")
        lines += code_block(fix.command) if fix.command else []
    lines += [f"- Not seen: {plain(text)}" for text in placement.not_seen]
    return "\n".join(lines).rstrip() + "\n"


def _tables(answer: PendingAnswer, node: str) -> Iterator[str]:
    sections = node_sections(answer, node) if node else [group_rows(answer)]
    for rows in sections:
        yield from _table(rows)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if not rows:
        return
    yield "| " + " | ".join(plain(cell) for cell in rows[0]) + " |"
    yield "| " + " | ".join("---" for _ in rows[0]) + " |"
    for row in rows[1:]:
        yield "| " + " | ".join(plain(cell) for cell in row) + " |"
    yield ""
