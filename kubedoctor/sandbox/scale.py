"""The `scale` subresource of workloads with replicas (`pkg/registry/apps/*/storage`, v1.37)."""

from __future__ import annotations

from dataclasses import replace

from kubedoctor.sandbox.exchange import Object
from kubedoctor.sandbox.resources import Resource
from kubedoctor.sandbox.tables.printing import NONE, label_text, selector_text

_COPIED = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale_of(obj: Object) -> Object:
    """The `Scale` of `autoscaling/v1`."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    selector = spec.get("selector")
    plain = obj.get("kind") == "ReplicationController"
    text = label_text(selector) if plain else selector_text(selector)
    return {
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {key: obj["metadata"][key] for key in _COPIED if key in obj["metadata"]},
        "spec": {"replicas": spec.get("replicas", 1)},
        "status": {"replicas": status.get("replicas", 0), "selector": "" if text == NONE else text},
    }


def scale_resource(resource: Resource) -> Resource:
    """The resource that determines how a Scale is printed."""
    return replace(resource, group="autoscaling", version="v1", kind="Scale")
