"""Quotas and LimitRanges against upstream's admission plug-ins, and the amounts that a LimitRange would admit."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.core import LimitRange
from kubedoctor.cluster.kinds.pods import PodSpec
from kubedoctor.replay.admission.resources.created_pod import PodAmounts
from kubedoctor.replay.admission.resources.limit_ranges import LimitedPod, admitted_amounts, limited_pod
from kubedoctor.testing.oracle import answer_line

ROWS = {"quota": 275, "limitrange": 225}


@pytest.mark.parametrize("mode", ROWS)
def test_generated_questions(shared: Path, mode: str) -> None:
    with gzip.open(shared / "conformance/fuzz/quota.jsonl.gz", "rb") as lines:
        rows = [(line, row) for line in lines if (row := json.loads(line))["mode"] == mode]
    assert len(rows) == ROWS[mode]
    assert [row["id"] for line, row in rows if answer_line(line)["answer"] != row["answer"]] == []


def limits(*items: dict[str, Any]) -> LimitRange:
    return msgspec.convert({"metadata": {"name": "bounds"}, "spec": {"limits": list(items)}}, LimitRange)


def pod(**resources: Any) -> PodAmounts:
    return PodAmounts(msgspec.convert({"containers": [{"name": "app", "resources": resources}]}, PodSpec))


@pytest.mark.parametrize(
    ("item", "resources", "expected"),
    [
        ({"max": {"memory": "256Mi"}}, {"limits": {"memory": "512Mi"}}, {"limits": "256Mi", "requests": "256Mi"}),
        ({"max": {"cpu": "1"}}, {"requests": {"cpu": "2"}, "limits": {"cpu": "3"}}, {"limits": "1", "requests": "1"}),
        ({"min": {"cpu": "200m"}}, {"requests": {"cpu": "100m"}}, {"requests": "200m"}),
        ({"min": {"cpu": "200m"}}, {"limits": {"cpu": "100m"}}, {"limits": "200m", "requests": "200m"}),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}},
            {"requests": {"cpu": "100m"}, "limits": {"cpu": "1"}},
            {"requests": "500m"},
        ),
        ({"max": {"cpu": "1"}}, {"limits": {"cpu": "1"}}, {}),
    ],
)
def test_the_nearest_amounts_that_are_admitted(
    item: dict[str, Any], resources: dict[str, Any], expected: dict[str, str]
) -> None:
    ranges = [limits({"type": "Container", **item})]
    changes = admitted_amounts(pod(**resources), ranges)
    assert {side: str(amount) for (_, side, _), amount in changes.items()} == expected
    merged = {side: dict(resources.get(side, {})) for side in ("requests", "limits")}
    for (_, side, resource), amount in changes.items():
        merged[side][resource] = str(amount)
    after: LimitedPod = limited_pod(pod(**merged), ranges)
    assert after.errors == {}
