"""What `kubectl drain` does with a pod; upstream's own answers are compared in tests/testing/test_oracle.py."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.disruption.drains import DrainOptions, Treatment, drain, treatment

NOW = datetime(2026, 1, 1, 12, 0, 10, tzinfo=UTC)
SETS = {("shop", "agent")}


def pod(
    owner: str = "ReplicaSet", name: str = "web", *, local: bool = False, phase: str = "Running", **more: Any
) -> Pod:
    api = "apps/v1"
    owners = [{"kind": owner, "name": name, "apiVersion": api, "controller": True}] if owner else []
    volumes = [{"name": "scratch", "emptyDir": {}}] if local else []
    document = {
        "metadata": {"name": "p", "namespace": "shop", "ownerReferences": owners, **more},
        "spec": {"volumes": volumes},
        "status": {"phase": phase},
    }
    return msgspec.convert(document, Pod)


MIRROR: dict[str, Any] = {"annotations": {"kubernetes.io/config.mirror": "x"}}
DELETED: dict[str, Any] = {"deletionTimestamp": "2026-01-01T12:00:00Z"}


@pytest.mark.parametrize(
    ("subject", "options", "expected"),
    [
        (pod(), DrainOptions(), Treatment.LEAVES),
        (pod("DaemonSet", "agent"), DrainOptions(), Treatment.DAEMON_SET),
        (pod("DaemonSet", "agent"), DrainOptions(ignore_daemon_sets=True), Treatment.IGNORED_DAEMON_SET),
        (pod("DaemonSet", "agent", phase="Failed"), DrainOptions(), Treatment.LEAVES),
        (pod("DaemonSet", "gone"), DrainOptions(ignore_daemon_sets=True), Treatment.NO_DAEMON_SET),
        (pod("DaemonSet", "gone"), DrainOptions(force=True), Treatment.LEAVES),
        (pod("Node", **MIRROR), DrainOptions(), Treatment.SKIPPED_MIRROR),
        (pod(local=True), DrainOptions(), Treatment.LOCAL_STORAGE),
        (pod(local=True, phase="Succeeded"), DrainOptions(), Treatment.LEAVES),
        (pod(local=True), DrainOptions(delete_empty_dir_data=True), Treatment.LEAVES_WITH_LOCAL_STORAGE),
        (pod(""), DrainOptions(), Treatment.NO_CONTROLLER),
        (pod(""), DrainOptions(force=True), Treatment.LEAVES_WITHOUT_CONTROLLER),
        (pod(**DELETED), DrainOptions(skip_deleted=9), Treatment.SKIPPED_DELETED),
        (pod(**DELETED), DrainOptions(skip_deleted=10), Treatment.LEAVES),
    ],
)
def test_the_filters(subject: Pod, options: DrainOptions, expected: Treatment) -> None:
    assert treatment(subject, SETS, options, NOW) is expected


def test_one_pod_that_blocks_keeps_all() -> None:
    found = drain([pod(), pod("", labels={"app": "bare"})], SETS, DrainOptions(), NOW)
    assert found.blocked
    assert found.errors == ["cannot delete Pods that declare no controller (use --force to override): shop/p"]
    assert not drain([pod(""), pod()], SETS, DrainOptions(pod_selector="app=none"), NOW).pods
    assert drain([pod()], SETS, DrainOptions(pod_selector="a in"), NOW).blocked
