"""What objects and snapshots become by a change, and what stays as it was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from kubedoctor.cluster import Cluster, CustomResource, Deployment, Pod, Ref, Service, Snapshot, Source
from kubedoctor.cluster.changes import (
    Change,
    Operation,
    Step,
    apply_steps,
    apply_to_data,
    apply_to_object,
    apply_to_snapshot,
    create,
    delete,
    drop,
    edit,
    put,
    scale,
)
from kubedoctor.cluster.seen.decoding import convert_object

TAKEN_AT = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
WEB = Ref("Deployment", "shop", "web")


def pod(name: str, **labels: str) -> Pod:
    return msgspec.convert({"metadata": {"name": name, "namespace": "shop", "labels": labels}}, Pod)


def deployment() -> Deployment:
    spec = {"replicas": 0, "template": {"spec": {"containers": [{"name": "app"}, {"name": "proxy"}]}}}
    return msgspec.convert({"metadata": {"name": "web", "namespace": "shop"}, "spec": spec}, Deployment)


def seen(*objects: Any) -> Snapshot:
    snapshot = Snapshot(TAKEN_AT, Source("files", "test"), complete=True)
    snapshot.add(objects)
    return snapshot


@pytest.mark.parametrize(
    ("steps", "after"),
    [
        ([Step(("a", "b"), 1)], {"a": {"b": 1}, "list": ["x", "y", "z"], "nothing": None}),
        ([Step(("nothing", "-"), 1)], {"list": ["x", "y", "z"], "nothing": [1]}),
        ([Step(("list", "-"), "w")], {"list": ["x", "y", "z", "w"], "nothing": None}),
        ([Step(("list", 0), remove=True), Step(("list", 1), remove=True)], {"list": ["z"], "nothing": None}),
        ([Step(("list", 0), remove=True), Step(("list", 2), "w")], {"list": ["y", "w"], "nothing": None}),
        ([Step(("absent",), remove=True)], {"list": ["x", "y", "z"], "nothing": None}),
    ],
)
def test_steps_on_plain_data(steps: list[Step], after: dict[str, Any]) -> None:
    before = {"list": ["x", "y", "z"], "nothing": None}
    assert apply_steps(before, steps) == after
    assert before == {"list": ["x", "y", "z"], "nothing": None}


def test_a_value_that_is_put_is_not_shared() -> None:
    value: dict[str, Any] = {"matchLabels": {}}
    changed = apply_steps({}, [Step(("selector",), value)])
    value["matchLabels"]["app"] = "web"
    assert changed == {"selector": {"matchLabels": {}}}


def test_a_typed_object() -> None:
    path = ("spec", "template", "spec", "containers", 1, "resources", "requests", "cpu")
    changed = apply_to_object(deployment(), [Step(path, "100m")])
    assert changed.spec.template.spec.containers[0].resources is None
    resources = changed.spec.template.spec.containers[1].resources
    assert resources is not None
    assert resources.requests == {"cpu": "100m"}
    with pytest.raises(msgspec.ValidationError):
        apply_to_object(deployment(), [Step(("spec", "replicas"), "many")])


def test_a_custom_resource() -> None:
    data = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1}}
    (widget,) = convert_object("Widget.example.com", data).objects
    changed = apply_to_snapshot(seen(widget), put(Ref("Widget.example.com", "", "w"), ("spec", "size"), 2))
    after = changed.get(Ref("Widget.example.com", "", "w"))
    assert isinstance(after, CustomResource)
    assert after.spec == {"size": 2}


def test_a_snapshot_after_the_change_and_the_one_before() -> None:
    service = msgspec.convert({"metadata": {"name": "web", "namespace": "shop"}}, Service)
    before = seen(deployment(), pod("a", app="web"), pod("b", app="web"), service)
    assert len(Cluster(before).all(Pod)) == 2
    change = Change((*scale(WEB, 2).operations, *delete(Ref("Pod", "shop", "a")).operations))
    after = apply_to_snapshot(before, change)
    assert [item.name for item in Cluster(after).all(Pod, "shop")] == ["b"]
    changed = Cluster(after).get(Deployment, "shop", "web")
    assert changed is not None
    assert changed.spec.replicas == 2
    assert after.get(Ref("Service", "shop", "web")) is service
    assert [item.name for item in Cluster(before).all(Pod, "shop")] == ["a", "b"]
    assert before.get(WEB) == deployment()


def test_indexes_of_both_snapshots_stay_their_own() -> None:
    """The same number of changes in both must not make one's index pass for the other's."""
    before = seen(pod("a"))
    after = apply_to_snapshot(before, delete(Ref("Pod", "shop", "a")))
    assert after.of_kind("Pod") == ()
    before.add([pod("b")])
    assert [item.name for item in before.of_kind("Pod")] == ["a", "b"]


def test_create_and_copy() -> None:
    data = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"}}
    twin = Operation(Ref("Pod", "shop", "a"), (Step(("metadata", "labels", "app"), "twin"),), copy_as="b")
    after = apply_to_snapshot(seen(pod("a", app="web")), Change((*create(data).operations, twin)))
    assert [(item.name, item.labels) for item in after.of_kind("Pod")] == [
        ("a", {"app": "web"}),
        ("b", {"app": "twin"}),
    ]
    assert [item.name for item in after.of_kind("Service")] == ["web"]


def test_what_is_not_here_stays_absent() -> None:
    after = apply_to_snapshot(seen(), edit(WEB, Step(("spec", "replicas"), 1)))
    assert after.count() == 0
    assert apply_to_snapshot(seen(), delete(WEB)).count() == 0


def test_plain_objects_in_their_order() -> None:
    objects = [
        {"kind": "Pod", "metadata": {"name": name, "namespace": "d"}, "spec": {"nodeName": "n"}} for name in "ab"
    ]
    change = Change(
        (
            Operation(Ref("Pod", "d", "b"), copy_as="c"),
            *drop(Ref("Pod", "d", "b"), ("spec", "nodeName")).operations,
            *delete(Ref("Pod", "d", "a")).operations,
        )
    )
    after = apply_to_data(objects, change)
    assert [(data["metadata"]["name"], data["spec"]) for data in after] == [("b", {}), ("c", {"nodeName": "n"})]
    assert change.objects == (Ref("Pod", "d", "b"), Ref("Pod", "d", "a"))
