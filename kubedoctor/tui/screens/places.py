"""Where a command of a list leads: pure, what does not exist is said."""

from __future__ import annotations

from kubedoctor.cluster import Ref, Snapshot, Want
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.tui.commands import CommandError, Show
from kubedoctor.tui.rows import View

Place = tuple[View, str, Ref | None]
"""The list, its filter, and the object that gets the cursor."""


def place_of(command: Show, current: str, snapshot: Snapshot) -> Place:
    """Where the command leads from a namespace (empty: all). Raises CommandError for a name that nothing has, as far as
    the snapshot can tell."""
    kind, namespace = command.kind, command.namespace
    scope = current if namespace is None else namespace
    if namespace and namespace not in snapshot.namespaces() and snapshot.covers(Want("Namespace")):
        if command.name or not _is_of_objects(kind) or (found := _named(kind, namespace, current, snapshot)) is None:
            raise CommandError(f"no namespace {namespace}")
        return _at(found, current, command.filter)
    if not command.name:
        return View(kind, scope), command.filter, None
    if not _is_of_objects(kind):
        return View(kind, scope), command.name, None
    found = _named(kind, command.name, scope, snapshot)
    if found is not None:
        return _at(found, scope, "")
    if snapshot.covers(Want(kind)) or (scope and snapshot.covers(Want(kind, scope))):
        raise CommandError(f"no {kind.partition('.')[0]} {command.name}")
    return View(kind, scope), command.name, None  # the list is read first


def _is_of_objects(kind: str) -> bool:
    return kind not in ("", "Finding", "Context")


def _at(found: Ref, scope: str, filter_text: str) -> Place:
    return View(found.kind, found.namespace if scope and found.namespace else scope), filter_text, found


def _named(kind: str, name: str, scope: str, snapshot: Snapshot) -> Ref | None:
    """The object of this name: in the namespace, else in the first that has one."""
    row = kind_named(kind)
    own = Ref(kind, scope if row is None or row.namespaced else "", name)
    if snapshot.get(own) is not None:
        return own
    return next((ref(obj) for obj in snapshot.of_kind(kind) if obj.metadata.name == name), None)
