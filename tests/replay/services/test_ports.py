"""Target ports, as kube-controller-manager finds them on pods."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.core import Service, ServicePort
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


def test_slices_have_the_ports_that_are_found(shared: Path) -> None:
    """The EndpointSlice controller of Kubernetes 1.37.2 groups pods by the numbers that its ports have on them."""
    compared = 0
    with gzip.open(shared / "conformance/fuzz/services.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    for row in rows:
        pods = {each["metadata"]["name"]: msgspec.convert(each, Pod) for each in row["request"]["pods"]}
        service = msgspec.convert(row["request"]["service"], Service)
        for write in row["answer"].get("writes") or ():
            wanted = {each.get("name", ""): each.get("port") for each in write.get("ports") or ()}
            for endpoint in write.get("endpoints") or ():
                pod = pods[endpoint["targetRef"]["name"]]
                found = {each.name: find_port(pod, each) for each in service.spec.ports or ()}
                assert {name: number for name, number in found.items() if number is not None} == wanted, row["id"]
                compared += 1
    assert compared > 300
