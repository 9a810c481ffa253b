"""A sheet as data: schema `kubedoctor.dev/QUESTION/v1`, the same keys for every question beside those of the question
itself (for why-pending see why-pending.schema.json)."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kubedoctor.answers.sheet import Sheet, SheetRow, Table
from kubedoctor.cli.formats.document import fix_data, json_text, moment, ref_data, source_data, yaml_text
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.engine.asking import Answered


def to_json(answered: Answered) -> str:
    """One document, keys sorted: the same answer gives the same bytes."""
    return json_text(to_data(answered))


def to_yaml(answered: Answered) -> str:
    """The same document as YAML."""
    return yaml_text(to_data(answered))


def to_data(answered: Answered) -> dict[str, Any]:
    """The document as plain data."""
    sheet = answered.sheet
    own = sheet.data if sheet.data is not None else _as_drawn(sheet)
    return {
        "schema": f"kubedoctor.dev/{answered.question}/v1",
        "taken_at": moment(answered.taken_at),
        "source": source_data(answered.source),
        "summary": sheet.verdict,
        "fixes": [fix_data(fix) for fix in sheet.fixes],
        "not_seen": list(sheet.gaps),
        "requests": answered.requests,
        **{key: _plain(value) for key, value in own.items()},
    }


def _as_drawn(sheet: Sheet) -> dict[str, Any]:
    """The data of a question without data of its own."""
    return {
        "title": sheet.title,
        "conclusion": sheet.conclusion.value,
        "facts": [{"label": fact.label, "text": fact.text} for fact in sheet.facts],
        "tables": [_table(table) for table in sheet.tables],
        "chain": [{"text": step.text, "mark": step.mark.name.lower(), "about": step.about} for step in sheet.chain],
        "next": [{"line": command.line, "why": command.why, "effect": command.effect} for command in sheet.next],
    }


def _table(table: Table) -> dict[str, Any]:
    return {"title": table.title, "columns": table.columns, "rows": [_row(row) for row in table.every_row]}


def _row(row: SheetRow) -> dict[str, Any]:
    cells = [{"text": cell.text, "mark": cell.mark.name.lower()} for cell in row.cells]
    return {"about": row.about, "cells": cells}


def _plain(value: Any) -> Any:
    if isinstance(value, Ref):
        return ref_data(value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value
