"""What clients of Services get, as it was measured, and the slices of generated Services, as upstream's code writes them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from kubedoctor.testing.oracle import Oracle

CLIENTS, SLICES = 397, 300


def test_clients(shared: Path) -> None:
    """Rows that the node's routes decide are left out. A program's choice of address (127.0.0.1) stands in no object."""
    folder = shared / "conformance/services"
    oracle = Oracle()
    state = json.loads((folder / "cluster.json").read_text(encoding="utf-8"))
    oracle.answer(json.dumps({"mode": "cluster", "request": state}).encode())
    wrong, seen = [], 0
    with (folder / "observed.jsonl").open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if row.get("routes"):
                continue
            seen += 1
            request = {key: row[key] for key in ("mode", "service", "way", "from", "protocol", "address")}
            outcomes = oracle.answer(json.dumps({"mode": "client", "request": request}).encode())["answer"]["outcomes"]
            first = row["service"] == "loopback" or outcomes[0] in row["results"]
            if not set(row["results"]) <= set(outcomes) or len(outcomes) > 2 or not first:
                wrong.append((row, outcomes))
    assert wrong == []
    assert seen == CLIENTS


def in_order(answer: Any) -> Any:
    """The controller sorts ports by a hash."""
    for write in answer["writes"]:
        write.get("ports", []).sort(key=json.dumps)
    answer["writes"].sort(key=lambda write: json.dumps(write, sort_keys=True))
    return answer


def test_slices(shared: Path) -> None:
    wrong, seen = [], 0
    with gzip.open(shared / "conformance/fuzz/services.jsonl.gz") as lines:
        for line in lines:
            seen += 1
            row, ours = json.loads(line), json.loads(json.dumps(Oracle().answer(line)))
            if in_order(ours["answer"]) != in_order(row["answer"]):
                wrong.append((row["id"], row["answer"], ours["answer"]))
    assert wrong == []
    assert seen == SLICES
