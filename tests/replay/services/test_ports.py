"""Target ports, as kube-controller-manager finds them on pods."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.core import Service, ServicePort
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.services import find_port, unknown_name

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


NAMED = msgspec.convert(
    {
        "spec": {
            "containers": [
                {
                    "name": "a",
                    "ports": [
                        {"name": "http", "containerPort": 8080},
                        {"name": "metrics", "containerPort": 9090},
                        {"name": "lookups", "containerPort": 53, "protocol": "UDP"},
                    ],
                }
            ]
        }
    },
    Pod,
)


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ([{"port": 80, "targetPort": "metrcis"}], ("TCP", ("http", "metrics"), (), "metrics")),
        # What another port of the Service leads to was not meant.
        (
            [{"port": 80, "targetPort": "metrcis"}, {"port": 81, "targetPort": "metrics"}],
            ("TCP", ("http", "metrics"), (), ""),
        ),
        # The only name that there is was meant, however it is called.
        ([{"port": 53, "targetPort": "dns", "protocol": "UDP"}], ("UDP", ("lookups",), (), "lookups")),
        ([{"port": 53, "targetPort": "lookups"}], ("TCP", ("http", "metrics"), ("UDP",), "")),
        ([{"port": 80, "targetPort": "other", "protocol": "SCTP"}], ("SCTP", (), (), "")),
    ],
)
def test_unknown_name(ports: list[dict[str, Any]], expected: tuple[str, tuple[str, ...], tuple[str, ...], str]) -> None:
    service = msgspec.convert({"metadata": {"name": "s"}, "spec": {"ports": ports}}, Service)
    found = unknown_name(service, (service.spec.ports or ())[0], [NAMED, NAMED])
    assert (found.protocol, found.names, found.protocols, found.meant) == expected
    assert found.target == ports[0]["targetPort"]
