"""How much memory the pods of a node may use."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.cluster import Node, Pod
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.replay.kubelet.memory_commitment import MemoryCommitment, memory_commitment

GI = 1 << 30


def node(memory: str = "8Gi") -> Node:
    (made,) = convert_object(
        "Node", {"kind": "Node", "metadata": {"name": "a"}, "status": {"allocatable": {"memory": memory}}}
    ).objects
    assert isinstance(made, Node)
    return made


def pod(name: str, request: str = "", limit: str = "", **more: Any) -> Pod:
    amounts = {"requests": request, "limits": limit}
    resources = {side: {"memory": amount} for side, amount in amounts.items() if amount}
    spec = {"containers": [{"name": "app", "image": "web:1", "resources": resources}], **more.pop("spec", {})}
    metadata = {"name": name, "namespace": "shop", **more.pop("metadata", {})}
    (made,) = convert_object("Pod", {"kind": "Pod", "metadata": metadata, "spec": spec, **more}).objects
    assert isinstance(made, Pod)
    return made


def commitment(*pods: Pod, memory: str = "8Gi") -> MemoryCommitment:
    made = memory_commitment(node(memory), pods)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("limits", "far"), [(("4Gi", "4Gi"), False), (("6Gi", "5Gi"), False), (("6Gi", "6Gi"), True), (("12Gi",), True)]
)
def test_limits_far_above_the_node(limits: tuple[str, ...], far: bool) -> None:
    pods = [pod(f"web-{number}", "1Gi", limit) for number, limit in enumerate(limits)]
    assert commitment(*pods).is_far_above is far


def test_several_pods_without_a_limit_may_use_all() -> None:
    assert not commitment(pod("a", "1Gi")).is_far_above
    assert commitment(pod("a", "1Gi"), pod("b")).is_far_above


def test_what_may_exceed_its_request_most_comes_first() -> None:
    shares = commitment(pod("small", "1Gi", "2Gi"), pod("none"), pod("large", "1Gi", "6Gi")).shares
    assert [(share.pod.name, share.request, share.limit) for share in shares] == [
        ("none", 0, None),
        ("large", GI, 6 * GI),
        ("small", GI, 2 * GI),
    ]


def test_a_limit_of_the_whole_pod_bounds_it() -> None:
    bounded = pod("web", spec={"resources": {"limits": {"memory": "2Gi"}}})
    assert commitment(bounded).shares[0].limit == 2 * GI


def test_pods_that_ended_and_those_of_the_node_do_not_count() -> None:
    proxy = pod("kube-proxy", spec={"priority": 2_000_001_000})
    static = pod("etcd", metadata={"annotations": {"kubernetes.io/config.mirror": "1"}})
    done = pod("job", "1Gi", "64Gi", status={"phase": "Succeeded"})
    assert commitment(proxy, static, done) == (8 * GI, 0, 0, ())


@pytest.mark.parametrize("memory", ["", "much", "0"])
def test_a_node_of_unknown_size(memory: str) -> None:
    assert memory_commitment(node(memory), [pod("a")]) is None
