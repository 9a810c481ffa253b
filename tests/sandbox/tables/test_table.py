"""Tables, by what upstream's printers print.

`upstream_tables.jsonl` holds objects, recorded ones (shortened) and edge cases, with the columns and cells that
`pkg/printers/internalversion` of Kubernetes v1.37.2 gave for them with `GenerateOptions{Wide: true}`. Where a cell is
an age, which depends on the moment, it holds AGE.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.cluster.kinds.resources import KINDS
from kubedoctor.sandbox.resources import Resources
from kubedoctor.sandbox.tables import table
from tests.sandbox.conftest import NOON

ROWS = [json.loads(line) for line in Path(__file__).with_name("upstream_tables.jsonl").read_text().splitlines()]
AFTER_ALL = datetime(2027, 1, 1, tzinfo=UTC)
# These have no printer of their own upstream: the API server gives their name and when they were created.
WITHOUT_PRINTER = {"LimitRange", "Role", "ClusterRole", "CustomResourceDefinition"}
ELSEWHERE = {"APIService", "PodMetrics", "NodeMetrics"}  # Printed by the aggregator and by the metrics server.
BY_ITS_RULE = {"CertificateSigningRequest", "FlowSchema", "PriorityLevelConfiguration", "ServiceCIDR"}
"""By the rules in `pkg/printers/internalversion`, v1.37; upstream's cells were not recorded."""


def _table(obj: dict[str, Any], now: datetime = AFTER_ALL) -> dict[str, Any]:
    return table(Resources().of(obj), [obj], now)


def _column(definition: dict[str, Any]) -> str:
    kind = "" if definition["type"] == "string" else f":{definition['type']}"
    return f"{definition['name']}{kind}{'*' if definition['priority'] else ''}"


def _same(ours: object, upstream: object) -> bool:
    if upstream == "AGE":
        return isinstance(ours, str) and re.fullmatch(r"(\d+[smhdy])+", ours) is not None
    if isinstance(upstream, str) and "(AGE ago)" in upstream:
        return re.sub(r"\(\w+ ago\)", "(AGE ago)", str(ours)) == upstream
    return ours == upstream and type(ours) is type(upstream)


@pytest.mark.parametrize("row", ROWS, ids=[f"{index}-{row['object']['kind']}" for index, row in enumerate(ROWS)])
def test_columns_and_cells_are_upstreams(row: dict[str, Any]) -> None:
    printed = _table(row["object"])
    assert [_column(each) for each in printed["columnDefinitions"]] == row["columns"]
    cells = printed["rows"][0]["cells"]
    wrong = [
        (column, ours, upstream)
        for column, ours, upstream in zip(row["columns"], cells, row["cells"], strict=True)
        if not _same(ours, upstream)
    ]
    assert wrong == []


def test_every_kind_is_compared() -> None:
    compared = {row["object"]["kind"] for row in ROWS}
    assert {row.kind for row in KINDS} - compared == WITHOUT_PRINTER | ELSEWHERE | BY_ITS_RULE


@pytest.mark.parametrize("kind", sorted(WITHOUT_PRINTER))
def test_kinds_without_a_printer_give_their_creation(kind: str) -> None:
    row = next(each for each in KINDS if each.kind == kind)
    created = "2026-11-23T11:00:00Z"
    printed = _table(
        {"apiVersion": row.api_version, "kind": kind, "metadata": {"name": "x", "creationTimestamp": created}}
    )
    assert [_column(each) for each in printed["columnDefinitions"]] == ["Name", "Created At:date"]
    assert printed["rows"][0]["cells"] == ["x", created]


@pytest.mark.parametrize(
    ("spec", "conditions", "cells"),
    [
        ({}, [{"type": "Available", "status": "True"}], ["Local", "True"]),
        (
            {"service": {"namespace": "kube-system", "name": "metrics-server"}},
            [{"type": "Available", "status": "False", "reason": "MissingEndpoints"}],
            ["kube-system/metrics-server", "False (MissingEndpoints)"],
        ),
        ({}, [], ["Local", "Unknown"]),
    ],
)
def test_api_services(spec: dict[str, Any], conditions: list[dict[str, str]], cells: list[str]) -> None:
    printed = _table(
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": "v1", "creationTimestamp": "2026-11-23T11:00:00Z"},
            "spec": spec,
            "status": {"conditions": conditions},
        },
        NOON,
    )
    assert printed["rows"][0]["cells"] == ["v1", *cells, "60m"]


