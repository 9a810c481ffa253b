"""Starts that were seen, and the failureThreshold computed from them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.containers import Probe
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.kubelet.starts import finishes, slowest_start, threshold_for, time_allowed
from kubedoctor.replay.logs.listening import expects_tls
from kubedoctor.replay.logs.start_up import logged_start

STARTED = datetime(2026, 1, 15, 9, tzinfo=UTC)
PROBE = Probe(initial_delay_seconds=4, period_seconds=2, failure_threshold=5)


def pod(name: str, took: int, **status: Any) -> Pod:
    ready = {"type": "ContainersReady", "status": "True", "lastTransitionTime": STARTED + timedelta(seconds=took)}
    container = {"name": "app", "ready": True, "restartCount": 0, "state": {"running": {"startedAt": STARTED}}} | status
    data = {"metadata": {"name": name}, "status": {"conditions": [ready], "containerStatuses": [container]}}
    return msgspec.convert(data, Pod)


def test_the_slowest_start_of_ready_pods_counts() -> None:
    pods = [
        pod("a", 8),
        pod("b", 12),
        pod("restarted", 60, restartCount=1),
        pod("unready", 50, ready=False),
        pod("flapped", 9000),
    ]
    found = slowest_start("app", pods, timedelta(seconds=10))
    assert found is not None
    assert (found.pod.metadata.name, found.took) == ("b", timedelta(seconds=12))
    assert slowest_start("proxy", pods, timedelta(seconds=10)) is None


@pytest.mark.parametrize(("took", "threshold", "allowed"), [(None, 10, 24), (5, 10, 24), (40, 29, 62)])
def test_the_threshold_leaves_a_margin(took: int | None, threshold: int, allowed: int) -> None:
    start = timedelta(seconds=took) if took is not None else None
    assert threshold_for(PROBE, start) == threshold
    assert time_allowed(PROBE, threshold) == timedelta(seconds=allowed)
    changed = msgspec.structs.replace(PROBE, failure_threshold=threshold)
    assert start is None or finishes(changed, start)


@pytest.mark.parametrize(("seconds", "fits"), [(12, True), (13, False)])
def test_a_start_must_end_before_the_probe_gives_up(seconds: int, fits: bool) -> None:
    """The first probe runs after 4 s, the fifth 8 s later."""
    assert finishes(PROBE, timedelta(seconds=seconds)) is fits


@pytest.mark.parametrize(
    ("line", "milliseconds"),
    [
        ("Started CheckoutApplication in 93.412 seconds (process running for 95.1)", 93412),
        ("INFO: Server startup in [12345] milliseconds", 12345),
        ("checkout 1.0 on JVM (powered by Quarkus 3.2) started in 4.211s. Listening on: http://0.0.0.0:8080", 4211),
        (" ✓ Ready in 2.1s", 2100),
        ("job finished in 3 seconds", None),
        ("retry is ready to run in 5 minutes", None),
    ],
)
def test_the_start_that_a_program_logs(line: str, milliseconds: int | None) -> None:
    found = logged_start(["loading", line, "serving"])
    assert (found and found.took) == (None if milliseconds is None else timedelta(milliseconds=milliseconds))
    assert found is None or found.line == 1


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("http: TLS handshake error from 10.0.0.1:4: client sent an HTTP request to an HTTPS server", True),
        ("400 The plain HTTP request was sent to HTTPS port while reading client request headers", True),
        ("http: TLS handshake error from 10.0.0.1:4: EOF", False),
    ],
)
def test_a_port_that_speaks_tls(line: str, expected: bool) -> None:
    assert expects_tls([line]) is expected
