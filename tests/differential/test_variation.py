"""Varied questions: different, reproducible, and still of the same cluster."""

from __future__ import annotations

import gzip
import json
from itertools import islice
from pathlib import Path

from tests.differential.variation import FIXED, Row, varied


def rows_of(shared: Path) -> list[Row]:
    with gzip.open(shared / "conformance" / "fuzz" / "preemption.jsonl.gz") as lines:
        return [json.loads(line) for line in islice(lines, 50)]


def identities(row: Row) -> list[tuple[str, ...]]:
    objects = [{"kind": "Pod"} | row["request"]["pod"], *row["request"]["objects"]]
    return [(one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]) for one in objects]


def test_a_seed_decides_every_change_and_nothing_else_does(shared: Path) -> None:
    rows = rows_of(shared)
    once, again, other = (list(varied(rows, seed)) for seed in (1, 1, 2))
    assert once == again
    assert rows == rows_of(shared)
    assert sum(one["request"] != two["request"] for one, two in zip(once, other, strict=True)) > 40
    assert sum(one["request"] != row["request"] for one, row in zip(once, rows, strict=True)) > 40


def test_what_ties_objects_together_stays(shared: Path) -> None:
    rows = rows_of(shared)
    assert {"nodeName", "uid", "kind"} <= FIXED
    for row, changed in zip(rows, varied(rows, 3), strict=True):
        assert identities(row) == identities(changed)
        assert [one["spec"].get("nodeName") for one in row["request"]["objects"] if one["kind"] == "Pod"] == [
            one["spec"].get("nodeName") for one in changed["request"]["objects"] if one["kind"] == "Pod"
        ]