@pytest.mark.parametrize(
    ("spec", "status", "cells"),
    [
        ({"signerName": "a/b", "username": "u"}, {}, ["a/b", "u", "<none>", "Pending"]),
        (
            {"signerName": "a/b", "username": "u", "expirationSeconds": 7200},
            {"conditions": [{"type": "Approved"}], "certificate": "LS0t"},
            ["a/b", "u", "120m", "Approved,Issued"],
        ),
        ({}, {"conditions": [{"type": "Approved"}, {"type": "Failed"}]}, ["<none>", "", "<none>", "Approved,Failed"]),
        ({}, {"conditions": [{"type": "Approved"}, {"type": "Denied"}]}, ["<none>", "", "<none>", "Denied"]),
    ],
)
def test_signing_requests(spec: dict[str, Any], status: dict[str, Any], cells: list[str]) -> None:
    printed = _table(
        {
            "apiVersion": "certificates.k8s.io/v1",
            "kind": "CertificateSigningRequest",
            "metadata": {"name": "csr-1", "creationTimestamp": "2026-11-23T11:00:00Z"},
            "spec": spec,
            "status": status,
        },
        NOON,
    )
    assert printed["rows"][0]["cells"] == ["csr-1", "60m", *cells]


_QUEUING = {"type": "Queue", "queuing": {"queues": 64, "handSize": 6, "queueLengthLimit": 50}}


@pytest.mark.parametrize(
    ("kind", "version", "spec", "status", "cells"),
    [
        (
            *("FlowSchema", "flowcontrol.apiserver.k8s.io/v1"),
            {
                "matchingPrecedence": 9900,
                "priorityLevelConfiguration": {"name": "global-default"},
                "distinguisherMethod": {"type": "ByUser"},
            },
            {"conditions": [{"type": "Dangling", "status": "False"}]},
            ["global-default", 9900, "ByUser", "60m", "False"],
        ),
        ("FlowSchema", "flowcontrol.apiserver.k8s.io/v1", {}, {}, ["", 0, "<none>", "60m", "?"]),
        (
            *("PriorityLevelConfiguration", "flowcontrol.apiserver.k8s.io/v1"),
            {"type": "Limited", "limited": {"nominalConcurrencyShares": 40, "limitResponse": _QUEUING}},
            {},
            ["Limited", 40, 64, 6, 50, "60m"],
        ),
        (
            *("PriorityLevelConfiguration", "flowcontrol.apiserver.k8s.io/v1"),
            {"type": "Exempt"},
            {},
            ["Exempt", "<none>", "<none>", "<none>", "<none>", "60m"],
        ),
        (
            "ServiceCIDR",
            "networking.k8s.io/v1",
            {"cidrs": ["10.96.0.0/16", "fd00::/112"]},
            {},
            ["10.96.0.0/16,fd00::/112", "60m"],
        ),
    ],
)
def test_kinds_whose_cells_were_not_recorded(
    kind: str, version: str, spec: dict[str, Any], status: dict[str, Any], cells: list[Any]
) -> None:
    obj = {"apiVersion": version, "kind": kind, "metadata": {"name": "a", "creationTimestamp": "2026-11-23T11:00:00Z"}}
    printed = _table({**obj, "spec": spec, "status": status}, NOON)
    assert printed["rows"][0]["cells"] == ["a", *cells]


def test_only_the_effective_default_class_is_marked() -> None:
    def storage_class(name: str, created: str, default: str) -> dict[str, Any]:
        annotations = {"storageclass.kubernetes.io/is-default-class": default}
        metadata = {"name": name, "creationTimestamp": created, "annotations": annotations}
        return {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": metadata}

    classes = [
        storage_class("a", "2026-11-23T10:00:00Z", "true"),
        storage_class("b", "2026-11-23T11:00:00Z", "true"),
        storage_class("c", "2026-11-23T11:00:00Z", "true"),
        storage_class("d", "2026-11-23T12:00:00Z", "false"),
    ]
    printed = table(Resources().of(classes[0]), classes, NOON)
    assert [row["cells"][0] for row in printed["rows"]] == ["a", "b (default)", "c", "d"]


def test_ended_pods_are_marked_as_completed() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "status": {"phase": "Failed"}}
    (condition,) = _table(pod)["rows"][0]["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == ("Completed", "True", "Failed")
    assert "conditions" not in _table({**pod, "status": {"phase": "Running"}})["rows"][0]


def test_bare_objects_of_every_kind_are_printed() -> None:
    for row in KINDS:
        printed = _table({"apiVersion": row.api_version, "kind": row.kind, "metadata": {"name": "x"}})
        assert len(printed["rows"][0]["cells"]) == len(printed["columnDefinitions"])
