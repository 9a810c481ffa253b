"""Evidence is read, never invented."""

from __future__ import annotations

import pytest

from kubedoctor.cluster import Pod, Ref, has_path, quote
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.cluster.seen.quoting import EmptyQuote, UnknownPath

(POD,) = convert_object(
    "Pod",
    {
        "metadata": {"name": "web-1", "namespace": "shop", "labels": {"app.kubernetes.io/name": "web"}},
        "spec": {"containers": [{"name": "app", "resources": {"limits": {"memory": "128Mi"}}}]},
        "status": {
            "podIP": "10.0.0.1",
            "startTime": "2026-01-15T09:00:00Z",
            "containerStatuses": [{"name": "app", "restartCount": 0, "ready": False}],
        },
    },
).objects


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "web-1"),
        ("metadata.labels[app.kubernetes.io/name]", "web"),
        ("metadata.labels", {"app.kubernetes.io/name": "web"}),
        ("spec.containers[0].name", "app"),
        ("spec.containers[name=app].resources.limits[memory]", "128Mi"),
        ("spec.containers[name=app].resources.limits.memory", "128Mi"),
        ("status.containerStatuses[name=app].restartCount", 0),
        ("status.containerStatuses[name=app].ready", False),
        ("status.podIP", "10.0.0.1"),
        ("status.startTime", "2026-01-15T09:00:00Z"),
    ],
)
def test_a_quote_holds_what_stands_there(path: str, value: object) -> None:
    one = quote(POD, path, "why it matters")
    assert (one.object, one.path, one.value, one.shows) == (Ref("Pod", "shop", "web-1"), path, value, "why it matters")
    assert has_path(POD, path)


@pytest.mark.parametrize(
    "path",
    [
        "status.phase",
        "status.conditions",
        "metadata.labels[gone]",
        "spec.containers[name=gone].image",
        "spec.containers[7].image",
        "status.containerStatuses[name=app].lastState.terminated.exitCode",
    ],
)
def test_nothing_cannot_be_quoted(path: str) -> None:
    assert not has_path(POD, path)
    with pytest.raises(EmptyQuote):
        quote(POD, path)


@pytest.mark.parametrize(
    "path", ["status.podIp", "spec.container_statuses", "metadata.name.first", "metadata.name[0]", "", "a b", "spec..x"]
)
def test_a_path_that_no_struct_knows_is_a_mistake(path: str) -> None:
    with pytest.raises(UnknownPath):
        quote(POD, path)


def test_text_is_one_line() -> None:
    assert quote(POD, "metadata.labels").text == "app.kubernetes.io/name=web"
    assert quote(POD, "status.containerStatuses[name=app].restartCount").text == "0"
    assert isinstance(POD, Pod)


def test_values_are_plain_lists_without_absent_fields() -> None:
    ports = quote(POD, "spec.containers").value
    assert isinstance(ports, list)
    assert all(value is not None for value in ports[0].values())


@pytest.mark.parametrize(("line", "value"), [("1", "one"), ("2", "two: 2"), ("3", None), ("0", None), ("x", None)])
def test_one_line_of_a_text(line: str, value: str | None) -> None:
    (config,) = convert_object("ConfigMap", {"metadata": {"name": "c"}, "data": {"file": "one\n  two: 2\n"}}).objects
    path = f"data.file[line {line}]"
    assert has_path(config, path) is (value is not None)
    if value is not None:
        assert quote(config, path).value == value
