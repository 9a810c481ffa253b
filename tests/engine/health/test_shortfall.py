"""Workloads whose pods are not made, beside those that are on their way."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.engine.health import Trouble
from tests.engine.health.test_trouble import ago, condition, trouble


def workload(kind: str, spec: dict[str, Any], status: dict[str, Any], age: str | None = None) -> dict[str, Any]:
    metadata = {"name": "db", "namespace": "shop", "generation": 3, "creationTimestamp": age or ago(days=2)}
    return {"kind": kind, "metadata": metadata, "spec": spec, "status": {"observedGeneration": 3, **status}}


def member(
    kind: str = "StatefulSet", *, readiness: str = "True", since: str | None = None, **more: Any
) -> dict[str, Any]:
    owner = {"kind": kind, "name": "db", "controller": True}
    return {
        "kind": "Pod",
        "metadata": {"name": "db-0", "namespace": "shop", "ownerReferences": [owner], **more},
        "spec": {"containers": []},
        "status": {"phase": "Running", "conditions": [condition("Ready", readiness, since=since)]},
    }


SET = workload("StatefulSet", {"replicas": 3}, {"replicas": 1, "readyReplicas": 1})


def test_a_stateful_set_that_has_too_few_and_makes_none_says_so() -> None:
    said = trouble(SET, member())
    assert said is not None
    assert said.says == "1 of 3 pods exist"
    assert [(one.path, one.value) for one in said.evidence] == [("spec.replicas", 3), ("status.replicas", 1)]
    assert trouble(workload("StatefulSet", {}, {"replicas": 0})) is not None


@pytest.mark.parametrize(
    "pod",
    [
        member(readiness="False"),
        member(since=ago(seconds=30)),
        member(deletionTimestamp=ago(seconds=5)),
    ],
    ids=["waits for a pod", "a pod just became ready", "a pod is being replaced"],
)
def test_a_stateful_set_that_is_under_way_says_nothing(pod: dict[str, Any]) -> None:
    assert trouble(SET, pod, alone=True) is None


@pytest.mark.parametrize(
    "stateful_set",
    [
        workload("StatefulSet", {"replicas": 3}, {"replicas": 3}),
        workload("StatefulSet", {"replicas": 0}, {"replicas": 0}),
        workload("StatefulSet", {"replicas": 3}, {"replicas": 1, "observedGeneration": 2}),
        workload("StatefulSet", {"replicas": 3}, {"replicas": 0}, age=ago(seconds=20)),
    ],
    ids=["whole", "scaled to zero", "not observed yet", "new"],
)
def test_a_stateful_set_that_has_what_it_wants_or_is_new_says_nothing(stateful_set: dict[str, Any]) -> None:
    assert trouble(stateful_set, alone=True) is None


def daemon_set(wanted: int, has: int) -> Trouble | None:
    return trouble(workload("DaemonSet", {}, {"desiredNumberScheduled": wanted, "currentNumberScheduled": has}))


def test_a_daemon_set_that_misses_nodes_says_so() -> None:
    said = daemon_set(3, 2)
    assert said is not None
    assert said.says == "pods exist on 2 of 3 nodes"
    assert daemon_set(3, 3) is None
    assert daemon_set(0, 0) is None


def job(spec: dict[str, Any] | None = None, **status: Any) -> Trouble | None:
    return trouble(workload("Job", spec or {}, {"startTime": ago(hours=1), **status}), alone=True)


def test_a_job_that_never_had_a_pod_says_so() -> None:
    said = job()
    assert said is not None
    assert said.says == "the Job has started, but no pod was created"


@pytest.mark.parametrize(
    ("spec", "status"),
    [
        ({}, {"active": 1}),
        ({}, {"failed": 1}),
        ({}, {"succeeded": 1}),
        ({}, {"conditions": [condition("Complete", "True")]}),
        ({"suspend": True}, {}),
        ({"parallelism": 0}, {}),
    ],
)
def test_a_job_that_had_one_or_must_have_none_says_nothing(spec: dict[str, Any], status: dict[str, Any]) -> None:
    assert job(spec, **status) is None


def pending(**more: Any) -> dict[str, Any]:
    metadata = {"name": "db-0", "namespace": "shop", "creationTimestamp": ago(minutes=11), **more}
    return {"kind": "Pod", "metadata": metadata, "spec": {"containers": []}, "status": {"phase": "Pending"}}


def test_a_pod_that_nobody_takes_up_says_so() -> None:
    said = trouble(pending())
    assert said is not None
    assert said.says == "phase is Pending for 11m, and no scheduler or kubelet has handled the pod"
    assert trouble(pending(creationTimestamp=ago(minutes=9)), alone=True) is None


def test_a_pod_that_is_not_scheduled_says_so_unless_a_gate_holds_it() -> None:
    waiting = pending()
    waiting["status"]["conditions"] = [condition("PodScheduled", "False", "Unschedulable")]
    assert trouble(waiting) is not None
    waiting["status"]["conditions"] = [condition("PodScheduled", "False", "SchedulingGated")]
    assert trouble(waiting, alone=True) is None
