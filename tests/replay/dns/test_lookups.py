"""Lookups that failed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kubedoctor.cluster import Cluster, Pod, Source
from kubedoctor.collect.recording import add_logs, whole_state
from kubedoctor.replay.dns.lookups import failed_lookup

AT = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
FAILED = "dial tcp: lookup db.shop.svc.cluster.local on 10.96.0.10:53: read udp: i/o timeout"


def pod(name: str, *, is_ready: bool = False) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": "True" if is_ready else "False"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"containers": [{"name": "app", "image": "app:1"}]},
        "status": {"phase": "Running", "conditions": conditions},
    }


def cluster(pods: list[dict[str, Any]], logs: dict[str, Any]) -> Cluster:
    snapshot = whole_state(AT, Source("files", "test", "v1.37.2"), tuple(pods), {})
    add_logs(snapshot, logs)
    return Cluster(snapshot)


@pytest.mark.parametrize("which", ["current", "previous"])
def test_the_line_of_a_pod_that_is_not_ready_is_found(which: str) -> None:
    seen = cluster([pod("a"), pod("b")], {"shop/b/app": {which: f"starting\n{FAILED}\n"}})
    found = failed_lookup(seen.all(Pod), seen)
    assert found is not None
    assert found.tail.lines[found.index] == FAILED
    assert found.tail.previous is (which == "previous")


def test_the_log_of_a_ready_pod_is_not_read() -> None:
    seen = cluster([pod("a", is_ready=True)], {"shop/a/app": {"current": FAILED}})
    assert failed_lookup(seen.all(Pod), seen) is None


def test_another_complaint_is_no_failed_lookup() -> None:
    seen = cluster([pod("a")], {"shop/a/app": {"current": "dial tcp 10.0.0.7:5432: connect: connection refused"}})
    assert failed_lookup(seen.all(Pod), seen) is None
