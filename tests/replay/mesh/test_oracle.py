"""The replay of the mesh against the answers of Istio 1.31's own code, mode by mode."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.testing.oracle import answer_line

ROWS = {"analyze": 1476, "hostmatch": 294, "inject": 519, "policies": 306, "scope": 280, "route": 296}


def rows(shared: Path, mode: str) -> Iterator[tuple[bytes, dict[str, Any]]]:
    with gzip.open(shared / "conformance/fuzz/mesh.jsonl.gz", "rb") as lines:
        for line in lines:
            row = json.loads(line)
            if row["mode"] == mode:
                yield line, row


def comparable(ours: Any, theirs: Any) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """The messages of both without the texts that are not compared: those of validation, which are of Go's libraries, and
    those that differ from run to run."""
    changing = {identity(message) for message in theirs["messages"] if "text" not in message}
    unread = {"IST0106", "IST0133"}

    def kept(messages: list[dict[str, str]]) -> list[dict[str, str]]:
        rows = [
            {key: value for key, value in message.items() if key != "text"}
            if message["code"] in unread or identity(message) in changing
            else message
            for message in messages
        ]
        return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))

    return kept(ours["messages"]), kept(theirs["messages"])


def identity(message: dict[str, str]) -> tuple[str, ...]:
    return message["code"], message["analyzer"], message.get("namespace", ""), message["object"]


@pytest.mark.parametrize("mode", ROWS)
def test_generated_questions(shared: Path, mode: str) -> None:
    wrong: list[tuple[Any, ...]] = []
    asked = 0
    for line, row in rows(shared, mode):
        asked += 1
        ours = answer_line(line).get("answer")
        if mode == "analyze":
            ours, row["answer"] = comparable(ours, row["answer"])
        if ours != row["answer"]:
            wrong.append((row["id"], row["answer"], ours))
    assert wrong == []
    assert asked == ROWS[mode]


def test_a_workload_that_is_missing() -> None:
    line = json.dumps({"mode": "policies", "request": {"objects": [], "workload": "a/none"}}).encode()
    assert answer_line(line)["error"] == 'no pod "a/none"'
