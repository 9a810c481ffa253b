"""What a rolling update may replace, and whether it reaches its end."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from kubedoctor.cluster.kinds.apps import Deployment, ReplicaSet
from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.cycle import schedule
from kubedoctor.replay.scheduler.snapshot import ClusterState
from kubedoctor.replay.workloads.rolling_update import Fences, fences, old_pods_that_may_go
from kubedoctor.replay.workloads.rollout_course import completes, without_pods


def deployment(replicas: int, surge: int | str | None = None, unavailable: int | str | None = None) -> Deployment:
    numbers = {"maxSurge": surge, "maxUnavailable": unavailable}
    spec = {"replicas": replicas, "strategy": {"type": "RollingUpdate", "rollingUpdate": numbers}}
    return msgspec.convert({"metadata": {"name": "web"}, "spec": spec}, Deployment)


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (10, None, None, Fences(3, 2)),
        (3, None, None, Fences(1, 0)),
        (1, "25%", "25%", Fences(1, 0)),
        (4, "25%", "25%", Fences(1, 1)),
        (3, 0, "25%", Fences(0, 1)),
        (3, 2, 0, Fences(2, 0)),
        (3, "50%", 3, Fences(2, 3)),
    ],
)
def test_surge_is_rounded_up_and_the_rest_down(
    replicas: int, surge: int | str | None, unavailable: int | str | None, expected: Fences
) -> None:
    assert fences(deployment(replicas, surge, unavailable)) == expected


def replica_set(replicas: int, available: int) -> ReplicaSet:
    return msgspec.convert({"spec": {"replicas": replicas}, "status": {"availableReplicas": available}}, ReplicaSet)


@pytest.mark.parametrize(
    ("unavailable", "newest", "old", "expected"),
    [
        (0, replica_set(1, 0), [replica_set(3, 3)], 0),
        (0, replica_set(1, 1), [replica_set(3, 3)], 1),
        (1, replica_set(1, 0), [replica_set(3, 3)], 1),
        (0, replica_set(1, 0), [replica_set(3, 2)], 0),
        (1, replica_set(1, 0), [replica_set(3, 2)], 1),
        (1, replica_set(2, 0), [replica_set(1, 0), replica_set(2, 2)], 1),
    ],
)
def test_old_pods_that_may_go(unavailable: int, newest: ReplicaSet, old: list[ReplicaSet], expected: int) -> None:
    assert old_pods_that_may_go(deployment(3, 1, unavailable), newest, old) == expected


def node(name: str, taint: str = "") -> Node:
    taints = [{"key": taint, "effect": "NoSchedule"}] if taint else []
    status = {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}}
    labels = {"kubernetes.io/hostname": name}
    return msgspec.convert(
        {"metadata": {"name": name, "labels": labels}, "spec": {"taints": taints}, "status": status}, Node
    )


def pod(name: str, on: str = "", **constraint: Any) -> Pod:
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
        **constraint,
    }
    labels = {"app": "web", "pod-template-hash": name.partition("-")[0]}
    spec = {"nodeName": on, "containers": [{"name": "web"}], "topologySpreadConstraints": [spread]}
    return msgspec.convert({"metadata": {"name": name, "namespace": "shop", "labels": labels}, "spec": spec}, Pod)


OLD = [pod("old-1", "a"), pod("old-2", "b")]
STATE = ClusterState.of([node("a"), node("b"), node("infra", "dedicated")], OLD)


@pytest.mark.parametrize(
    ("unavailable", "constraint", "expected"),
    [
        (0, {}, False),
        (1, {}, True),
        (0, {"matchLabelKeys": ["pod-template-hash"]}, True),
        (0, {"nodeTaintsPolicy": "Honor"}, True),
        (0, {"maxSkew": 2}, True),
    ],
)
def test_whether_a_rollout_ends(unavailable: int, constraint: dict[str, Any], expected: bool) -> None:
    """The constraints are tried on one state, as proofs do."""
    assert completes(deployment(2, 1, unavailable), pod("new-1", **constraint), OLD, STATE) is expected


def test_pods_are_taken_from_their_nodes() -> None:
    left = without_pods(STATE, OLD[:1])
    assert [len(info.pods) for info in left.nodes] == [0, 1, 0]
    assert [len(info.pods) for info in STATE.nodes] == [1, 1, 0]


def test_taint_policies_are_told_apart_in_one_state() -> None:
    """A pod without tolerations counts a tainted node under Ignore, and not under Honor."""
    state = ClusterState.of([node("a"), node("infra", "dedicated")], OLD[:1])
    ignoring = pod("new-1")
    assert schedule(ignoring, state).feasible == ()
    (constraint,) = ignoring.spec.topology_spread_constraints or ()
    honoring = replace(constraint, node_taints_policy="Honor")
    pods_own = replace(ignoring.spec, topology_spread_constraints=(honoring,))
    assert schedule(replace(ignoring, spec=pods_own), state).feasible == ("a",)
