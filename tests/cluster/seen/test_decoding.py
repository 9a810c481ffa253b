"""Decoding: strict where it can be, mending where it must, silent never."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubedoctor.cluster import Pod
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.seen.decoding import (
    Unreadable,
    by_kind,
    convert_object,
    decode_list,
    decode_object,
    kind_of_data,
)


def listed(*items: Any, **metadata: Any) -> bytes:
    return json.dumps({"kind": "PodList", "metadata": metadata, "items": list(items)}).encode()


def pod(name: str = "web-1", **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop"}, **more}


def test_a_list_says_where_it_goes_on() -> None:
    decoded = decode_list("Pod", listed(pod(), **{"continue": "abc", "resourceVersion": "7"}))
    assert (decoded.continue_token, decoded.resource_version, decoded.problems) == ("abc", "7", ())
    assert isinstance(decoded.objects[0], Pod)


@pytest.mark.parametrize("items", [None, []])
def test_a_list_of_nothing_is_empty(items: Any) -> None:
    assert decode_list("Pod", json.dumps({"items": items}).encode()).objects == ()


@pytest.mark.parametrize(
    "field",
    [
        {"spec": {"containers": None}},
        {"spec": None},
        {"status": {"conditions": None, "containerStatuses": None, "phase": None}},
        {"spec": {"containers": [None, {"name": "app", "env": None, "image": None}]}},
        {"metadata": {"name": "web-1", "namespace": "shop", "labels": None, "creationTimestamp": None}},
    ],
)
def test_nulls_count_as_absent_and_are_not_worth_a_word(field: dict[str, Any]) -> None:
    decoded = decode_list("Pod", listed({**pod(), **field}, pod("web-2")))
    assert [one.name for one in decoded.objects] == ["web-1", "web-2"]
    assert decoded.problems == ()


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"spec": {"containers": 7}}, "Pod shop/web-1: spec.containers cannot be decoded"),
        ({"status": {"startTime": "yesterday"}}, "Pod shop/web-1: status.startTime cannot be decoded"),
        ({"status": {"startTime": "2026-01-15T10:00:00"}}, "Pod shop/web-1: status.startTime cannot be decoded"),
        ({"spec": {"containers": [{"name": {}, "image": "a"}]}}, "Pod shop/web-1: spec.containers[0].name"),
        ({"status": "fine"}, "Pod shop/web-1: status cannot be decoded"),
    ],
)
def test_a_field_of_a_wrong_type_is_left_out_and_named(more: dict[str, Any], problem: str) -> None:
    decoded = decode_list("Pod", listed(pod(**more), pod("web-2")))
    assert [one.name for one in decoded.objects] == ["web-1", "web-2"]
    assert decoded.problems[0].startswith(problem)


def test_labels_that_are_numbers_become_text() -> None:
    data = {"metadata": {"name": "a", "labels": {"version": 1, "on": True, "bad": {}}}}
    decoded = convert_object("Pod", data)
    assert decoded.objects[0].labels == {"version": "1", "on": "true"}
    assert "labels[version, on, bad]" in decoded.problems[0]


@pytest.mark.parametrize("item", [None, 7, "text", [], True])
def test_an_item_that_is_no_object_is_named_and_costs_no_other(item: Any) -> None:
    decoded = decode_list("Pod", listed(item, pod()))
    assert [one.name for one in decoded.objects] == ["web-1"]
    assert len(decoded.problems) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"items": [', b"[1]", b'"x"', b"\xff\xfe", b"{" * 5000])
def test_what_is_no_list_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        decode_list("Pod", body)


def test_a_megabyte_of_annotations_is_only_a_string() -> None:
    data = pod()
    data["metadata"]["annotations"] = {"big": "x" * 1_000_000}
    (one,) = decode_object("Pod", json.dumps(data).encode()).objects
    assert len(one.annotations["big"]) == 1_000_000


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"kind": "Pod", "apiVersion": "v1"}, "Pod"),
        ({"kind": "Pod"}, "Pod"),
        ({"kind": "Deployment", "apiVersion": "apps/v1beta1"}, "Deployment"),
        ({"kind": "Service", "apiVersion": "serving.knative.dev/v1"}, "Service.serving.knative.dev"),
        ({"kind": "VirtualService", "apiVersion": "networking.istio.io/v1"}, "VirtualService.networking.istio.io"),
        ({"kind": 7}, ""),
        ({}, ""),
    ],
)
def test_kinds_of_other_groups_are_told_apart(data: dict[str, Any], kind: str) -> None:
    assert kind_of_data(data) == kind


def test_mixed_items_are_sorted_and_strays_are_named() -> None:
    kinds, problems = by_kind([{"kind": "Pod"}, {"kind": "Node"}, {"kind": "Pod"}, 3, {}])
    assert {kind: len(items) for kind, items in kinds.items()} == {"Pod": 2, "Node": 1}
    assert problems == ["item 3 has no kind; ignored", "item 4 has no kind; ignored"]


def test_a_custom_resource_keeps_its_data() -> None:
    data = {"kind": "Widget", "apiVersion": "acme.io/v1", "metadata": {"name": "w"}, "spec": {"size": 3}}
    (one,) = convert_object("Widget.acme.io", data).objects
    assert isinstance(one, CustomResource)
    assert (one.group, one.spec) == ("acme.io", {"size": 3})


def test_every_recorded_object_decodes_without_mending(shared: Any) -> None:
    paths = sorted((shared / "captures").glob("*.json"))
    assert paths
    for path in paths:
        kinds, problems = by_kind(json.loads(path.read_text())["objects"])
        assert not problems
        for kind, items in kinds.items():
            body = json.dumps({"items": items}).encode()
            decoded = decode_list(kind, body)
            assert len(decoded.objects) == len(items)
            assert not decoded.problems
