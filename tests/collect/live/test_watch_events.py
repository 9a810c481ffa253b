"""The lines of a watch: read at once where they are as the API server writes them, and with the same result otherwise."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubedoctor.cluster import Pod
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.collect.live.answers import ApiRefusal
from kubedoctor.collect.live.listing import ServedResource
from kubedoctor.collect.live.watch_events import EventReader, WatchExpired

POD: dict[str, Any] = {
    "kind": "Pod",
    "apiVersion": "v1",
    "metadata": {"name": "web-1", "namespace": "shop", "resourceVersion": "7"},
    "spec": {"containers": [{"name": "app", "image": "app:1"}]},
    "status": {"phase": "Running"},
}


def reader(kind: str = "Pod", namespace: str = "") -> EventReader:
    row = kind_named(kind)
    assert row is not None
    return EventReader(ServedResource(row, kind, row.version), namespace)


def line(kind: str, obj: dict[str, Any], **dumps: Any) -> bytes:
    return json.dumps({"type": kind, "object": obj}, **dumps).encode()


COMPACT = {"separators": (",", ":")}


@pytest.mark.parametrize("kind", ["ADDED", "MODIFIED", "DELETED"])
@pytest.mark.parametrize("namespace", ["", "shop"])
def test_the_order_and_the_spaces_of_an_event_make_no_difference(kind: str, namespace: str) -> None:
    usual = reader(namespace=namespace).read(line(kind, POD, **COMPACT))
    assert usual.type == kind
    assert [obj.metadata.name for obj in usual.decoded.objects] == ["web-1"]
    turned = {"object": dict(reversed(POD.items())), "type": kind}
    for other in (line(kind, POD), json.dumps(turned).encode(), line(kind, POD, **COMPACT) + b"\r"):
        assert reader(namespace=namespace).read(other) == usual


@pytest.mark.parametrize(
    ("changed", "namespace", "sentence"),
    [
        ({"kind": "Service"}, "", "returned a Service instead of a Pod"),
        ({"metadata": {"namespace": "shop"}}, "", "a Pod without name"),
        ({"metadata": {"name": "web-1", "namespace": "other"}}, "shop", "of namespace other"),
    ],
)
@pytest.mark.parametrize("dumps", [{}, COMPACT])
def test_other_objects_are_refused(
    changed: dict[str, Any], namespace: str, sentence: str, dumps: dict[str, Any]
) -> None:
    with pytest.raises(ApiRefusal, match=sentence):
        reader(namespace=namespace).read(line("ADDED", {**POD, **changed}, **dumps))


@pytest.mark.parametrize(
    "broken",
    [
        b'{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1",',
        b'{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"}}',
        b'{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"}}]',
        b'{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"}} }}',
        b"<html>",
    ],
)
def test_what_is_no_event_is_refused(broken: bytes) -> None:
    with pytest.raises(ApiRefusal, match="the watch returned"):
        reader().read(broken)


def test_a_second_type_is_not_overlooked() -> None:
    twice = line("ADDED", POD, **COMPACT)[:-1] + b',"type":"DELETED"}'
    assert reader().read(twice).type == "DELETED"


def test_one_bad_field_is_left_out_and_told() -> None:
    bad = {**POD, "status": {"phase": "Running", "containerStatuses": 5}}
    decoded = reader().read(line("MODIFIED", bad, **COMPACT)).decoded
    assert len(decoded.objects) == 1
    assert decoded.problems


def test_a_mark_in_the_text_is_read_as_before() -> None:
    odd = {**POD, "status": {"message": "\ue000nested too deeply"}}
    decoded = reader().read(line("MODIFIED", odd, ensure_ascii=False, **COMPACT)).decoded
    assert decoded.problems


def test_bookmarks_and_ends() -> None:
    bookmark = reader().read(b'{"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"90"}}}')
    assert (bookmark.type, bookmark.version) == ("BOOKMARK", "90")
    with pytest.raises(WatchExpired):
        reader().read(b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}')
    with pytest.raises(ApiRefusal, match="no more"):
        reader().read(b'{"type":"ERROR","object":{"kind":"Status","code":500,"message":"no more"}}')


def test_a_pod_whose_generation_is_the_same_keeps_its_spec() -> None:
    metadata = {"name": "web-1", "namespace": "shop", "uid": "u", "resourceVersion": "7", "generation": 2}
    spec = {"nodeName": "n1", "containers": [{"name": "app", "image": "app:1"}]}
    pod = {**POD, "metadata": metadata, "spec": spec}
    (before,) = reader().read(line("ADDED", pod, **COMPACT)).decoded.objects
    assert isinstance(before, Pod)
    spec_before = before.spec
    known = EventReader(reader()._resource, "", lambda _: before)

    def changed(**metadata_changed: Any) -> Pod:
        text = line(
            "MODIFIED",
            {
                **pod,
                "metadata": {**metadata, "resourceVersion": "8", **metadata_changed},
                "status": {"phase": "Failed"},
            },
            **COMPACT,
        )
        (obj,), (whole,) = known.read(text).decoded.objects, reader().read(text).decoded.objects
        assert isinstance(obj, Pod)
        assert isinstance(whole, Pod)
        assert obj == whole
        return obj

    obj = changed()
    assert obj.spec is spec_before
    assert obj.status.phase == "Failed"
    for others in ({"generation": 3}, {"uid": "v"}):
        assert changed(**others).spec is not spec_before


def test_a_pod_that_was_not_bound_may_be_so_by_now() -> None:
    metadata = {"name": "web-1", "namespace": "shop", "uid": "u", "generation": 1}
    (before,) = reader().read(line("ADDED", {**POD, "metadata": metadata}, **COMPACT)).decoded.objects
    bound = {**POD, "metadata": metadata, "spec": {**POD["spec"], "nodeName": "n1"}}
    (obj,) = (
        EventReader(reader()._resource, "", lambda _: before).read(line("MODIFIED", bound, **COMPACT)).decoded.objects
    )
    assert isinstance(obj, Pod)
    assert obj.spec.node_name == "n1"
