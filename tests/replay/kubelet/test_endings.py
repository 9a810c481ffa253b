"""Ends of containers, and when they are history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kubedoctor.cluster.kinds.containers import (
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
)
from kubedoctor.replay.kubelet.endings import back_off, failing, last_ending, next_try
from kubedoctor.replay.kubelet.probes import ProbeAnswer, answer_of, read_probe_failure

NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)


def ended(code: int, lasted: int, reason: str = "Error", ago: int = 30) -> ContainerState:
    end = NOW - timedelta(seconds=ago)
    start = end - timedelta(seconds=lasted)
    return ContainerState(terminated=ContainerStateTerminated(code, 0, reason, "", start, end))


def running(ago: int) -> ContainerState:
    return ContainerState(running=ContainerStateRunning(NOW - timedelta(seconds=ago)))


def test_the_back_off_doubles_up_to_five_minutes() -> None:
    """As pkg/kubelet: 10 s, 20 s, 40 s, … 300 s."""
    assert [int(back_off(n).total_seconds()) for n in range(8)] == [0, 10, 20, 40, 80, 160, 300, 300]


@pytest.mark.parametrize(
    ("restarts", "ready", "state", "is_failing"),
    [
        (3, False, ContainerState(waiting=ContainerStateWaiting("CrashLoopBackOff")), True),
        (1, False, ended(1, 3), True),
        (1, True, running(20), False),
        (3, True, running(20), True),
        (3, True, running(79), True),
        (3, True, running(80), False),
        (9, True, running(599), True),
        (9, True, running(600), False),
        (3, False, running(3600), True),
    ],
)
def test_what_still_matters(restarts: int, ready: bool, state: ContainerState, is_failing: bool) -> None:
    last = None if state.terminated else ended(1, 3)
    status = ContainerStatus(name="app", ready=ready, restart_count=restarts, state=state, last_state=last)
    assert failing(status, NOW) is is_failing


@pytest.mark.parametrize(
    ("reason", "message", "due"),
    [
        ("CrashLoopBackOff", "back-off 40s restarting failed container=app pod=checkout_shop(u)", 10),
        ("CrashLoopBackOff", "back-off 5m0s restarting failed container=app pod=checkout_shop(u)", 270),
        ("CrashLoopBackOff", "back-off soon restarting failed container=app", None),
        ("ContainerCreating", "", None),
    ],
)
def test_when_the_next_try_is(reason: str, message: str, due: int | None) -> None:
    """The run ended 30 s ago, and the back-off counts from its end."""
    waiting = ContainerState(waiting=ContainerStateWaiting(reason, message))
    again = next_try(ContainerStatus(name="app", restart_count=4, state=waiting, last_state=ended(1, 3)))
    assert again == (None if due is None else NOW + timedelta(seconds=due))


def test_a_container_that_never_ran_has_no_time() -> None:
    never = ContainerStateTerminated(128, 0, "StartError", "", datetime(1970, 1, 1, tzinfo=UTC), NOW)
    ending = last_ending(ContainerStatus(name="app", state=ContainerState(terminated=never)))
    assert ending is not None
    assert (ending.lasted, ending.never_ran) == (None, True)


@pytest.mark.parametrize(("code", "signal"), [(1, ""), (137, "SIGKILL"), (139, "SIGSEGV"), (255, "")])
def test_the_signal_of_an_exit_code(code: int, signal: str) -> None:
    ending = last_ending(ContainerStatus(name="app", state=ended(code, 3)))
    assert ending is not None
    assert ending.signal == signal


@pytest.mark.parametrize(
    ("message", "which", "answer"),
    [
        ("Readiness probe failed: HTTP probe failed with statuscode: 503", "Readiness", ProbeAnswer.STATUS),
        (
            'Liveness probe failed: Get "http://10.1.1.1:80/": dial tcp 10.1.1.1:80: connect: connection refused',
            "Liveness",
            ProbeAnswer.REFUSED,
        ),
        (
            'Startup probe failed: Get "http://10.1.1.1:80/": context deadline exceeded (Client.Timeout exceeded)',
            "Startup",
            ProbeAnswer.TIMEOUT,
        ),
        (
            'Readiness probe failed: timeout: failed to connect service "10.1.1.1:80" within 1s',
            "Readiness",
            ProbeAnswer.GRPC,
        ),
        (
            "Readiness probe errored and resulted in unknown state: couldn't find port: http",
            "Readiness",
            ProbeAnswer.UNRESOLVED_PORT,
        ),
        (
            'Readiness probe errored and resulted in unknown state: port "metrics" not found',
            "Readiness",
            ProbeAnswer.UNRESOLVED_PORT,
        ),
        (
            "Liveness probe errored: rpc error: code = Unknown desc = failed to exec in container: failed to start exec "
            '"26": OCI runtime exec failed: exec failed: unable to start container process: exec: "/bin/probe": '
            "stat /bin/probe: no such file or directory",
            "Liveness",
            ProbeAnswer.COMMAND_MISSING,
        ),
    ],
)
def test_what_a_probe_got(message: str, which: str, answer: ProbeAnswer) -> None:
    probe, why = read_probe_failure(message)
    assert (probe, answer_of(why, None)) == (which, answer)
