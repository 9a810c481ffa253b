"""The replay of the mesh against the answers of Istio 1.31's own code, mode by mode."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.testing.oracle import answer_line

ROWS = {"hostmatch": 294, "inject": 519, "policies": 306, "scope": 280, "route": 296}


def rows(shared: Path, mode: str) -> Iterator[tuple[bytes, dict[str, Any]]]:
    with gzip.open(shared / "conformance/fuzz/mesh.jsonl.gz", "rb") as lines:
        for line in lines:
            row = json.loads(line)
            if row["mode"] == mode:
                yield line, row


@pytest.mark.parametrize("mode", ROWS)
def test_generated_questions(shared: Path, mode: str) -> None:
    wrong: list[tuple[Any, ...]] = []
    asked = 0
    for line, row in rows(shared, mode):
        asked += 1
        ours = answer_line(line)
        if ours.get("answer") != row["answer"]:
            wrong.append((row["id"], row["answer"], ours))
    assert wrong == []
    assert asked == ROWS[mode]


def test_a_workload_that_is_missing() -> None:
    line = json.dumps({"mode": "policies", "request": {"objects": [], "workload": "a/none"}}).encode()
    assert answer_line(line)["error"] == 'no pod "a/none"'
