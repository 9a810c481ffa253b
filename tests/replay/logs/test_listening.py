"""The port that a program logs as its own."""

from __future__ import annotations

import pytest

from kubedoctor.replay.logs.listening import loopback_ports, port_listened_on


@pytest.mark.parametrize(
    ("line", "port"),
    [
        ("2026/11/23 14:46:36 listening on [::]:8080", 8080),
        ("Server listening at http://0.0.0.0:3000/", 3000),
        ("Listening on port 8081", 8081),
        ("14:46:36 ready", 0),
    ],
)
def test_the_port_that_a_program_names(line: str, port: int) -> None:
    assert port_listened_on([line]) == port


@pytest.mark.parametrize(
    ("line", "port"),
    [
        ("INFO:     Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)", 8000),
        ("Now listening on: http://localhost:5000", 5000),
        ("listening on [::1]:9090", 9090),
        ("Server running at http://localhost:3000/", 0),
        ("Listening on 0.0.0.0:8080", 0),
    ],
)
def test_a_port_that_only_the_pod_reaches(line: str, port: int) -> None:
    assert next(iter(loopback_ports([line]).values()), 0) == port
    assert not port or port_listened_on([line]) == 0
