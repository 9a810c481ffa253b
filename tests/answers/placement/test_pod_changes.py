"""Changes to a pod; requests follow limits as `pkg/apis/core/v1/defaults_test.go` has it."""

from __future__ import annotations

import pytest

from kubedoctor.answers.placement.pod_changes import PodChangeError, changed_pod
from kubedoctor.cluster.kinds.affinity import Toleration
from kubedoctor.cluster.kinds.containers import Container, ResourceRequirements
from kubedoctor.cluster.kinds.pods import Pod, PodSpec


def pod_with(requests: dict[str, str] | None = None, limits: dict[str, str] | None = None, *more: Container) -> Pod:
    app = Container(name="app", resources=ResourceRequirements(limits=limits, requests=requests))
    return Pod(spec=PodSpec(containers=(app, *more), node_selector={"zone": "a"}))


def resources(pod: Pod, place: int = 0) -> tuple[dict[str, str] | None, dict[str, str] | None]:
    found = pod.spec.containers[place].resources
    assert found is not None
    return found.requests, found.limits


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        (({"cpu": "2"}, None), ("requests.cpu=800m",), ({"cpu": "800m"}, None)),
        ((None, None), ("limits.memory=1Gi",), ({"memory": "1Gi"}, {"memory": "1Gi"})),  # a request that is missing
        (({"cpu": "1"}, {"cpu": "1"}), ("limits.cpu=2",), ({"cpu": "2"}, {"cpu": "2"})),  # it was the limit's copy
        (({"cpu": "500m"}, {"cpu": "1"}), ("limits.cpu=2",), ({"cpu": "500m"}, {"cpu": "2"})),  # it was asked for
        (({"cpu": "500m"}, {"cpu": "1"}), ("requests.cpu=",), ({"cpu": "1"}, {"cpu": "1"})),
        (({"cpu": "1"}, {"cpu": "1"}), ("requests.cpu=3", "limits.cpu=4"), ({"cpu": "3"}, {"cpu": "4"})),
        ((None, None), ("requests.example.com/gpu=1",), ({"example.com/gpu": "1"}, None)),
        ((None, None), ("app.requests.cpu=1",), ({"cpu": "1"}, None)),
    ],
)
def test_resources(
    before: tuple[dict[str, str] | None, dict[str, str] | None],
    changes: tuple[str, ...],
    after: tuple[dict[str, str] | None, dict[str, str] | None],
) -> None:
    assert resources(changed_pod(pod_with(*before), changes)) == after


def test_the_pod_itself_stays_as_it_is() -> None:
    pod = pod_with({"cpu": "2"})
    changed_pod(pod, ("requests.cpu=1",))
    assert resources(pod) == ({"cpu": "2"}, None)


def test_a_container_is_named_where_there_are_several() -> None:
    pod = pod_with({"cpu": "1"}, None, Container(name="proxy"))
    assert resources(changed_pod(pod, ("proxy.requests.cpu=50m",)), 1) == ({"cpu": "50m"}, None)
    with pytest.raises(PodChangeError, match=r"which container\? The pod has app, proxy"):
        changed_pod(pod, ("requests.cpu=50m",))


@pytest.mark.parametrize(
    ("change", "labels"),
    [
        ("nodeSelector.zone=b", {"zone": "b"}),
        ("nodeSelector.topology.kubernetes.io/zone=b", {"zone": "a", "topology.kubernetes.io/zone": "b"}),
        ("nodeSelector.zone-", None),
    ],
)
def test_node_selectors(change: str, labels: dict[str, str] | None) -> None:
    assert changed_pod(pod_with(), (change,)).spec.node_selector == labels


@pytest.mark.parametrize(
    ("change", "toleration"),
    [
        ("toleration=gpu", Toleration(key="gpu", operator="Exists")),
        ("toleration=gpu:NoExecute", Toleration(key="gpu", operator="Exists", effect="NoExecute")),
        ("toleration=gpu=true:NoSchedule", Toleration(key="gpu", operator="Equal", value="true", effect="NoSchedule")),
        ("toleration=gpu=", Toleration(key="gpu", operator="Equal")),
    ],
)
def test_tolerations(change: str, toleration: Toleration) -> None:
    assert changed_pod(pod_with(), (change,)).spec.tolerations == (toleration,)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("cpu=1", "no change that can be tried"),
        ("requests.cpu", "no change that can be tried"),
        ("requests.=1", "no change that can be tried"),
        ("requests.cpu=much", "no quantity"),
        ("nodeSelector.zone", "no change that can be tried"),
        ("nodeSelector.disk-", "has no 'disk'"),
        ("toleration=gpu:Never", "no toleration"),
        ("other.requests.cpu=1", "no container 'other'"),
        ("limits.cpu=500m", "the API server refuses it"),
        ("requests.cpu=-1", "must not be negative"),
        ("requests.cpu =1", "no resource of a container"),
        ("requests..cpu=1", "no resource of a container"),
        ("requests.pods=1", "no resource of a container"),
        ("requests.app.cpu=1", "no resource of a container"),
        ("requests.nvidia.com/gpu=500m", "no whole number"),
        ("nodeSelector.a b=c", "no label key"),
        ("nodeSelector.zone=a/b", "no label value"),
        ("toleration=*", "no label key"),
        ("toleration=gpu=ü:NoSchedule", "no label value"),
    ],
)
def test_what_makes_no_sense(change: str, sentence: str) -> None:
    with pytest.raises(PodChangeError, match=sentence):
        changed_pod(pod_with({"cpu": "1"}, {"cpu": "2"}), (change,))
