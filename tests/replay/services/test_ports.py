"""Target ports, as kube-controller-manager finds them on pods."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.core import ServicePort
from kubedoctor.cluster.pods import Pod
from kubedoctor.replay.services import find_port

POD = msgspec.convert(
    {
        "spec": {
            "containers": [
                {"name": "a", "ports": [{"name": "p", "containerPort": 11, "protocol": "UDP"}]},
                {"name": "b", "ports": [{"name": "p", "containerPort": 22}, {"name": "q", "containerPort": 33}]},
            ],
            "initContainers": [
                {"name": "i", "ports": [{"name": "r", "containerPort": 44}]},
                {"name": "s", "restartPolicy": "Always", "ports": [{"name": "t", "containerPort": 55}]},
            ],
        }
    },
    Pod,
)


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        # The order and the protocol of TestFindPort in pkg/api/v1/pod/util_test.go.
        ({"port": 80, "targetPort": "p", "protocol": "TCP"}, 22),
        ({"port": 80, "targetPort": "p", "protocol": "UDP"}, 11),
        ({"port": 80, "targetPort": "q"}, 33),
        ({"port": 80, "targetPort": "q", "protocol": "UDP"}, None),
        ({"port": 80, "targetPort": "r"}, None),
        ({"port": 80, "targetPort": "t"}, 55),
        ({"port": 80, "targetPort": 9999}, 9999),
        ({"port": 80}, 80),
    ],
)
def test_find_port(port: dict[str, Any], expected: int | None) -> None:
    assert find_port(POD, msgspec.convert(port, ServicePort)) == expected
