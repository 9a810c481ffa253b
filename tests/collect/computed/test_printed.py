"""Lists as the server prints them."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from kubedoctor.cluster import Want
from kubedoctor.collect.computed import printed
from kubedoctor.collect.live import listing
from kubedoctor.collect.live.answers import ApiRefusal
from kubedoctor.sandbox.faults import forbidden
from tests.collect.live.test_extensions import GROUP, definition, widget
from tests.collect.served import OBJECTS, live, make

SPEC = {
    "type": "ClusterIP",
    "clusterIP": "10.0.0.1",
    "clusterIPs": ["10.0.0.1"],
    "ports": [{"port": 80, "protocol": "TCP"}],
}
COLUMNS: list[dict[str, Any]] = [
    {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
    {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
    {"name": "Secret", "type": "string", "jsonPath": ".spec.secretName"},
    {"name": "Made", "type": "date", "jsonPath": ".metadata.creationTimestamp", "priority": 1},
]


def printing(*columns: dict[str, Any]) -> dict[str, Any]:
    made = copy.deepcopy(definition("Widget"))
    made["spec"]["versions"][0]["additionalPrinterColumns"] = list(columns)
    return made


def sized(name: str, size: int, secret: str = "") -> dict[str, Any]:
    return {**widget(name), "spec": {"size": size, **({"secretName": secret} if secret else {})}}


def test_a_built_in_resource_has_the_columns_of_kubectl() -> None:
    service = make("Service", "web", spec=SPEC)
    with live(objects=[*OBJECTS, service]) as (source, _):
        found = source.printed("Service", "shop")
    assert [column.name for column in found.columns] == ["Type", "Cluster-IP", "External-IP", "Port(s)", "Selector"]
    assert [column.wide for column in found.columns] == [False, False, False, False, True]
    assert found.cells["shop", "web"][:4] == ("ClusterIP", "10.0.0.1", "<none>", "80/TCP")
    assert found.is_whole


def test_a_custom_resource_has_the_columns_of_its_definition() -> None:
    with live(objects=[*OBJECTS, printing(*COLUMNS), sized("w1", 7)]) as (source, _):
        found = source.printed(f"Widget.{GROUP}")
    assert [(column.name, column.number, column.is_age) for column in found.columns] == [
        ("Size", True, False),
        ("Ready", False, False),
        ("Secret", False, False),
        ("Made", False, True),
    ]
    assert found.cells["shop", "w1"][:3] == ("7", "False", "")


def test_of_a_column_of_secrets_only_names_of_secrets_are_shown() -> None:
    objects = [*OBJECTS, printing(*COLUMNS), sized("named", 1, "db"), sized("spelled", 1, "hunter2")]
    with live(objects=objects) as (source, _):
        source.gather(frozenset({Want("Secret", "shop")}))
        found = source.printed(f"Widget.{GROUP}")
    assert found.cells["shop", "named"][2] == "db"
    assert found.cells["shop", "spelled"][2] == "<redacted>"


def test_a_long_list_is_read_in_chunks_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printed, "CHUNK", 2)
    monkeypatch.setattr(printed, "MOST_PRINTED", 4)
    maps = [make("ConfigMap", f"m{number}", data={"a": "b"}) for number in range(7)]
    with live(objects=[make("Namespace", "shop", ""), *maps]) as (source, _):
        found = source.printed("ConfigMap", "shop")
    assert (len(found.cells), found.is_whole) == (4, False)
    assert listing.CHUNK > 2, "lists of objects are read as before"


def test_what_may_not_be_listed_refuses() -> None:
    with live(forbidden("configmaps")) as (source, _), pytest.raises(ApiRefusal) as refused:
        source.printed("ConfigMap")
    assert refused.value.status == 403


def test_a_kind_that_is_not_served_refuses() -> None:
    with live() as (source, _), pytest.raises(ApiRefusal) as refused:
        source.printed("Widget.example.com")
    assert refused.value.status == 404
