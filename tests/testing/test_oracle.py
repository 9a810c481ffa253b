"""The oracle's answers, line by line, against upstream's."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.cluster.grammar.quantities import parse_quantity
from kubedoctor.testing.oracle import answer_line

ADDED_TWICE = {f"requests-1-{number}" for number in (75, 77, 97, 579, 836, 898)}
"""Upstream adds the overhead into the pod's own `0.5Gi`, whose number the copy of a quantity shares."""


def lines_of(shared: Path, name: str) -> Iterator[bytes]:
    with gzip.open(shared / "conformance" / "fuzz" / f"{name}.jsonl.gz") as lines:
        yield from lines


def comparable(row: dict[str, Any]) -> dict[str, Any]:
    """Without the words of errors of selectors, and without integers that wrap around or, below zero, are rounded either way."""
    answer = row["answer"]
    if row["mode"] == "quantity":
        for one in answer["quantities"] or ():
            if "error" not in one and (one["sign"] < 0 or parse_quantity(one["in"]).milli_value() >= 1 << 63):
                del one["value"], one["milli"]
    elif row["mode"] in ("labelselector", "nodeselector"):
        for one in answer.get("nodes") or (answer,):
            if "error" in one:
                one["error"] = True
    elif row["id"] in ADDED_TWICE:
        del answer["occupied"]["memory"]
    if row["mode"] == "requests":
        for part in ("requests", "limits", "occupied"):
            answer[part] = {name: one["value"] for name, one in answer[part].items()}
    return {"id": row["id"], "mode": row["mode"], "answer": answer}


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("resources", 1000),
        ("quantities", 1000),
        ("selectors", 500),
        ("workloads", 600),
        ("disruption", 400),
        ("storage", 1500),
    ],
)
def test_answers_are_upstreams(shared: Path, name: str, rows: int) -> None:
    wrong = []
    compared = 0
    for line in lines_of(shared, name):
        theirs = comparable(json.loads(line))
        ours = comparable(json.loads(json.dumps(answer_line(line))))
        compared += 1
        if ours != theirs:
            wrong.append((ours, theirs))
    assert not wrong, f"{len(wrong)}: {wrong[:4]}"
    assert compared == rows


def test_questions_come_on_standard_input_and_answers_keep_their_order(shared: Path) -> None:
    rows = [json.loads(line) for line, _ in zip(lines_of(shared, "scheduling"), range(5), strict=False)]
    asked = "\n".join(json.dumps({key: row[key] for key in ("id", "mode", "request")}) for row in rows)
    done = subprocess.run(
        [sys.executable, "-m", "kubedoctor.testing.oracle"],
        input=f"{asked}\n\n",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert answers == [{key: row[key] for key in ("id", "mode", "answer")} for row in rows]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"{", "bad line: "),
        (b'{"mode": "weather"}', "unknown mode weather"),
        (b'{"mode": "schedule", "request": {}}', "bad request: "),
        (b'{"mode": "requests", "request": {}}', "bad request: "),
        (b'{"mode": "requests", "request": null}', "bad request: "),
    ],
)
def test_what_cannot_be_answered_is_said(line: bytes, error: str) -> None:
    assert answer_line(line)["error"].startswith(error)


def test_a_plugin_can_be_asked_alone() -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "spec": {"unschedulable": True}}
    pod = {"metadata": {"name": "p", "namespace": "d", "uid": "1"}, "spec": {"schedulingGates": [{"name": "g"}]}}
    row = {"mode": "schedule", "request": {"objects": [node], "pod": pod, "plugins": ["NodeUnschedulable"]}}
    answer = answer_line(json.dumps(row).encode())["answer"]
    assert answer["message"] == "0/1 nodes are available: 1 node(s) were unschedulable."


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "quantities must match the regular expression"),
        ("1.1.1", "quantities must match the regular expression"),
        ("3mT", "unable to parse quantity's suffix"),
        ("k2", "unable to parse quantity's suffix"),
        ("Ei", "unable to parse numeric part of quantity"),
        ("-Ei", "unable to parse numeric part of quantity"),
        (".E-25", "unable to parse numeric part of quantity"),
    ],
)
def test_a_text_that_is_no_quantity_is_refused_in_upstreams_words(text: str, error: str) -> None:
    answer = answer_line(json.dumps({"mode": "quantity", "request": {"strings": [text]}}).encode())["answer"]
    assert answer["quantities"][0]["error"].startswith(error)
