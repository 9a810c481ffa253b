"""Pools and claims of Karpenter."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.cluster.kinds.karpenter import NodeClaim, NodePool
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.replay.autoscaling.karpenter import (
    Exhausted,
    Stage,
    exhausted,
    may_take,
    nominated_claim,
    nominated_node,
    not_ready,
    stage_of,
)


def pool(limits: Any = None, used: Any = None, template: Any = None, conditions: Any = ()) -> NodePool:
    data = {
        "metadata": {"name": "general"},
        "spec": {"limits": limits, "template": template or {}},
        "status": {"resources": used, "conditions": list(conditions)},
    }
    (found,) = convert_object("NodePool.karpenter.sh", data).objects
    assert isinstance(found, NodePool)
    return found


def pod(cpu: str = "2", **spec: Any) -> Pod:
    containers = [{"name": "app", "resources": {"requests": {"cpu": cpu}}}]
    (found,) = convert_object("Pod", {"metadata": {"name": "w"}, "spec": {"containers": containers, **spec}}).objects
    assert isinstance(found, Pod)
    return found


def claim(*conditions: tuple[str, str, str], **metadata: Any) -> NodeClaim:
    rows = [{"type": kind, "status": status, "reason": reason} for kind, status, reason in conditions]
    data = {"metadata": {"name": "a", **metadata}, "status": {"conditions": rows}}
    (found,) = convert_object("NodeClaim.karpenter.sh", data).objects
    assert isinstance(found, NodeClaim)
    return found


@pytest.mark.parametrize(
    ("limits", "used", "full"),
    [
        (None, {"cpu": "900"}, []),
        ({"cpu": "8"}, None, []),
        ({"cpu": 8}, {"cpu": "6"}, []),
        ({"cpu": "8"}, {"cpu": "6100m"}, ["cpu"]),
        ({"cpu": "8", "memory": "32Gi"}, {"cpu": "1", "memory": "32Gi"}, ["memory"]),
        ({"nodes": "3"}, {"nodes": "3", "cpu": "5"}, ["nodes"]),
        ({"cpu": "not a number"}, {"cpu": "6"}, []),
    ],
)
def test_limits(limits: Any, used: Any, full: list[str]) -> None:
    assert [one.resource for one in exhausted(pool(limits, used), pod())] == full


def test_a_limit_is_told_with_its_numbers() -> None:
    assert exhausted(pool({"cpu": "8"}, {"cpu": "8"}), pod()) == (Exhausted("cpu", "8", "8"),)


TAINTED = {"spec": {"taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]}}
ARM = {"spec": {"requirements": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}]}}


def affinity(operator: str, *values: str) -> dict[str, Any]:
    one = {"key": "kubernetes.io/arch", "operator": operator, "values": list(values)}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [one]}]}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}}


@pytest.mark.parametrize(
    ("template", "spec", "taken"),
    [
        ({}, {}, True),
        (TAINTED, {}, False),
        (TAINTED, {"tolerations": [{"key": "gpu", "operator": "Exists"}]}, True),
        (ARM, {"nodeSelector": {"kubernetes.io/arch": "amd64"}}, False),
        (ARM, {"nodeSelector": {"kubernetes.io/arch": "arm64"}}, True),
        (ARM, {"nodeSelector": {"somewhere": "else"}}, True),
        ({}, {"nodeSelector": {"karpenter.sh/nodepool": "other"}}, False),
        ({"metadata": {"labels": {"team": "a"}}}, {"nodeSelector": {"team": "b"}}, False),
        (ARM, affinity("In", "amd64"), False),
        (ARM, affinity("In", "amd64", "arm64"), True),
        (ARM, affinity("NotIn", "arm64"), False),
        (ARM, affinity("DoesNotExist"), False),
    ],
)
def test_which_pools_could_take_a_pod(template: Any, spec: dict[str, Any], taken: bool) -> None:
    assert may_take(pool(template=template), pod(**spec)) is taken


def test_the_part_that_is_not_ready_is_named() -> None:
    rows = [{"type": "Ready", "status": "False"}, {"type": "NodeClassReady", "status": "False", "message": "gone"}]
    found = not_ready(pool(conditions=rows))
    assert found is not None
    assert (found.type, found.message) == ("NodeClassReady", "gone")
    assert not_ready(pool(conditions=[{"type": "Ready", "status": "True"}])) is None
    assert not_ready(pool()) is None, "v1beta1 has no conditions on pools"


@pytest.mark.parametrize(
    ("conditions", "stage"),
    [
        ((), Stage.LAUNCHING),
        ((("Launched", "Unknown", "AwaitingReconciliation"),), Stage.LAUNCHING),
        ((("Launched", "Unknown", "LaunchFailed"),), Stage.NOT_LAUNCHED),
        ((("Launched", "False", "InsufficientCapacity"),), Stage.NOT_LAUNCHED),
        ((("Launched", "True", "Launched"), ("Registered", "Unknown", "NodeNotFound")), Stage.REGISTERING),
        ((("Launched", "True", ""), ("Registered", "True", ""), ("Initialized", "False", "")), Stage.STARTING),
        ((("Launched", "True", ""), ("Registered", "True", ""), ("Initialized", "True", "")), Stage.READY),
    ],
)
def test_stages_of_a_claim(conditions: tuple[tuple[str, str, str], ...], stage: Stage) -> None:
    assert stage_of(claim(*conditions)) is stage


def test_a_claim_that_is_deleted() -> None:
    assert stage_of(claim(("Launched", "True", ""), deletionTimestamp="2026-01-15T10:00:00Z")) is Stage.ENDING


def test_what_a_pod_was_nominated_for() -> None:
    both = "Pod should schedule on: nodeclaim/general-x7x2f, node/ip-10-0-0-1.ec2.internal"
    assert nominated_claim(both) == "general-x7x2f"
    assert nominated_node(both) == "ip-10-0-0-1.ec2.internal"
    assert nominated_claim("Pod should schedule on: node/n1") == ""
    assert nominated_node("Pod should schedule on: nodeclaim/a") == ""
