"""A change to a cluster as plain data, and what becomes of objects when it is made."""

from __future__ import annotations

import copy
import enum
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from kubedoctor.cluster.kinds.references import Ref

Path = tuple[str | int, ...]
"""Field names and list positions from the top of an object; `-` is the place after a list's last element."""


class Kind(enum.Enum):
    """What is changed. The values end up in JSON."""

    REMOVE_GATES = "remove-gates"
    LOWER_REQUEST = "lower-request"
    ADD_TOLERATION = "add-toleration"
    CORRECT_SELECTOR = "correct-selector"
    DROP_SELECTOR = "drop-selector"
    CORRECT_AFFINITY = "correct-affinity"
    DROP_AFFINITY = "drop-affinity"
    DROP_NODE_NAME = "drop-node-name"
    RELAX_SPREAD = "relax-spread"
    RELAX_POD_AFFINITY = "relax-pod-affinity"
    FREE_HOST_PORT = "free-host-port"
    CORRECT_CLAIM = "correct-claim"
    CHANGE_CLAIM = "change-claim"
    REMAKE_CLAIM = "remake-claim"
    RELEASE_VOLUME = "release-volume"
    FORGET_NODE = "forget-node"
    UNCORDON = "uncordon"
    REMOVE_TAINT = "remove-taint"
    ADD_NODE = "add-node"
    DELETE_POD = "delete-pod"


class Step(msgspec.Struct, frozen=True):
    """Set the value at a path, or take the path away. Lists and maps that are not there yet are made."""

    path: Path
    value: Any = None
    remove: bool = False


class Operation(msgspec.Struct, frozen=True):
    """What happens to one object: `steps` change it; `delete` takes it away; `copy_as` leaves it as it is and changes
    a copy with that name."""

    about: Ref
    steps: tuple[Step, ...] = ()
    delete: bool = False
    copy_as: str = ""


class Edit(msgspec.Struct, frozen=True):
    """One thing to do. Tuples, so that equal edits are one.

    arguments: what a command needs, by kind: LOWER_REQUEST container ("" for the pod), resource, new amount;
    ADD_TOLERATION and REMOVE_TAINT key, value, effect; CORRECT_SELECTOR key, new value; DROP_SELECTOR key;
    CORRECT_AFFINITY and DROP_AFFINITY key, new value; RELAX_SPREAD topology key, field, new value; RELAX_POD_AFFINITY
    topology key, new topology key; FREE_HOST_PORT container, host port; ADD_NODE the model;
    CORRECT_CLAIM volume, new claim; CHANGE_CLAIM, REMAKE_CLAIM, RELEASE_VOLUME claim, and what it then has.
    weight: how much it disturbs; compare only.
    follows: what Kubernetes itself then does: the volume controller binds the claim. It is part of the trial.
    assumes: what somebody else must do, and nobody can prove: a provisioner makes the volume. Empty for nothing.
    """

    kind: Kind
    about: Ref
    summary: str
    operations: tuple[Operation, ...]
    arguments: tuple[str, ...] = ()
    weight: float = 0
    follows: tuple[Operation, ...] = ()
    assumes: str = ""

    @property
    def all_operations(self) -> tuple[Operation, ...]:
        """What is done, and what follows by itself."""
        return (*self.operations, *self.follows)

    @property
    def key(self) -> tuple[object, ...]:
        """Edits of the same thing, by whatever amount, have the same key."""
        paths = tuple((each.about, tuple(step.path for step in each.steps)) for each in self.operations)
        smaller = self.kind is Kind.REMAKE_CLAIM and all(
            path[-1:] == ("storage",) for _, each in paths for path in each
        )
        amount = () if smaller or self.kind in (Kind.LOWER_REQUEST, Kind.RELAX_SPREAD) else self.arguments
        return self.kind, self.about, paths, amount

    def contains(self, other: Edit) -> bool:
        """Both take something away, and the other one only a part of what this one does."""
        mine, theirs = self._removed, other._removed
        return bool(theirs) and all(
            any(about == whole and path[: len(begins)] == begins != path for whole, begins in mine)
            for about, path in theirs
        )

    @property
    def _removed(self) -> list[tuple[Ref, Path]]:
        return [(each.about, step.path) for each in self.operations for step in each.steps if step.remove]


