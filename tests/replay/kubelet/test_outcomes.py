"""The decision table of container outcomes, row by row, and the facts that it reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.core import Event
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.kubelet.endings import last_ending
from kubedoctor.replay.kubelet.outcome_facts import Outcome, outcome
from kubedoctor.replay.kubelet.outcomes import (
    FROM_OUTSIDE,
    OF_THE_PROGRAM,
    OF_THE_START,
    OUT_OF_MEMORY,
    TABLE,
    Cause,
    EndFact,
    Proof,
    decide,
)

NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)
LIMIT = {"resources": {"limits": {"memory": "128Mi"}}}
LIVENESS = {
    "livenessProbe": {
        "httpGet": {"path": "/", "port": 80},
        "initialDelaySeconds": 5,
        "periodSeconds": 3,
        "failureThreshold": 2,
    }
}
STARTUP = {"startupProbe": LIVENESS["livenessProbe"]}
HOOK = {"lifecycle": {"postStart": {"exec": {"command": ["/bin/x"]}}}}
INIT_KILLED = (
    "runc create failed: unable to start container process: container init was OOM-killed (memory limit too low?)"
)


def event(reason: str, message: str, ago: int = 30, **more: Any) -> Event:
    data = {
        "metadata": {"name": "e"},
        "reason": reason,
        "message": message,
        "lastTimestamp": NOW - timedelta(seconds=ago),
    }
    return msgspec.convert(data | more, Event)


SYSTEM_OOM = event("SystemOOM", "System OOM encountered, victim process: app, pid: 71")


def ended(
    code: int,
    reason: str = "Error",
    lasted: int = 12,
    *,
    message: str = "",
    waiting: str = "CrashLoopBackOff",
    container: dict[str, Any] | None = None,
    pod: dict[str, Any] | None = None,
    events: tuple[Event, ...] = (),
    node: tuple[Event, ...] = (),
    log: tuple[str, ...] = (),
) -> Outcome:
    finished = NOW - timedelta(seconds=30)
    terminated = {
        "exitCode": code,
        "reason": reason,
        "message": message,
        "startedAt": finished - timedelta(seconds=lasted),
        "finishedAt": finished,
    }
    status = {
        "name": "app",
        "restartCount": 2,
        "state": {"waiting": {"reason": waiting}},
        "lastState": {"terminated": terminated},
    }
    containers = [{"name": "app"} | (container or {}), *(pod or {}).pop("others", ())]
    whole = {
        "metadata": {"name": "checkout"},
        "spec": {"nodeName": "worker-a", "containers": containers} | (pod or {}),
        "status": {"containerStatuses": [status]},
    }
    subject = msgspec.convert(whole, Pod)
    mine = (subject.status.container_statuses or ())[0]
    ending = last_ending(mine)
    assert ending is not None
    return outcome(subject, subject.spec.containers[0], mine, ending, events, log, node)


MEMORY = [
    (ended(137, "OOMKilled", container=LIMIT), Cause.CONTAINER_MEMORY_LIMIT, Proof.STATED),
    (ended(137, "OOMKilled", container=LIMIT | LIVENESS), Cause.CONTAINER_MEMORY_LIMIT, Proof.STATED),
    (ended(0, "OOMKilled", container=LIMIT), Cause.CHILD_OUT_OF_MEMORY, Proof.STATED),
    (ended(143, "OOMKilled", container=LIMIT), Cause.CHILD_OUT_OF_MEMORY, Proof.STATED),
    (ended(137, "OOMKilled"), Cause.NODE_OUT_OF_MEMORY, Proof.FITS),
    (ended(137, "OOMKilled", node=(SYSTEM_OOM,)), Cause.NODE_OUT_OF_MEMORY, Proof.STATED),
    (ended(137, "OOMKilled", container=LIMIT, node=(SYSTEM_OOM,)), Cause.NODE_OUT_OF_MEMORY, Proof.FITS),
    (ended(137, node=(SYSTEM_OOM,)), Cause.NODE_OUT_OF_MEMORY, Proof.FITS),
    (ended(137, node=(SYSTEM_OOM,), log=("panic: nil map",)), Cause.NODE_OUT_OF_MEMORY, Proof.FITS),
    (ended(137, node=(event("SystemOOM", "System OOM encountered", 4000),)), Cause.KILLED, Proof.FITS),
    (ended(1, node=(SYSTEM_OOM,)), Cause.PROGRAM, Proof.FITS),
    (
        ended(137, "OOMKilled", pod={"resources": {"limits": {"memory": "256Mi"}}}),
        Cause.POD_MEMORY_LIMIT,
        Proof.STATED,
    ),
    (
        ended(137, "OOMKilled", container=LIMIT, pod={"resources": {"limits": {"memory": "256Mi"}}}),
        Cause.CONTAINER_MEMORY_LIMIT,
        Proof.STATED,
    ),
    (
        ended(
            137,
            "OOMKilled",
            container=LIMIT,
            pod={"resources": {"limits": {"memory": "256Mi"}}, "others": [{"name": "proxy"}]},
        ),
        Cause.EITHER_MEMORY_LIMIT,
        Proof.STATED,
    ),
    (ended(128, "StartError", message=INIT_KILLED, container=LIMIT), Cause.MEMORY_BEFORE_START, Proof.STATED),
]
KUBELET = [
    (
        ended(128, "StartError", message='exec: "x": executable file not found in $PATH'),
        Cause.START_FAILED,
        Proof.STATED,
    ),
    (ended(137, waiting="PostStartHookError", container=HOOK), Cause.POST_START_HOOK, Proof.STATED),
    (
        ended(137, events=(event("Killing", "Container app failed liveness probe, will be restarted"),)),
        Cause.LIVENESS_PROBE,
        Proof.STATED,
    ),
    (
        ended(143, events=(event("Killing", "Container app failed startup probe, will be restarted"),)),
        Cause.STARTUP_PROBE,
        Proof.STATED,
    ),
    (
        ended(1, events=(event("Killing", "Container app failed liveness probe, will be restarted", 4000),)),
        Cause.PROGRAM,
        Proof.FITS,
    ),
    (ended(137, "ContainerStatusUnknown"), Cause.NODE_RESTARTED, Proof.STATED),
    (ended(255, "Unknown"), Cause.NODE_RESTARTED, Proof.STATED),
    (ended(137, "DeadlineExceeded"), Cause.DEADLINE, Proof.STATED),
    (ended(137, "Evicted"), Cause.EVICTION, Proof.STATED),
]
TIMES = [
    (ended(137, container=LIVENESS), Cause.LIVENESS_PROBE, Proof.FITS),
    (ended(137, lasted=900, container=LIVENESS), Cause.LIVENESS_PROBE, Proof.ALLOWED),
    (ended(143, lasted=900, container=LIVENESS), Cause.LIVENESS_PROBE, Proof.FITS),
    (ended(137, lasted=2, container=LIVENESS), Cause.KILLED, Proof.FITS),
    (ended(1, container=LIVENESS), Cause.PROGRAM, Proof.FITS),
    (ended(0, "Completed", container=LIVENESS, log=("stopping",)), Cause.LIVENESS_PROBE, Proof.FITS),
    (ended(0, "Completed", container=LIVENESS), Cause.LIVENESS_PROBE, Proof.ALLOWED),
    (ended(0, "Completed", container=LIVENESS, log=("3 rows written",)), Cause.COMPLETED, Proof.FITS),
    (ended(0, "Completed", container=LIVENESS, events=(event("Pulled", "on the node"),)), Cause.COMPLETED, Proof.FITS),
    (ended(0, "Completed", lasted=900, container=LIVENESS), Cause.COMPLETED, Proof.FITS),
    (ended(143, lasted=11, container=STARTUP), Cause.STARTUP_PROBE, Proof.FITS),
    (ended(0, "Completed", lasted=11, container=STARTUP, log=("stopping",)), Cause.STARTUP_PROBE, Proof.FITS),
    (ended(2, lasted=11, container=STARTUP), Cause.STARTUP_PROBE, Proof.ALLOWED),
    (ended(2, lasted=11, container=STARTUP, log=("panic: nil map",)), Cause.PROGRAM, Proof.FITS),
    (ended(143, lasted=1, container=HOOK), Cause.POST_START_HOOK, Proof.ALLOWED),
    (ended(0, "Completed", lasted=1, container=HOOK, log=("stopping",)), Cause.POST_START_HOOK, Proof.FITS),
]
CODES = [
    (ended(code), cause, Proof.FITS)
    for code, cause in (
        (0, Cause.COMPLETED),
        (126, Cause.NOT_EXECUTABLE),
        (127, Cause.NOT_FOUND),
        (130, Cause.INTERRUPTED),
        (132, Cause.ILLEGAL_INSTRUCTION),
        (134, Cause.ABORTED),
        (135, Cause.BUS_ERROR),
        (136, Cause.ARITHMETIC_ERROR),
        (137, Cause.KILLED),
        (139, Cause.SEGMENTATION_FAULT),
        (143, Cause.STOPPED),
        (141, Cause.SIGNAL),
        (1, Cause.PROGRAM),
        (255, Cause.PROGRAM),
        (-1073741510, Cause.PROGRAM),
    )
]


@pytest.mark.parametrize(("found", "cause", "proof"), [*MEMORY, *KUBELET, *TIMES, *CODES])
def test_the_outcome(found: Outcome, cause: Cause, proof: Proof) -> None:
    assert (found.cause, found.proof) == (cause, proof)


@pytest.mark.parametrize("number", range(len(TABLE)))
def test_every_row_can_decide(number: int) -> None:
    """Some facts reach it: no earlier row hides it."""
    row = TABLE[number]
    code = row.codes[0] if row.codes is not None else 1
    beside: tuple[set[EndFact], ...] = (
        set(),
        {EndFact.SIGKILL},
        {EndFact.CONTAINER_LIMIT},
        {EndFact.SIGKILL, EndFact.CONTAINER_LIMIT},
        {EndFact.SIGKILL, EndFact.POD_LIMIT},
    )
    assert any(decide(row.all_of | more, code) == row for more in beside)


def test_the_event_that_decided_is_given() -> None:
    killed = event("Killing", "Container app failed liveness probe, will be restarted")
    assert ended(137, events=(killed,)).event == killed
    assert ended(137, node=(SYSTEM_OOM,)).event == SYSTEM_OOM
    assert ended(137, "OOMKilled", container=LIMIT, events=(killed,)).event is None


def test_every_cause_of_the_table_belongs_to_one_reader() -> None:
    kubelet = {Cause.POST_START_HOOK, Cause.STARTUP_PROBE, Cause.LIVENESS_PROBE, Cause.RESTART_RULE}
    assert {row.cause for row in TABLE} == set(Cause)
    groups = (OUT_OF_MEMORY, OF_THE_START, OF_THE_PROGRAM, FROM_OUTSIDE, kubelet)
    assert sum(map(len, groups)) == len(set().union(*groups)) == len(Cause)
