"""Whole scheduling cycles with preemption, by Kubernetes 1.37.2's own answers to generated questions."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kubedoctor.testing.oracle import question, schedule_answer


class Row(msgspec.Struct):
    id: str
    request: msgspec.Raw
    answer: dict[str, Any]


@pytest.mark.parametrize(("name", "rows"), [("scheduling", 3000), ("preemption", 600)])
def test_every_verdict_and_every_reason_of_every_node(shared: Path, name: str, rows: int) -> None:
    decoder = msgspec.json.Decoder(Row)
    wrong: list[Any] = []
    compared = 0
    with gzip.open(shared / "conformance" / "fuzz" / f"{name}.jsonl.gz") as lines:
        for line in lines:
            row = decoder.decode(line)
            ours = schedule_answer(*question(row.request))
            if ours != row.answer:
                keys = [key for key in ours.keys() | row.answer.keys() if ours.get(key) != row.answer.get(key)]
                wrong.append((row.id, {key: (ours.get(key), row.answer.get(key)) for key in sorted(keys)}))
            compared += 1
    assert not wrong, f"{len(wrong)} of {rows}: {wrong[:3]}"
    assert compared == rows
