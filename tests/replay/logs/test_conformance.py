"""Failing logs of real programs with the line, class and subject that decide, through the oracle."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from kubedoctor.testing.oracle import answer_line

ENOUGH = 0.95
QUIET = {"unknown", "done", "killed-tidily"}


def alike(line: str) -> str:
    """Without colours, digits and spacing."""
    return " ".join(re.sub(r"\x1b\[[0-9;]*m|\r|\d+", "", line).split())


def answer(row: dict[str, Any]) -> dict[str, Any]:
    request = {"lines": row["lines"]} | ({"exit_code": row["exit_code"]} if "exit_code" in row else {})
    given: dict[str, Any] = answer_line(json.dumps({"mode": "log", "request": request}).encode())["answer"]
    return given


def test_line_and_class(shared: Path) -> None:
    rows = [json.loads(line) for line in (shared / "conformance/logs/cases.jsonl").read_text("utf-8").splitlines()]
    sick = [row for row in rows if not row["innocent"]]
    lines, classes = [], []
    for row in sick:
        given = answer(row)
        right = {alike(row["lines"][index]) for index in row["deciding"]}
        got = given["line"]
        if (alike(row["lines"][got]) not in right) if got is not None else bool(right):
            lines.append(row["id"])
        if given["class"] not in (row["class"], *row.get("also", ())):
            classes.append(row["id"])
    assert len(lines) <= len(sick) * (1 - ENOUGH), lines
    assert len(classes) <= len(sick) * (1 - ENOUGH), classes


def test_innocent_logs_accuse_nothing(shared: Path) -> None:
    rows = [json.loads(line) for line in (shared / "conformance/logs/cases.jsonl").read_text("utf-8").splitlines()]
    accused = []
    for row in rows:
        given = answer(row) if row["innocent"] else {"line": None, "class": "unknown"}
        if given["class"] not in QUIET or (given["line"] is not None and given["class"] == "unknown"):
            accused.append(row["id"])
    assert not accused
