"""What a pod cannot start without: the rules of `kubelet_pods.go` and of the volume plugins (v1.37)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.core import ConfigMap, Secret
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.kubelet.references import keys_of, references


def pod(container: dict[str, Any] | None = None, volume: dict[str, Any] | None = None, **spec: Any) -> Pod:
    containers = [{"name": "app", "image": "app:1"} | (container or {})]
    volumes = [{"name": "files"} | volume] if volume else []
    return msgspec.convert(
        {"metadata": {"name": "p"}, "spec": {"containers": containers, "volumes": volumes} | spec}, Pod
    )


def named(one: Pod) -> list[tuple[str, str, str, str]]:
    return [(each.kind, each.name, each.key, each.path) for each in references(one)]


def variable(source: str, **optional: bool) -> dict[str, Any]:
    return {"env": [{"name": "A", "valueFrom": {source: {"name": "x", "key": "k"} | optional}}]}


@pytest.mark.parametrize(("source", "kind"), [("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")])
def test_a_variable_needs_the_object_and_its_key(source: str, kind: str) -> None:
    path = f"spec.containers[name=app].env[name=A].valueFrom.{source}"
    expected = [(kind, "x", "", f"{path}.name"), (kind, "x", "k", f"{path}.key")]
    assert named(pod(variable(source))) == expected
    assert named(pod(variable(source, optional=False))) == expected
    assert named(pod(variable(source, optional=True))) == []


def test_a_whole_object_as_variables_needs_no_key() -> None:
    one = pod({"envFrom": [{"configMapRef": {"name": "a"}}, {"secretRef": {"name": "b", "optional": True}}]})
    assert named(one) == [("ConfigMap", "a", "", "spec.containers[name=app].envFrom[0].configMapRef.name")]


def test_an_init_container_needs_its_own() -> None:
    init = {"name": "first", "envFrom": [{"secretRef": {"name": "s"}}]}
    assert [(one.name, one.container) for one in references(pod(initContainers=[init]))] == [("s", "first")]


def test_a_volume_needs_the_keys_that_it_lists_and_no_others() -> None:
    base = "spec.volumes[name=files]"
    assert named(pod(volume={"secret": {"secretName": "s"}})) == [("Secret", "s", "", f"{base}.secret.secretName")]
    assert named(pod(volume={"configMap": {"name": "c", "items": [{"key": "k", "path": "f"}]}})) == [
        ("ConfigMap", "c", "", f"{base}.configMap.name"),
        ("ConfigMap", "c", "k", f"{base}.configMap.items[0].key"),
    ]
    assert named(pod(volume={"configMap": {"name": "c", "optional": True}})) == []


def test_a_projected_volume_needs_each_of_its_sources() -> None:
    sources = [{"serviceAccountToken": {"path": "token"}}, {"configMap": {"name": "c"}}, {"secret": {"name": "s"}}]
    base = "spec.volumes[name=files].projected.sources"
    assert named(pod(volume={"projected": {"sources": sources}})) == [
        ("ConfigMap", "c", "", f"{base}[1].configMap.name"),
        ("Secret", "s", "", f"{base}[2].secret.name"),
    ]


def test_keys_of_both_kinds() -> None:
    config = msgspec.convert({"metadata": {"name": "c"}, "data": {"a": ""}, "binaryData": {"b": ""}}, ConfigMap)
    secret = msgspec.convert({"metadata": {"name": "s"}, "data": {"a": ""}, "stringData": {"b": ""}}, Secret)
    assert keys_of(config) == keys_of(secret) == {"a", "b"}
    assert keys_of(msgspec.convert({"metadata": {"name": "c"}}, ConfigMap)) == set()
