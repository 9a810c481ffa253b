"""`can-drain`: who leaves, who refuses, where the replacements run."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.answers.question import Choices
from kubedoctor.answers.questions.can_drain import can_drain
from kubedoctor.answers.sheet import Conclusion, Sheet
from kubedoctor.cluster import Cluster, Ref
from kubedoctor.engine.asking import ask
from tests.engine.clinic import complete, live
from tests.engine.fleet import fleet_node
from tests.engine.test_examination import Server

DRAINED = Ref("Node", "", "old")
Manifest = dict[str, Any]


def running(
    name: str, *, owner: str = "web", node: str = "old", cpu: str = "1", ready: bool = True, **more: Any
) -> Manifest:
    owners = [{"kind": "ReplicaSet", "apiVersion": "apps/v1", "name": owner, "uid": owner, "controller": True}]
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": name,
            "labels": {"app": "web"},
            "ownerReferences": owners if owner else [],
        },
        "spec": {
            "nodeName": node,
            "containers": [{"name": "app", "image": "web:1", "resources": {"requests": {"cpu": cpu}}}],
            **more,
        },
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True" if ready else "False"}]},
    }


def replica_set(replicas: int) -> Manifest:
    owner = {"kind": "Deployment", "name": "web", "controller": True}
    return {
        "kind": "ReplicaSet",
        "metadata": {"name": "web", "namespace": "shop", "uid": "web", "ownerReferences": [owner]},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}},
    }


def deployment(replicas: int) -> Manifest:
    return {
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}},
    }


def budget(desired: int, healthy: int, expected: int, name: str = "web", **spec: Any) -> Manifest:
    return {
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": "shop", "generation": 1},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, **(spec or {"minAvailable": desired})},
        "status": {
            "desiredHealthy": desired,
            "currentHealthy": healthy,
            "expectedPods": expected,
            "disruptionsAllowed": max(0, healthy - desired),
            "observedGeneration": 1,
        },
    }


def drained(*manifests: Manifest, nodes: tuple[str, ...] = ("4",)) -> Sheet:
    others = (fleet_node(f"new-{number}", cpu) for number, cpu in enumerate(nodes))
    space = {"kind": "Namespace", "metadata": {"name": "shop"}}
    return can_drain.answer(DRAINED, Choices(), Cluster(complete(fleet_node("old"), *others, space, *manifests)))


@pytest.mark.parametrize(
    ("manifests", "nodes", "verdict"),
    [
        ((), ("4",), "can be drained: no pod has to leave"),
        ((running("a"),), ("4",), "can be drained: 1 pod fits on other nodes"),
        ((running("a"), running("b")), ("1",), "a drain leaves 1 of 2 pods without a node"),
        ((running("a", owner=""),), ("4",), "a drain deletes 1 pod that nothing creates again"),
        ((running("a"), budget(1, 1, 1)), ("4",), "cannot be drained: the eviction of its pod is refused"),
        ((running("a", ready=False), budget(1, 1, 2)), ("4",), "can be drained: 1 pod fits on other nodes"),
        ((running("a"), running("b"), budget(1, 2, 2)), ("4",), "can be drained: 2 pods fit on other nodes"),
        # The replacement of the first never gets ready, so the second must stay.
        (
            (running("a"), running("b"), budget(1, 2, 2)),
            ("500m",),
            "cannot be drained: the eviction of 1 of 2 pods is refused",
        ),
        (
            (running("a"), budget(1, 2, 2), budget(1, 2, 2, "other")),
            ("4",),
            "cannot be drained: the eviction of its pod is refused",
        ),
    ],
)
def test_the_verdict(manifests: tuple[Manifest, ...], nodes: tuple[str, ...], verdict: str) -> None:
    sheet = drained(*manifests, nodes=nodes)
    assert sheet.verdict == verdict
    assert (sheet.conclusion is Conclusion.WELL) is verdict.startswith("can be drained")


def test_a_budget_that_lets_no_pod_go_has_a_proven_change() -> None:
    sheet = drained(deployment(1), replica_set(1), running("a"), budget(1, 1, 1))
    assert [fact.text for fact in sheet.facts if fact.label == "budget"] == [
        "PodDisruptionBudget shop/web never lets a pod go: it needs 1 healthy of 1 pod (minAvailable 1)"
    ]
    replica, change = sheet.fixes
    assert (replica.command, replica.verified) == ("", False)
    assert change.verified
    assert change.command == (
        "kubectl patch poddisruptionbudget/web -n shop --type=merge "
        """-p '{"spec": {"maxUnavailable": 1, "minAvailable": null}}'"""
    )


@pytest.mark.parametrize(
    ("numbers", "spec", "nodes", "changes"),
    [
        ((2, 2, 2), {}, ("4",), True),
        ((2, 2, 3), {}, ("4",), False),  # A third pod has to get ready first: the budget lets one go already.
        ((3, 3, 5), {}, ("4",), False),  # A change to 4 of 5 would ask for more.
        ((1, 2, 2), {}, ("500m",), False),  # The replacement of the first has no node.
        ((2, 2, 2), {"maxUnavailable": 0}, ("4",), True),
        ((1, 1, 2), {"maxUnavailable": 1}, ("4",), False),
    ],
)
def test_a_budget_is_changed_only_where_it_then_needs_fewer_pods(
    numbers: tuple[int, int, int], spec: Manifest, nodes: tuple[str, ...], changes: bool
) -> None:
    pods = (running("a"), running("b"))
    sheet = drained(deployment(numbers[2]), replica_set(numbers[2]), *pods, budget(*numbers, **spec), nodes=nodes)
    assert sheet.verdict.startswith("cannot be drained")
    assert any("maxUnavailable" in fix.command for fix in sheet.fixes) is changes


def test_a_budget_short_of_healthy_pods_is_told_from_one_that_never_allows() -> None:
    sheet = drained(replica_set(3), running("a"), running("b", node="new-0"), budget(2, 2, 3))
    (fact,) = (fact.text for fact in sheet.facts if fact.label == "budget")
    assert fact == "PodDisruptionBudget shop/web needs 2 healthy pods and has 2 (minAvailable 2)"


def test_of_many_budgets_the_first_are_described() -> None:
    names = "abcde"
    pods = [{**running(name), "metadata": {**running(name)["metadata"], "labels": {"app": name}}} for name in names]
    budgets = [budget(1, 1, 1, name, selector={"matchLabels": {"app": name}}, minAvailable=1) for name in names]
    facts = [fact.text for fact in drained(*pods, *budgets).facts if fact.label == "budget"]
    assert [text.partition(" never")[0] for text in facts] == [
        *(f"PodDisruptionBudget shop/{name}" for name in "abc"),
        "and 2 more",
    ]


def test_what_an_autoscaler_owns_is_not_scaled_by_hand() -> None:
    autoscaler = {
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "apiVersion": "apps/v1", "name": "web"}},
    }
    sheet = drained(deployment(1), replica_set(1), autoscaler, running("a"), budget(1, 1, 1))
    assert sheet.fixes[0].summary == ("Run a second replica: raise minReplicas of HorizontalPodAutoscaler shop/web")


def test_the_flags_that_the_node_needs_and_what_they_cost() -> None:
    daemon = running("agent", owner="")
    daemon["metadata"]["ownerReferences"] = [
        {"kind": "DaemonSet", "apiVersion": "apps/v1", "name": "agent", "controller": True}
    ]
    daemon_set = {"kind": "DaemonSet", "metadata": {"name": "agent", "namespace": "shop"}}
    sheet = drained(daemon_set, daemon, running("a", volumes=[{"name": "scratch", "emptyDir": {}}]))
    assert sheet.next[-1].line == "kubectl drain old --ignore-daemonsets --delete-emptydir-data"
    assert [(fact.label, fact.text) for fact in sheet.facts] == [
        ("lost", "the emptyDir data of 1 pod"),
        ("stays", "1 DaemonSet pod"),
    ]


def test_a_few_rounds_fetch_all() -> None:
    pods = [running(f"p{number}") for number in range(5)]
    server = Server(live(), fleet_node("old"), fleet_node("new"), replica_set(5), budget(5, 5, 5), *pods)
    answered = ask(can_drain, DRAINED, Choices(), server.snapshot, server.gather)
    assert answered.sheet.verdict == "cannot be drained: the eviction of 5 of 5 pods is refused"
    assert len(server.rounds) <= 4, server.rounds


def test_budgets_that_cannot_be_read_leave_the_answer_open() -> None:
    server = Server(live(), fleet_node("old"), fleet_node("new"), running("a"), refused=("PodDisruptionBudget",))
    answered = ask(can_drain, DRAINED, Choices(), server.snapshot, server.gather)
    assert answered.sheet.conclusion is Conclusion.UNKNOWN
