"""Which connections of a log got no answer, and where they should have ended."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kubedoctor.answers.reach.attempts import failed_attempts
from kubedoctor.cluster import Cluster, LogTail, LogWant, NetworkPolicy, Pod, Service, Snapshot, Source, ref
from kubedoctor.cluster.kinds.containers import (
    Container,
    ContainerPort,
    ContainerState,
    ContainerStateRunning,
    ContainerStatus,
)
from kubedoctor.cluster.kinds.core import ServicePort, ServiceSpec
from kubedoctor.cluster.kinds.meta import ManagedMeta
from kubedoctor.cluster.kinds.pods import PodSpec, PodStatus


def pod(name: str, address: str, **labels: str) -> Pod:
    status = ContainerStatus(name="app", state=ContainerState(running=ContainerStateRunning()))
    return Pod(
        metadata=ManagedMeta(name=name, namespace="shop", labels=labels),
        spec=PodSpec(containers=(Container(name="app", ports=(ContainerPort(name="sql", container_port=5432),)),)),
        status=PodStatus(phase="Running", pod_ip=address, container_statuses=(status,)),
    )


WEB, DATABASE = pod("web", "10.0.0.1", app="web"), pod("db-0", "10.0.0.2", app="db")
SERVICE = Service(
    metadata=ManagedMeta(name="db", namespace="shop"),
    spec=ServiceSpec(
        cluster_ip="10.96.0.9", selector={"app": "db"}, ports=(ServicePort(port=5000, target_port="sql"),)
    ),
)


def ends(line: str) -> list[tuple[str, int, str]]:
    snapshot = Snapshot(datetime(2026, 1, 15, 10, tzinfo=UTC), Source("files", "t", "v1.37.0"), complete=True)
    snapshot.add((WEB, DATABASE, SERVICE, NetworkPolicy(metadata=ManagedMeta(name="any", namespace="shop"))))
    want = LogWant("shop", "web", "app")
    snapshot.add_log(want, LogTail(ref(WEB), "app", False, (line,)))
    return [
        (target.title, target.port, target.protocol)
        for attempt in failed_attempts(WEB, Cluster(snapshot))
        for target in attempt.targets
    ]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("ERROR dial tcp 10.96.0.9:5000: i/o timeout", [("Service shop/db", 5432, "TCP")]),
        (
            "ERROR failed to connect to db:5000: dial tcp 10.96.0.9:5000: i/o timeout",
            [("Service shop/db", 5432, "TCP")],
        ),
        ("ERROR dial tcp 10.96.0.9:6000: i/o timeout", []),
        ("ERROR dial tcp 10.0.0.2:5432: i/o timeout", [("Pod shop/db-0", 5432, "TCP")]),
        ("ERROR dial tcp 203.0.113.7:443: connect: connection timed out", [("203.0.113.7", 443, "TCP")]),
        ("ERROR dial tcp 10.96.0.9:5000: connect: connection refused", []),
        (
            "ERROR lookup db on 169.254.20.10:53: read udp 10.0.0.1:5->169.254.20.10:53: i/o timeout",
            [("169.254.20.10", 53, "UDP")],
        ),
        ("ERROR lookup db on 10.0.0.2:53: read udp 10.0.0.1:5->10.0.0.2:53: i/o timeout", []),
        ("ERROR lookup nothing.example on 169.254.20.10:53: no such host", []),
        ("ERROR dial tcp 127.0.0.1:5432: i/o timeout", []),
        ("INFO listening on :8080", []),
    ],
)
def test_where_a_connection_without_an_answer_should_have_ended(line: str, found: list[tuple[str, int, str]]) -> None:
    assert ends(line) == found
