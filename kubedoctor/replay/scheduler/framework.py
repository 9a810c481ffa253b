"""What a filter plugin of the scheduler is, and what it answers (`kube-scheduler/framework/interface.go`, v1.37)."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from kubedoctor.cluster.kinds.pods import Pod

if TYPE_CHECKING:
    from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo, PodInfo


class Code(enum.Enum):
    """How a plugin decides. The values are upstream's names."""

    SUCCESS = "Success"
    SKIP = "Skip"
    UNSCHEDULABLE = "Unschedulable"
    UNRESOLVABLE = "UnschedulableAndUnresolvable"
    ERROR = "Error"


class Shortage(msgspec.Struct, frozen=True, gc=False):
    """A resource of which a node has too little: cpu in thousandths, memory and storage in bytes, others in units.

    `used` may be above `capacity`.
    """

    resource: str
    requested: int
    used: int
    capacity: int

    @property
    def missing(self) -> int:
        """What would have to become free on the node."""
        return self.requested - (self.capacity - self.used)

    @property
    def beyond(self) -> bool:
        """More is asked for than the empty node has."""
        return self.requested > self.capacity


class Status(msgspec.Struct, frozen=True, gc=False):
    """A verdict. `named` are the things it is about where the reason does not name them: the taint, the host port."""

    code: Code
    reasons: tuple[str, ...] = ()
    shortages: tuple[Shortage, ...] = ()
    named: tuple[str, ...] = ()

    @property
    def is_success(self) -> bool:
        return self.code is Code.SUCCESS

    @property
    def is_rejection(self) -> bool:
        """The pod may not go there; errors are no verdict."""
        return self.code in (Code.UNSCHEDULABLE, Code.UNRESOLVABLE)

    @property
    def message(self) -> str:
        """The reasons as upstream joins them."""
        return ", ".join(self.reasons)


SUCCESS: Final = Status(Code.SUCCESS)
SKIP: Final = Status(Code.SKIP)


def unschedulable(*reasons: str, named: tuple[str, ...] = ()) -> Status:
    """Not on this node as it is; other pods' going might help."""
    return Status(Code.UNSCHEDULABLE, reasons, named=named)


def unresolvable(*reasons: str, named: tuple[str, ...] = ()) -> Status:
    """Not on this node, whichever pods go."""
    return Status(Code.UNRESOLVABLE, reasons, named=named)


def failure(reason: str) -> Status:
    """The plugin cannot decide; the scheduler then reports a SchedulerError."""
    return Status(Code.ERROR, (reason,))


class NodeFilter:
    """A plugin's Filter for one pod, with everything about that pod worked out.

    Those that count pods override `copy` and `count`, so that pods may be added and removed (nominated pods, victims
    of preemption) without touching the original.
    """

    def check(self, node: NodeInfo) -> Status:
        """May the pod go to this node?"""
        raise NotImplementedError

    def copy(self) -> NodeFilter:
        """A filter with counts of its own."""
        return self

    def count(self, other: PodInfo, node: NodeInfo, change: int) -> None:
        """Another pod comes to the node (change 1) or leaves it (-1)."""


class Prepared(msgspec.Struct, frozen=True, gc=False):
    """What PreFilter answers. `node_names` are the only nodes in question, None for all.

    `node_filter` is None where the status is no success, and where no node can displease the plugin.
    """

    status: Status
    node_filter: NodeFilter | None = None
    node_names: frozenset[str] | None = None


SKIPPED: Final = Prepared(SKIP)


class Plugin(Protocol):
    """A filter plugin; `name` is upstream's."""

    name: str

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        """Once per pod, before any node is looked at."""
        ...
