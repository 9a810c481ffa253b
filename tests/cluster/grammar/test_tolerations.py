"""Tolerations against upstream's answers."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import msgspec
import pytest

from kubedoctor.cluster.grammar.tolerations import tolerates, untolerated


class Taint(msgspec.Struct, frozen=True):
    key: str = ""
    value: str = ""
    effect: str = ""


class Toleration(msgspec.Struct, frozen=True):
    key: str | None = None
    operator: str | None = None
    value: str | None = None
    effect: str | None = None


def test_tolerations_answer_as_upstream(shared: Path) -> None:
    asked = 0
    with gzip.open(shared / "conformance/fuzz/selectors.jsonl.gz", "rt") as lines:
        for row in map(json.loads, lines):
            if row["mode"] != "toleration":
                continue
            asked += 1
            request, answer = row["request"], row["answer"]
            taints = msgspec.convert(request["taints"] or (), tuple[Taint, ...])
            tolerations = msgspec.convert(request["tolerations"] or (), tuple[Toleration, ...])
            comparison = request["comparison"]
            tolerated = [any(tolerates(each, taint, comparison=comparison) for each in tolerations) for taint in taints]
            assert tolerated == (answer["tolerated"] or []), row["id"]
            first = msgspec.convert(answer.get("untolerated"), Taint | None)
            assert untolerated(tolerations, taints, comparison=comparison) == first, row["id"]
    assert asked > 90


@pytest.mark.parametrize(
    ("operator", "wanted", "found", "expected"),
    [
        # api/core/v1/toleration_test.go
        ("Gt", "950", "800", False),
        ("Gt", "750", "950", True),
        ("Lt", "800", "950", False),
        ("Lt", "950", "800", True),
        ("Gt", "950", "950", False),
        ("Gt", "-5", "-3", True),
        ("Gt", "0950", "1000", False),
        ("Gt", "950", "0001000", False),
        ("Gt", "950", "high", False),
        ("Lt", "99999999999999999999", "1", False),
        ("Gt", "-0", "1", False),
        ("Gt", "", "1", False),
        ("Near", "1", "1", False),
    ],
)
def test_comparisons(operator: str, wanted: str, found: str, expected: bool) -> None:
    toleration, taint = Toleration("sla", operator, wanted), Taint("sla", found, "NoSchedule")
    assert tolerates(toleration, taint, comparison=True) is expected
    assert not tolerates(toleration, taint)


def test_only_the_effects_asked_for_count() -> None:
    taints = [Taint("a", "", "PreferNoSchedule"), Taint("b", "", "NoExecute")]
    assert untolerated(None, taints) == taints[1]
    assert untolerated(None, taints, ("PreferNoSchedule",)) == taints[0]
    assert untolerated([Toleration(operator="Exists")], taints) is None
    assert untolerated(None, None) is None
