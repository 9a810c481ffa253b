"""The struct of a kind is found without importing those of other groups."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

from kubedoctor.cluster import CustomResource, KubernetesObject, kind_name, kinds
from kubedoctor.cluster.kinds.objects import struct_for


def _structs() -> Iterator[type[KubernetesObject]]:
    for info in pkgutil.iter_modules(kinds.__path__):
        module = importlib.import_module(f"{kinds.__name__}.{info.name}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, KubernetesObject) and value.__module__ == module.__name__:
                yield value


@pytest.mark.parametrize("struct", [one for one in _structs() if one is not KubernetesObject], ids=kind_name)
def test_each_struct_is_found_by_its_kind(struct: type[KubernetesObject]) -> None:
    assert struct is CustomResource or struct_for(kind_name(struct)) is struct


@pytest.mark.parametrize("kind", ["", "Widget", "Pod.acme.example", "Widget.apps", "NodePool.acme.example"])
def test_other_kinds_are_custom_resources(kind: str) -> None:
    assert struct_for(kind) is CustomResource
