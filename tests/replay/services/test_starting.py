"""Pods that are not ready: young, or in trouble."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.containers import ContainerState
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.services import still_starting

NOW = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)


def ago(seconds: int) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat()


def pod(age: int, state: dict[str, Any] | None, *, node: str = "worker", probe: dict[str, Any] | None = None) -> Pod:
    status = {"name": "app", "ready": False, "state": state} if state is not None else None
    data = {
        "metadata": {"name": "web", "namespace": "shop", "creationTimestamp": ago(age)},
        "spec": {"nodeName": node, "containers": [{"name": "app", **({"startupProbe": probe} if probe else {})}]},
        "status": {"phase": "Running", "startTime": ago(age), "containerStatuses": [status] if status else None},
    }
    return msgspec.convert(data, Pod)


def restarted(times: int, ran: int) -> Pod:
    one = pod(9000, running(5))
    assert one.status.container_statuses is not None
    ended = {"exitCode": 1, "startedAt": ago(60 + ran), "finishedAt": ago(60)}
    last = msgspec.convert({"terminated": ended}, ContainerState)
    status = msgspec.structs.replace(one.status.container_statuses[0], restart_count=times, last_state=last)
    return msgspec.structs.replace(one, status=msgspec.structs.replace(one.status, container_statuses=(status,)))


def running(seconds: int) -> dict[str, Any]:
    return {"running": {"startedAt": ago(seconds)}}


SLOW = {"periodSeconds": 10, "failureThreshold": 30, "timeoutSeconds": 1}


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (pod(30, None, node=""), True),
        (pod(90, None, node=""), False),
        (pod(120, {"waiting": {"reason": "ContainerCreating"}}), True),
        (pod(900, {"waiting": {"reason": "ContainerCreating"}}), False),
        (pod(10, {"waiting": {"reason": "CrashLoopBackOff"}}), False),
        (pod(10, {"terminated": {"exitCode": 1}}), False),
        (pod(100, running(20)), True),
        (pod(1000, running(900)), False),
        (pod(1000, running(20)), True),  # A container that was started anew.
        (restarted(2, 3), True),
        (restarted(3, 3), False),
        (restarted(3, 7200), True),
        (pod(200, running(190), probe=SLOW), True),
        (pod(500, running(490), probe=SLOW), False),
        (pod(500, running(400), probe=SLOW | {"timeoutSeconds": 5}), True),
        (pod(1000, running(90)), False),
    ],
)
def test_still_starting(one: Pod, expected: bool) -> None:
    assert still_starting(one, NOW) is expected


def test_a_container_that_is_ready_hides_no_other() -> None:
    one = pod(1000, running(900))
    assert one.status.container_statuses is not None
    (slow,) = one.status.container_statuses
    ready = msgspec.structs.replace(slow, name="proxy", ready=True)
    for statuses in ((ready, slow), (slow, ready)):
        status = msgspec.structs.replace(one.status, container_statuses=statuses)
        assert not still_starting(msgspec.structs.replace(one, status=status), NOW)
