"""The JSON paths of printer columns."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.sandbox.resources import PrinterColumn
from kubedoctor.sandbox.tables.custom import cells, values
from tests.sandbox.conftest import NOON

THING: dict[str, Any] = {
    "metadata": {"name": "x", "annotations": {"a.b/c": "dotted"}, "creationTimestamp": "2026-11-23T11:00:00Z"},
    "spec": {"size": 3, "share": 0.5, "on": True, "hosts": ["a", "b"], "nothing": None},
    "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Other", "status": "False"}]},
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".spec.size", [3]),
        ("{.spec.size}", [3]),
        (".spec.hosts[0]", ["a"]),
        (".spec.hosts[-1]", ["b"]),
        (".spec.hosts[9]", []),
        (".spec.hosts[*]", ["a", "b"]),
        ('.status.conditions[?(@.type=="Ready")].status', ["True"]),
        (".status.conditions[?(@.type=='None')].status", []),
        (".status.conditions[*].type", ["Ready", "Other"]),
        (r".metadata.annotations.a\.b/c", ["dotted"]),
        (".metadata.annotations['a.b/c']", ["dotted"]),
        (".spec.nothing", []),
        (".spec.absent.deeper", []),
        (".spec.size.deeper", []),
        (".spec..x[", []),
    ],
)
def test_paths(path: str, found: list[Any]) -> None:
    assert values(THING, path) == found


@pytest.mark.parametrize(
    ("kind", "path", "cell"),
    [
        ("string", ".spec.size", "3"),
        ("string", ".spec.on", "true"),
        ("string", ".spec.hosts", '["a","b"]'),
        ("string", ".spec.hosts[*]", "a b"),
        ("integer", ".spec.size", 3),
        ("integer", ".spec.on", None),
        ("integer", ".spec.hosts[0]", None),
        ("number", ".spec.share", 0.5),
        ("boolean", ".spec.on", True),
        ("boolean", ".spec.size", None),
        ("date", ".metadata.creationTimestamp", "60m"),
        ("date", ".spec.size", None),
        ("string", ".spec.absent", None),
    ],
)
def test_cells(kind: str, path: str, cell: object) -> None:
    assert cells(THING, (PrinterColumn("C", kind, path),), NOON) == ["x", cell]