class Change(msgspec.Struct, frozen=True):
    """Edits that together make `nodes` take the pod; without any of them none does.

    affects: pods that feel it besides: those that a change to a node lets in, those that are deleted, and those that use
    a claim which is changed.
    """

    edits: tuple[Edit, ...]
    nodes: tuple[str, ...] = ()
    affects: tuple[Ref, ...] = ()

    @property
    def kind(self) -> Kind:
        """Of the first edit."""
        return self.edits[0].kind

    @property
    def about(self) -> Ref:
        """The object that the first edit is about."""
        return self.edits[0].about

    @property
    def summary(self) -> str:
        """One line for people."""
        return ", and ".join(edit.summary for edit in self.edits)

    @property
    def weight(self) -> float:
        return sum(edit.weight for edit in self.edits)

    @property
    def assumes(self) -> tuple[str, ...]:
        """What somebody else must do for it to help; the change is proven only if there is nothing."""
        return tuple(dict.fromkeys(edit.assumes for edit in self.edits if edit.assumes))

    def without(self, index: int) -> Change:
        """The change with one edit fewer."""
        return Change(self.edits[:index] + self.edits[index + 1 :])


def made(data: Any, steps: Iterable[Step]) -> Any:
    """A copy of plain data with steps made."""
    changed = copy.deepcopy(data)
    for step in made_in_order(steps):
        if step.remove:
            _remove(changed, step.path)
        else:
            _set(changed, step.path, copy.deepcopy(step.value))
    return changed


def made_in_order(steps: Iterable[Step]) -> tuple[Step, ...]:
    """What is taken away goes last and from the end, so that the positions in lists stay those of the original."""
    every = tuple(steps)
    removals = [step for step in every if step.remove]
    removals.sort(key=lambda one: [(str(type(part)), part) for part in one.path], reverse=True)
    return (*(step for step in every if not step.remove), *removals)


def _set(data: Any, path: Path, value: Any) -> None:
    for part, following in pairwise(path):
        missing = part not in data or data[part] is None if isinstance(data, dict) else data[part] is None
        if missing:
            data[part] = [] if following == "-" else {}
        data = data[part]
    if path[-1] == "-":
        data.append(value)
    else:
        data[path[-1]] = value


def _remove(data: Any, path: Path) -> None:
    for part in path[:-1]:
        data = data[part]
    last = path[-1]
    if isinstance(data, list):
        assert isinstance(last, int), path
        del data[last]
    else:
        data.pop(last, None)


def reference(data: dict[str, Any]) -> Ref:
    """Of an object as plain data with its kind."""
    metadata = data["metadata"]
    return Ref(data["kind"], metadata.get("namespace") or "", metadata["name"])


def steps_by_object(edits: Iterable[Edit]) -> dict[tuple[Ref, str], tuple[Step, ...]]:
    """All steps for each object, and for each copy (by its name)."""
    found: dict[tuple[Ref, str], tuple[Step, ...]] = {}
    for edit in edits:
        for one in edit.all_operations:
            if not one.delete:
                key = (one.about, one.copy_as)
                found[key] = found.get(key, ()) + one.steps
    return found


def deleted(edits: Iterable[Edit]) -> frozenset[Ref]:
    """The objects that are taken away."""
    return frozenset(one.about for edit in edits for one in edit.all_operations if one.delete)


def apply_change(objects: Sequence[dict[str, Any]], change: Change) -> list[dict[str, Any]]:
    """The objects after the change, in their order, copies last. Each is plain data as the API has it, with its kind;
    the pending pod is one of them."""
    steps, gone = steps_by_object(change.edits), deleted(change.edits)
    known = {reference(data): data for data in objects}
    kept = [data for about, data in known.items() if about not in gone]
    changed = [made(data, own) if (own := steps.get((reference(data), ""))) else data for data in kept]
    for (about, name), own in steps.items():
        if name and about in known:
            changed.append(made(known[about], (Step(("metadata", "name"), name), *own)))
    return changed
