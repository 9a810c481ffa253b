"""A sheet for an issue or a chat."""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.answers.sheet import Sheet, Table
from kubedoctor.engine.words import EFFECTS
from kubedoctor.handbook.report.markdown import code_block, fix_lines, plain


def to_markdown(sheet: Sheet) -> str:
    """Headings, tables, and commands as blocks."""
    lines = [f"# {f'{sheet.conclusion.mark.value} {plain(sheet.headline)}'.strip()}", ""]
    lines += [f"- {plain(fact.label[:1].upper() + fact.label[1:])}: {plain(fact.text)}" for fact in sheet.facts]
    lines += [f"1. {plain(f'{step.mark.value} {step.text}'.strip())}" for step in sheet.chain]
    for table in sheet.tables:
        lines += ["", *_table(table)]
    lines.append("")
    for fix in sheet.fixes:
        lines += fix_lines(fix)
    for command in sheet.next:
        lines.append(f"- Next: {plain(command.why) or EFFECTS[command.effect]}")
        lines += code_block(command.line)
    lines += [f"- Not checked: {plain(gap)}" for gap in sheet.gaps]
    return "\n".join(lines).rstrip() + "\n"


def _table(table: Table) -> Iterator[str]:
    if table.title:
        yield f"## {plain(table.title)}"
        yield ""
    yield "| " + " | ".join(plain(title) for title in table.columns) + " |"
    yield "| " + " | ".join("---" for _ in table.columns) + " |"
    for row in table.rows:
        yield "| " + " | ".join(plain(cell.shown) for cell in row.cells) + " |"
