"""Why a pod was ended from outside."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.cluster import Pod
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.replay.disruption.targets import Disruption, disruption_of


def pod(status: dict[str, Any]) -> Pod:
    (made,) = convert_object("Pod", {"kind": "Pod", "metadata": {"name": "web"}, "status": status}).objects
    assert isinstance(made, Pod)
    return made


def condition(reason: str, status: str = "True") -> dict[str, Any]:
    return {"conditions": [{"type": "DisruptionTarget", "status": status, "reason": reason, "message": " m\n n "}]}


@pytest.mark.parametrize("kind", list(Disruption))
def test_the_reasons_of_the_condition(kind: Disruption) -> None:
    target = disruption_of(pod(condition(kind.value)))
    assert target is not None
    assert (target.kind, target.message) == (kind, "m n")
    assert target.of_the_node == (kind not in (Disruption.PREEMPTED, Disruption.BY_EVICTION))


@pytest.mark.parametrize("status", [condition("DeletionByTaintManager", "False"), condition("ByAnOperator"), {}])
def test_nothing_ended_it_from_outside(status: dict[str, Any]) -> None:
    assert disruption_of(pod(status)) is None


@pytest.mark.parametrize(
    ("reason", "ended"), [("Terminated", True), ("NodeShutdown", True), ("NodeLost", True), ("Evicted", False)]
)
def test_the_status_of_kubelets_before_the_condition(reason: str, ended: bool) -> None:
    assert (disruption_of(pod({"phase": "Failed", "reason": reason, "message": "m"})) is not None) is ended
