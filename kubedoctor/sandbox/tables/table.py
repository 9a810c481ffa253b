"""The Table document."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kubedoctor.sandbox.exchange import Object
from kubedoctor.sandbox.resources import Resource
from kubedoctor.sandbox.tables import configuration, custom, flow_control, networking, pods, storage, workloads
from kubedoctor.sandbox.tables.printing import Cells, Printer

_PRINTERS: dict[str, Printer] = {
    **configuration.PRINTERS,
    **flow_control.PRINTERS,
    **networking.PRINTERS,
    **pods.PRINTERS,
    **storage.PRINTERS,
    **workloads.PRINTERS,
}


def table(
    resource: Resource,
    objects: Sequence[Object],
    now: datetime,
    *,
    metadata: Object | None = None,
    include: str = "Metadata",
    with_columns: bool = True,
) -> Object:
    """The Table of some objects; `include` is the `includeObject` of the request: None, Metadata or Object."""
    default_class = storage.default_class(list(objects)) if resource.kind == "StorageClass" else ""
    rows = []
    for obj in objects:
        row = _cells(resource, obj, now)
        if default_class and row[0] == default_class:
            row[0] = f"{default_class} (default)"
        rows.append({"cells": row, **_conditions(obj), **_included(obj, include)})
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata or {},
        "columnDefinitions": _columns(resource) if with_columns else None,
        "rows": rows,
    }


def _printer(resource: Resource) -> Printer:
    return _PRINTERS.get(resource.kind, configuration.AGED)


def _columns(resource: Resource) -> list[Object]:
    if resource.columns is not None:
        return custom.definitions(resource.columns)
    return _printer(resource).definitions()


def _cells(resource: Resource, obj: Object, now: datetime) -> Cells:
    try:
        if resource.columns is not None:
            return custom.cells(obj, resource.columns, now)
        return _printer(resource).cells(obj, now)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        # An API server rejects such an object, but a file may contain it: the other rows are still shown.
        return [obj["metadata"].get("name"), *([None] * (len(_columns(resource)) - 1))]


def _conditions(obj: Object) -> Object:
    if obj.get("kind") != "Pod":
        return {}
    reason = str((obj.get("status") or {}).get("phase"))
    message = {"Succeeded": "The pod has completed successfully.", "Failed": "The pod failed."}.get(reason)
    if message is None:
        return {}
    return {"conditions": [{"type": "Completed", "status": "True", "reason": reason, "message": message}]}


def _included(obj: Object, include: str) -> Object:
    if include == "Object":
        return {"object": obj}
    if include == "None":
        return {}
    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
    return {"object": partial}
