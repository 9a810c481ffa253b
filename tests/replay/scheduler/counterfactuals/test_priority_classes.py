"""The class that would let a pod preempt others, by trying each one anew."""

from __future__ import annotations

import gzip
from pathlib import Path

import msgspec

from kubedoctor.cluster.kinds.control import PriorityClass
from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.counterfactuals.priority_classes import helpful_class
from kubedoctor.replay.scheduler.cycle import schedule
from kubedoctor.replay.scheduler.preemption import preempt
from kubedoctor.replay.scheduler.snapshot import ClusterState
from kubedoctor.testing.oracle import question


def classes(*values: int) -> list[PriorityClass]:
    return [msgspec.convert({"metadata": {"name": f"c{value}"}, "value": value}, PriorityClass) for value in values]


def evicts(pod: Pod, state: ClusterState, value: int) -> bool:
    spec = msgspec.structs.replace(pod.spec, priority=value, preemption_policy="PreemptLowerPriority")
    changed = msgspec.structs.replace(pod, spec=spec)
    tried = preempt(changed, state, schedule(changed, state))
    return tried is not None and bool(tried.candidates)


def test_no_lower_class_would_do(shared: Path) -> None:
    helped = useless = 0
    with gzip.open(shared / "conformance" / "fuzz" / "preemption.jsonl.gz") as lines:
        for line in lines:
            pod, state = question(msgspec.json.decode(line, type=dict[str, msgspec.Raw])["request"])
            verdict = schedule(pod, state)
            tried = preempt(pod, state, verdict)
            mine = pod.spec.priority or 0
            values = [mine + step for step in (-1, 0, 1, 50, 500, 5000, 1_000_000)]
            found = helpful_class(pod, state, verdict, tried, classes(*values))
            if found is None:
                continue
            helped += 1
            assert tried is not None
            assert not tried.candidates
            value = found.priority_class.value
            assert value > mine
            assert evicts(pod, state, value)
            assert not any(evicts(pod, state, lower) for lower in values if mine < lower < value)
            useless += value > mine + 1
    assert helped > 20
    assert useless > 5


def one_full_node(priority: int, **spec: object) -> tuple[Pod, ClusterState]:
    node = {"metadata": {"name": "n"}, "status": {"allocatable": {"cpu": "1", "pods": "1"}}}
    guest = {"metadata": {"name": "g"}, "spec": {"nodeName": "n", "priority": priority, "containers": []}}
    pod = msgspec.convert({"metadata": {"name": "p"}, "spec": {"containers": [], **spec}}, Pod)
    return pod, ClusterState.of([msgspec.convert(node, Node)], [msgspec.convert(guest, Pod)])


def test_only_classes_that_people_may_use_and_that_preempt() -> None:
    pod, state = one_full_node(100)
    verdict = schedule(pod, state)
    tried = preempt(pod, state, verdict)
    patient = msgspec.convert({"metadata": {"name": "a"}, "value": 150, "preemptionPolicy": "Never"}, PriorityClass)
    own = msgspec.convert({"metadata": {"name": "system-node-critical"}, "value": 2_000_001_000}, PriorityClass)
    assert helpful_class(pod, state, verdict, tried, [patient, own, *classes(100)]) is None
    found = helpful_class(pod, state, verdict, tried, [patient, own, *classes(100, 101, 200)])
    assert found is not None
    assert (found.priority_class.value, [one.name for one in found.candidate.victims]) == (101, ["g"])


def test_a_pod_that_may_not_preempt_could_as_another_class() -> None:
    pod, state = one_full_node(-1, preemptionPolicy="Never")
    verdict = schedule(pod, state)
    found = helpful_class(pod, state, verdict, preempt(pod, state, verdict), classes(10))
    assert found is not None
    pod, state = one_full_node(-1)
    verdict = schedule(pod, state)
    assert helpful_class(pod, state, verdict, preempt(pod, state, verdict), classes(10)) is None, "it preempts anyway"
