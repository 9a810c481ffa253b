"""The cluster-autoscaler's events; forms of `eventing_scale_up_processor.go` and of events that people report."""

from __future__ import annotations

import pytest

from kubedoctor.replay.autoscaling.refusals import Growth, Hindrance, parse_growth, parse_refusals

WORDS = [
    ("2 max node group size reached", 2, Hindrance.AT_MAXIMUM),
    ("1 in backoff after failed scale-up", 1, Hindrance.BACKOFF),
    ("3 not ready for scale-up", 3, Hindrance.NOT_READY),
    ("1 max cluster cpu, memory limit reached", 1, Hindrance.CLUSTER_LIMIT),
    ("max total nodes in cluster reached", None, Hindrance.CLUSTER_LIMIT),
    ("12 at least one node can be vertically scaled", 12, Hindrance.ROOM_TO_GROW),
    ("1 node(s) didn't match Pod's node affinity/selector", 1, Hindrance.WOULD_NOT_FIT),
    ("6 node(s) had taint {workload: always-on}, that the pod didn't tolerate", 6, Hindrance.WOULD_NOT_FIT),
]


@pytest.mark.parametrize(("text", "count", "hindrance"), WORDS)
def test_each_reason(text: str, count: int | None, hindrance: Hindrance) -> None:
    (found,) = parse_refusals(f"pod didn't trigger scale-up: {text}")
    assert (found.count, found.hindrance) == (count, hindrance)
    assert found.reason == text.removeprefix(f"{count} ")


@pytest.mark.parametrize(
    "head",
    [
        "pod didn't trigger scale-up: ",
        "Pod didn't trigger scale-up:\n  ",
        "(combined from similar events): pod didn't trigger scale-up: ",
        "pod didn't trigger scale-up (it wouldn't fit if a new node is added): ",
    ],
)
def test_many_reasons_after_any_head(head: str) -> None:
    found = parse_refusals(head + ", ".join(text for text, _, _ in WORDS if text[0].isdigit()))
    assert [(one.count, one.hindrance) for one in found] == [
        (count, hindrance) for _, count, hindrance in WORDS if count is not None
    ]


@pytest.mark.parametrize("message", ["pod didn't trigger scale-up: ", "pod didn't trigger scale-up:", ""])
def test_no_reason(message: str) -> None:
    assert parse_refusals(message) == ()


def test_growth() -> None:
    text = "pod triggered scale-up: [{aks-gpunp-98036146-vmss 1->2 (max: 2)} {https://x/y 0->3 (max: 10)}]"
    assert parse_growth(text) == (Growth("aks-gpunp-98036146-vmss", 1, 2, 2), Growth("https://x/y", 0, 3, 10))
    assert parse_growth("pod triggered scale-up: soon") == ()
