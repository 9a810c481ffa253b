"""The port that a program logs as its own."""

from __future__ import annotations

import pytest

from kubedoctor.replay.logs.listening import port_listened_on


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
