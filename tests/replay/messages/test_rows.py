"""What components write, and what it means: the project's own rows, in the form of the shared ones.

`source` is an issue (`owner/repo#number`, evidence `report`), a string that finds a public file (`text`), or the component
whose format it is (`recalled`: not compared with it). `deciding` is missing where the whole message decides.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.testing.oracle_message import answer_message

ROWS = [json.loads(line) for line in (Path(__file__).parent / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
ASKED = ("kind", "component", "reason", "message", "type", "condition", "context")


def answer(row: dict[str, Any]) -> dict[str, Any]:
    return answer_message(json.dumps({key: row[key] for key in ASKED if key in row}).encode())


def folded(text: str) -> str:
    return " ".join(text.split())


def test_every_row_is_well_formed() -> None:
    for row in ROWS:
        assert row["class"] in set(MessageClass), row
        assert row["fault_of"] in set(Culprit), row
        assert row.get("deciding", "") in row["message"], row
        assert row["source"], row
        assert row["evidence"] in ("report", "text", "recalled"), row


def test_every_row_has_its_class_and_fault() -> None:
    wrong = [
        (row["class"], row["fault_of"], got.get("class"), got.get("fault_of"), row["message"][-100:])
        for row in ROWS
        if (got := answer(row)).get("class") != row["class"]
        or got.get("fault_of") not in (row["fault_of"], *row.get("fault_also", ()))
    ]
    assert wrong == []


def test_no_deciding_word_is_lost() -> None:
    lost = [
        row["message"][-100:]
        for row in ROWS
        if folded(row.get("deciding", row["message"])) not in folded(answer(row)["deciding"])
    ]
    assert lost == []
