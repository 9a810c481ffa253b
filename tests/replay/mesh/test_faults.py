"""Shares of faults."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.replay.mesh.scope.faults import fault_share


@pytest.mark.parametrize(
    ("fault", "share"),
    [
        ({"httpStatus": 503}, 0),
        ({"httpStatus": 503, "percentage": {}}, 0),
        ({"httpStatus": 503, "percentage": {"value": 12.5}}, 12.5),
        ({"fixedDelay": "5s", "percent": 40}, 40),
        ({"fixedDelay": "5s", "percent": 40, "percentage": {"value": 0}}, 0),
        ({"percentage": {"value": "all"}}, 0),
        ({}, 0),
    ],
)
def test_a_fault_without_a_percentage_is_for_no_request(fault: dict[str, Any], share: float) -> None:
    assert fault_share(fault) == share
