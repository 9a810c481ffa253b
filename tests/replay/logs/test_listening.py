"""The port that a program logs as its own."""

from __future__ import annotations

import pytest

from kubedoctor.replay.logs.listening import base_path, loopback_ports, port_listened_on


@pytest.mark.parametrize(
    ("line", "port"),
    [
        ("2026/11/23 14:46:36 listening on [::]:8080", 8080),
        ("Server listening at http://0.0.0.0:3000/", 3000),
        ("Listening on port 8081", 8081),
        ("Tomcat started on port(s): 8080 (http) with context path ''", 8080),
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


@pytest.mark.parametrize(
    ("lines", "port", "path"),
    [
        (["Tomcat started on port 8080 (http) with context path '/orders'"], 8080, "/orders"),
        (["Tomcat started on port(s): 8080 (http) with context path '/orders'"], 9090, ""),
        (["Tomcat started on port 8443 (https), 8080 (http) with context path '/orders'"], 8080, "/orders"),
        (["Server is listening, base path /shop"], 8080, "/shop"),
        (["Server is listening, base path /shop", "Listening on port 3000"], 8080, ""),
    ],
)
def test_the_path_below_which_a_port_serves(lines: list[str], port: int, path: str) -> None:
    assert base_path(lines, port)[1] == path
