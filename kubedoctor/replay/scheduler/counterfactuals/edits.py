"""What would place a pending pod: edits of objects, and those that together let a node take the pod."""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec

from kubedoctor.cluster.changes import Change, Operation, Path
from kubedoctor.cluster.kinds.references import Ref


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


class Counterfactual(msgspec.Struct, frozen=True):
    """Edits that together make `nodes` take the pod; without any of them none does.

    affects: pods that feel it besides: those that a change to a node lets in, those that are deleted, and those that use
    a claim which is changed.
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

    def without(self, index: int) -> Counterfactual:
        """The same with one edit fewer."""
        return Counterfactual(self.edits[:index] + self.edits[index + 1 :])


def all_operations(edits: Iterable[Edit]) -> tuple[Operation, ...]:
    """What is done, and what follows by itself."""
    return tuple(operation for edit in edits for operation in edit.all_operations)
