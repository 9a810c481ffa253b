"""Patches as the API server applies them; the cases follow what `strategicpatch` and RFC 6902 and 7386 define."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.cluster.patching import PatchError, json_patched, merged, strategically_merged

POD: dict[str, Any] = {
    "metadata": {"name": "web", "finalizers": ["a.example/one"]},
    "spec": {
        "containers": [
            {"name": "app", "image": "app:1", "ports": [{"containerPort": 80}], "env": [{"name": "A", "value": "1"}]},
            {"name": "proxy", "image": "proxy:1"},
        ],
        "tolerations": [{"key": "a"}],
    },
}


def test_null_removes_and_maps_are_merged() -> None:
    assert merged({"a": {"b": 1, "c": 2}}, {"a": {"b": None, "d": [1]}}) == {"a": {"c": 2, "d": [1]}}


def test_containers_are_merged_by_name_and_other_lists_replaced() -> None:
    patch = {"spec": {"containers": [{"name": "app", "image": "app:2"}], "tolerations": [{"key": "b"}]}}
    changed = strategically_merged(POD, patch)
    assert [one["image"] for one in changed["spec"]["containers"]] == ["app:2", "proxy:1"]
    assert changed["spec"]["containers"][0]["env"] == [{"name": "A", "value": "1"}]
    assert changed["spec"]["tolerations"] == [{"key": "b"}]


@pytest.mark.parametrize(
    ("place", "before", "patch", "after"),
    [
        (("spec", "ports"), [{"port": 80, "name": "a"}], [{"port": 80, "name": "b"}], [{"port": 80, "name": "b"}]),
        (
            ("spec", "template", "spec", "containers", "ports"),
            [{"containerPort": 80}],
            [{"containerPort": 81}],
            [{"containerPort": 80}, {"containerPort": 81}],
        ),
        (("ports",), [{"port": 80}, {"port": 81}], [{"port": 90}], [{"port": 90}]),
    ],
)
def test_ports_are_merged_where_their_type_says_so(
    place: tuple[str, ...], before: list[Any], patch: list[Any], after: list[Any]
) -> None:
    """Those of a Service by `port`, of a container by `containerPort`; those of an EndpointSlice are replaced."""
    assert strategically_merged(before, patch, place) == after


def test_an_element_is_deleted_and_a_list_replaced_by_directive() -> None:
    deleted = strategically_merged(POD, {"spec": {"containers": [{"$patch": "delete", "name": "proxy"}]}})
    assert [one["name"] for one in deleted["spec"]["containers"]] == ["app"]
    replaced = strategically_merged(POD, {"spec": {"containers": [{"$patch": "replace"}, {"name": "new"}]}})
    assert replaced["spec"]["containers"] == [{"name": "new"}]
    assert strategically_merged(POD, {"spec": {"$patch": "replace", "nodeName": "n"}})["spec"] == {"nodeName": "n"}


def test_fields_of_another_choice_are_not_retained() -> None:
    before = {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}
    patch = {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}
    assert strategically_merged(before, patch) == {"strategy": {"type": "Recreate"}}


def test_the_order_is_the_one_that_the_patch_sets() -> None:
    patch = {
        "$setElementOrder/containers": [{"name": "proxy"}, {"name": "new"}, {"name": "app"}],
        "containers": [{"name": "new", "image": "new:1"}],
    }
    changed = strategically_merged(POD["spec"], patch, ("spec",))
    assert [one["name"] for one in changed["containers"]] == ["proxy", "new", "app"]


def test_plain_values_are_added_and_deleted() -> None:
    added = strategically_merged(POD, {"metadata": {"finalizers": ["a.example/two"]}})
    assert added["metadata"]["finalizers"] == ["a.example/one", "a.example/two"]
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a.example/one"]}}
    assert strategically_merged(added, patch)["metadata"]["finalizers"] == ["a.example/two"]


def test_an_element_without_its_key_is_refused() -> None:
    with pytest.raises(PatchError, match="an element of containers has no name"):
        strategically_merged(POD, {"spec": {"containers": [{"image": "x"}]}})


@pytest.mark.parametrize(
    ("operation", "after"),
    [
        ({"op": "add", "path": "/a/-", "value": 3}, {"a": [1, 2, 3]}),
        ({"op": "add", "path": "/a/0", "value": 0}, {"a": [0, 1, 2]}),
        ({"op": "add", "path": "/x~1y", "value": 0}, {"a": [1, 2], "x/y": 0}),
        ({"op": "replace", "path": "/a/1", "value": 9}, {"a": [1, 9]}),
        ({"op": "remove", "path": "/a/0"}, {"a": [2]}),
        ({"op": "copy", "from": "/a/0", "path": "/b"}, {"a": [1, 2], "b": 1}),
        ({"op": "move", "from": "/a/0", "path": "/b"}, {"a": [2], "b": 1}),
        ({"op": "test", "path": "/a/0", "value": 1}, {"a": [1, 2]}),
    ],
)
def test_operations_of_a_json_patch(operation: dict[str, Any], after: Any) -> None:
    before = {"a": [1, 2]}
    assert json_patched(before, [operation]) == after
    assert before == {"a": [1, 2]}


@pytest.mark.parametrize(
    ("patch", "says"),
    [
        ([{"op": "remove", "path": "/spec/x"}], "no /spec/x"),
        ([{"op": "replace", "path": "/b", "value": 1}], "no /b"),
        ([{"op": "add", "path": "/a/9", "value": 1}], "no /a/9"),
        ([{"op": "test", "path": "/a/0", "value": 7}], "/a/0 has another value"),
        ([{"op": "add", "path": "/b"}], "add of /b has no value"),
        ([{"op": "add", "path": "b", "value": 1}], "does not begin with /"),
        ([{"op": "frob", "path": "/b"}], "is called frob"),
        ({"op": "add"}, "list of operations"),
        (["add"], "is an object"),
    ],
)
def test_a_json_patch_that_does_not_fit_is_refused(patch: Any, says: str) -> None:
    with pytest.raises(PatchError, match=says):
        json_patched({"a": [1, 2]}, patch)
