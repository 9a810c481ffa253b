"""What would place a pending pod: edits of objects, and sets of edits that make the pod fit a node."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Final

import msgspec

from kubedoctor.cluster.changes import Change, Operation, Path
from kubedoctor.cluster.kinds.references import Ref


class Kind(enum.Enum):
    """What is changed. Equally disruptive edits are sorted in this order."""

    ADD_NODE = "add-node"
    CORRECT_AFFINITY = "correct-affinity"
    FREE_HOST_PORT = "free-host-port"
    CORRECT_SELECTOR = "correct-selector"
    DELETE_POD = "delete-pod"
    DROP_NODE_NAME = "drop-node-name"
    DROP_SELECTOR = "drop-selector"
    DROP_AFFINITY = "drop-affinity"
    FORGET_NODE = "forget-node"
    CHANGE_CLAIM = "change-claim"
    RELEASE_VOLUME = "release-volume"
    LOWER_REQUEST = "lower-request"
    REMAKE_CLAIM = "remake-claim"
    REMOVE_GATES = "remove-gates"
    REMOVE_TAINT = "remove-taint"
    RELAX_POD_AFFINITY = "relax-pod-affinity"
    RELAX_SPREAD = "relax-spread"
    ADD_TOLERATION = "add-toleration"
    UNCORDON = "uncordon"
    CORRECT_CLAIM = "correct-claim"


_PLACES: Final = {kind: place for place, kind in enumerate(Kind)}


class Because(enum.Enum):
    """Why an edit helps, where the kind does not show it. `Edit.node` and `Edit.names` tell what it is about.

    ALL_THAT_IS_FREE, ALL_THAT_IS_LEFT: a request becomes as much as is free on the node, or is left there for this container.
    Of a deleted pod: SAME_VOLUME it uses the volume; FREES_VOLUMES that many volumes are attached for it; ANTI_AFFINITY it
    keeps the pod away; HOST_PORTS it holds them.
    Of claims: AS_OFFERED a volume has these values; THEN_FITS a volume then fits; CLASS_HAS the class has this much
    storage near the node. Of a released volume: DELETED_CLAIM, MISSING_CLAIM the claim that it is reserved for was
    deleted, or does not exist.
    """

    ALL_THAT_IS_FREE = enum.auto()
    ALL_THAT_IS_LEFT = enum.auto()
    SAME_VOLUME = enum.auto()
    FREES_VOLUMES = enum.auto()
    ANTI_AFFINITY = enum.auto()
    HOST_PORTS = enum.auto()
    AS_OFFERED = enum.auto()
    THEN_FITS = enum.auto()
    CLASS_HAS = enum.auto()
    DELETED_CLAIM = enum.auto()
    MISSING_CLAIM = enum.auto()


class Replaced(msgspec.Struct, frozen=True):
    """A value that is replaced by another one; empty for none."""

    field: str
    before: str
    after: str


class Edit(msgspec.Struct, frozen=True):
    """One change of an object. Tuples, so that equal edits compare equal.

    arguments: what a command needs, by kind: LOWER_REQUEST container ("" for the pod), resource, new amount;
    ADD_TOLERATION and REMOVE_TAINT key, value, effect; CORRECT_SELECTOR key, new value; DROP_SELECTOR key;
    CORRECT_AFFINITY and DROP_AFFINITY key, new value; RELAX_SPREAD topology key, field, new value; RELAX_POD_AFFINITY
    topology key, new topology key; FREE_HOST_PORT container, host port; ADD_NODE the model;
    CORRECT_CLAIM volume, new claim; CHANGE_CLAIM, REMAKE_CLAIM, RELEASE_VOLUME claim, and what it then has.
    weight: how disruptive it is, for comparison only.
    follows: what Kubernetes itself then does: the volume controller binds the claim. It is part of the trial.
    provisioner: the provisioner that must create a volume first, which no replay proves. Empty for none.
    replaced: the values that it changes. because, node, names: why it helps, and what that is about.
    """

    kind: Kind
    about: Ref
    operations: tuple[Operation, ...]
    arguments: tuple[str, ...] = ()
    weight: float = 0
    follows: tuple[Operation, ...] = ()
    provisioner: str = ""
    replaced: tuple[Replaced, ...] = ()
    because: Because | None = None
    node: str = ""
    names: tuple[str, ...] = ()

    @property
    def all_operations(self) -> tuple[Operation, ...]:
        """What is done, and what follows by itself."""
        return (*self.operations, *self.follows)

    @property
    def order(self) -> tuple[object, ...]:
        """Sort key of equally disruptive edits."""
        return _PLACES[self.kind], self.arguments, self.about, self.node

    @property
    def key(self) -> tuple[object, ...]:
        """Edits of the same field have the same key, for any amount."""
        paths = tuple((operation.about, tuple(step.path for step in operation.steps)) for operation in self.operations)
        smaller = self.kind is Kind.REMAKE_CLAIM and all(
            path[-1:] == ("storage",) for _, paths_of_object in paths for path in paths_of_object
        )
        amount = () if smaller or self.kind in (Kind.LOWER_REQUEST, Kind.RELAX_SPREAD) else self.arguments
        return self.kind, self.about, paths, amount

    def contains(self, edit: Edit) -> bool:
        """Whether both remove something, and the other edit only a part of it."""
        mine, theirs = self._removed, edit._removed
        return bool(theirs) and all(
            any(about == whole and path[: len(begins)] == begins != path for whole, begins in mine)
            for about, path in theirs
        )

    @property
    def _removed(self) -> list[tuple[Ref, Path]]:
        return [
            (operation.about, step.path) for operation in self.operations for step in operation.steps if step.remove
        ]


Remedy = tuple[Edit, ...]
"""Edits that together make one plugin pass."""


class Counterfactual(msgspec.Struct, frozen=True):
    """Edits that together make the pod fit `nodes`; every edit is necessary.

    affects: other affected pods: those that a change to a node lets in, those that are deleted, and those that use a
    claim which is changed.
    """

    edits: tuple[Edit, ...]
    nodes: tuple[str, ...] = ()
    affects: tuple[Ref, ...] = ()

    @property
    def change(self) -> Change:
        """What people have to do; what Kubernetes then does itself is not part of it."""
        return Change(tuple(operation for edit in self.edits for operation in edit.operations))

    @property
    def outcome(self) -> Change:
        """What is done, and what follows by itself."""
        return Change(all_operations(self.edits))

    @property
    def kind(self) -> Kind:
        """Of the first edit."""
        return self.edits[0].kind

    @property
    def about(self) -> Ref:
        """The object that the first edit is about."""
        return self.edits[0].about

    @property
    def weight(self) -> float:
        return sum(edit.weight for edit in self.edits)

    @property
    def provisioners(self) -> tuple[str, ...]:
        """The provisioners that must create volumes for it to help; it is proven only if there are none."""
        return tuple(dict.fromkeys(edit.provisioner for edit in self.edits if edit.provisioner))

    def without(self, index: int) -> Counterfactual:
        """The counterfactual without one edit."""
        return Counterfactual(self.edits[:index] + self.edits[index + 1 :])


def all_operations(edits: Iterable[Edit]) -> tuple[Operation, ...]:
    """What is done, and what follows by itself."""
    return tuple(operation for edit in edits for operation in edit.all_operations)
