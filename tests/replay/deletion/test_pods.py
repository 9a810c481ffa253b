"""How far the deletion of a pod has come, by what its kubelet reports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kubedoctor.cluster import ConfigMap, ContainerStateTerminated, ContainerStatus, Pod
from kubedoctor.cluster.kinds.containers import ContainerState, ContainerStateRunning
from kubedoctor.cluster.kinds.meta import ManagedMeta, ObjectMeta
from kubedoctor.cluster.kinds.pods import PodSpec, PodStatus
from kubedoctor.replay.deletion.overdue import SOON, deletion_started, overdue, patience
from kubedoctor.replay.deletion.pods import running_containers, stopped

NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)
RUNNING = ContainerState(running=ContainerStateRunning())
ENDED = ContainerState(terminated=ContainerStateTerminated(exit_code=137))


def pod(node: str, *states: ContainerState) -> Pod:
    rows = tuple(ContainerStatus(name=f"c{number}", state=state) for number, state in enumerate(states))
    return Pod(spec=PodSpec(node_name=node), status=PodStatus(container_statuses=rows))


@pytest.mark.parametrize(
    ("sick", "running", "ended"),
    [
        (pod("a", RUNNING, ENDED), ("c0",), False),
        (pod("a", ENDED, ENDED), (), True),
        (pod("a"), (), False),
        (pod(""), (), True),
    ],
)
def test_containers_that_still_run(sick: Pod, running: tuple[str, ...], ended: bool) -> None:
    assert running_containers(sick) == running
    assert stopped(sick) is ended


def test_a_deletion_timestamp_is_the_end_of_the_grace_period() -> None:
    metadata = ManagedMeta(deletion_timestamp=NOW, deletion_grace_period_seconds=600, finalizers=("a.example/b",))
    assert deletion_started(metadata) == NOW - timedelta(minutes=10)
    assert overdue(ConfigMap(metadata=metadata), NOW + timedelta(minutes=2)) == timedelta(minutes=2)
    assert overdue(ConfigMap(), NOW) < timedelta()
    assert deletion_started(ObjectMeta()) is None


def test_a_finalizer_that_works_outside_the_cluster_has_more_time() -> None:
    slow = ManagedMeta(finalizers=("a.example/b", "service.kubernetes.io/load-balancer-cleanup"))
    assert patience(ConfigMap(metadata=slow)) > patience(ConfigMap()) == SOON
