"""Server-side apply, and the ownership that every other write leaves behind (`structured-merge-diff/merge/update.go`, v1.37)."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime
from typing import Any

from kubedoctor.cluster.patching import strategically_merged
from kubedoctor.sandbox.exchange import Object
from kubedoctor.sandbox.writes.ownership import Fields, changed, common, conflict, element_at, fields_of, union, without

Entry = dict[str, Any]
"""One of `metadata.managedFields`."""

APPLY = "Apply"
UPDATE = "Update"


def entries_of(obj: Object) -> list[Entry]:
    """Who owns which fields of an object."""
    found = obj["metadata"].get("managedFields")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def applied(live: Object | None, configuration: Object, manager: str, now: datetime, *, force: bool) -> Object:
    """The object with what a manager wants of it; what it no longer wants is removed, unless another owns it too. Raises
    FailureStatus with all conflicts, unless it forces them."""
    mine = fields_of(configuration)
    before = live if live is not None else {}
    entries = entries_of(live) if live is not None else []
    earlier: Fields = {}
    others: list[Entry] = []
    for entry in entries:
        if entry.get("manager") == manager and entry.get("operation") == APPLY and not entry.get("subresource"):
            earlier = entry.get("fieldsV1") or {}
        else:
            others.append(entry)
    if live is not None:
        disputed = changed(live, _merged(live, configuration))
        others = _settled(others, common(mine, disputed), force=force)
    result = _merged(before, configuration)
    kept: Fields = {}
    for entry in others:
        kept = union(kept, entry.get("fieldsV1") or {})
    _remove(result, without(without(earlier, mine), kept))
    result["metadata"]["managedFields"] = [*others, _entry(manager, APPLY, configuration, mine, now)]
    return result


def _merged(live: Object, configuration: Object) -> Object:
    """Lists with keys are merged by them, as in a strategic merge."""
    wanted = {name: value for name, value in configuration.items() if name != "status"}
    result = strategically_merged(deepcopy(live), wanted)
    assert isinstance(result, dict)
    return result


def _settled(others: list[Entry], disputed: Fields, *, force: bool) -> list[Entry]:
    """The entries of others, without what was taken from them."""
    found, left = [], []
    for entry in others:
        fields = entry.get("fieldsV1") or {}
        if shared := common(fields, disputed):
            how = f"using {entry.get('apiVersion')}"
            if entry.get("operation") == UPDATE and entry.get("time"):
                how += f" at {entry['time']}"
            found.append((str(entry.get("manager")), how, shared))
            fields = without(fields, shared)
        if fields:
            left.append({**entry, "fieldsV1": fields})
    if found and not force:
        raise conflict(found)
    return left


def updated(before: Object | None, after: Object, manager: str, now: datetime, subresource: str = "") -> None:
    """Writes into the second who owns what changed, in place: the manager, and no longer those who owned it."""
    fields = changed(before, after) if before is not None else fields_of(after)
    entries = entries_of(before) if before is not None else []
    if not fields:
        after["metadata"]["managedFields"] = entries
        return
    own: Fields = {}
    left: list[Entry] = []
    for entry in entries:
        same = (entry.get("manager"), entry.get("operation"), entry.get("subresource", "")) == (
            manager,
            UPDATE,
            subresource,
        )
        if same:
            own = entry.get("fieldsV1") or {}
        elif remaining := without(entry.get("fieldsV1") or {}, fields):
            left.append({**entry, "fieldsV1": remaining})
    entry = _entry(manager, UPDATE, after, union(own, fields), now)
    if subresource:
        entry["subresource"] = subresource
    after["metadata"]["managedFields"] = [*left, entry]


def _entry(manager: str, operation: str, obj: Object, fields: Fields, now: datetime) -> Entry:
    return {
        "manager": manager,
        "operation": operation,
        "apiVersion": obj["apiVersion"],
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }


def _remove(value: Any, fields: Fields) -> None:
    """Removes the leaves of a set of fields, in place."""
    for name, tree in fields.items():
        if name == ".":
            continue
        leaves = any(each != "." for each in tree)
        if name.startswith("f:"):
            key = name.removeprefix("f:")
            if not isinstance(value, dict) or key not in value:
                continue
            if leaves:
                _remove(value[key], tree)
                if value[key] in ({}, []):
                    del value[key]
            else:
                del value[key]
        elif (element := element_at(value, name)) is not None:
            if leaves and "." not in tree:
                _remove(element, tree)
            else:
                value.remove(element)
