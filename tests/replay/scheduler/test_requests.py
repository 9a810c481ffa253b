"""Requests and limits of pods, by upstream's own sums."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.grammar.quantities import Quantity
from kubedoctor.cluster.kinds.pods import Pod, PodSpec
from kubedoctor.replay.scheduler.requests import (
    Amounts,
    Occupied,
    amounts,
    counted,
    occupied,
    pod_limits,
    pod_requests,
)

ADDED_TWICE = {f"requests-1-{number}" for number in (75, 77, 97, 579, 836, 898)}
"""Upstream adds the overhead into the pod's own `0.5Gi`, whose number the copy of a quantity shares, and the answer was
asked for after `requests`."""


def _values(found: Amounts) -> dict[str, int]:
    return {name: amount.milli_value() if name == "cpu" else amount.value() for name, amount in found.items()}


def test_requests_and_limits_are_upstreams(shared: Path) -> None:
    compared, shared_by_all = 0, Occupied()
    with gzip.open(shared / "conformance" / "fuzz" / "resources.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            pod = msgspec.convert(row["request"]["pod"], Pod, strict=False)
            answer = row["answer"]
            wanted = {name: amount["value"] for name, amount in answer["limits"].items()}
            assert _values(pod_limits(pod.spec)) == wanted, row["id"]
            assert _values(pod_requests(pod.spec)) == {k: v["value"] for k, v in answer["requests"].items()}, row["id"]
            taken = occupied(pod)
            assert shared_by_all.of(pod) == counted(taken), row["id"]
            if row["id"] in ADDED_TWICE:
                taken["memory"] += amounts(pod.spec.overhead)["memory"]
            assert _values(taken) == {k: v["value"] for k, v in answer["occupied"].items()}, row["id"]
            compared += 1
    assert compared == 1000


def test_a_template_without_requests_asks_for_its_limits() -> None:
    spec = msgspec.convert(
        {"containers": [{"name": "a", "resources": {"limits": {"cpu": "1"}}}, {"name": "b"}]}, PodSpec
    )
    assert pod_requests(spec) == {}
    assert pod_requests(spec, defaulted=False) == {"cpu": Quantity.of(1)}


def test_a_text_that_is_no_amount_counts_as_absent() -> None:
    spec = msgspec.convert(
        {"containers": [{"name": "a", "resources": {"requests": {"cpu": "lots", "memory": "1Gi"}}}]}, PodSpec
    )
    assert _values(pod_requests(spec)) == {"memory": 1 << 30}


@pytest.mark.parametrize(
    "spec",
    [
        {"containers": [{"name": "a", "resources": {"requests": {"cpu": "1"}}}] * 2},
        {"initContainers": [{"name": "b", "resources": {"requests": {"cpu": "1"}}}]},
        {"initContainers": [{"name": "b", "restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}}]},
        {"resources": {"requests": {"cpu": "3"}}},
        {"overhead": {"cpu": "3"}},
    ],
)
def test_pods_that_ask_for_something_else_do_not_share_what_they_take_up(spec: dict[str, Any]) -> None:
    """Each after a pod with one container that asks for one cpu."""
    plain = {"containers": [{"name": "a", "resources": {"requests": {"cpu": "1"}}}]}
    known = Occupied()
    first = known.of(msgspec.convert({"metadata": {"name": "p"}, "spec": plain}, Pod))
    assert first == {"cpu": 1000}
    assert known.of(msgspec.convert({"metadata": {"name": "q"}, "spec": plain}, Pod)) is first
    other = msgspec.convert({"metadata": {"name": "o"}, "spec": plain | spec}, Pod)
    assert known.of(other) == counted(occupied(other))


def test_a_pod_that_kubelet_resizes_shares_nothing() -> None:
    spec = {"containers": [{"name": "a", "resources": {"requests": {"cpu": "1"}}}]}
    granted = {"containerStatuses": [{"name": "a", "allocatedResources": {"cpu": "2"}}]}
    known = Occupied()
    assert known.of(msgspec.convert({"metadata": {"name": "p"}, "spec": spec}, Pod)) == {"cpu": 1000}
    resized = msgspec.convert({"metadata": {"name": "r"}, "spec": spec, "status": granted}, Pod)
    assert known.of(resized) == {"cpu": 2000}
