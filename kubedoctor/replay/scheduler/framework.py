"""What a filter plugin of the scheduler is, and what it answers (`kube-scheduler/framework/interface.go`, v1.37)."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from typing import ClassVar, Final

import msgspec

from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.many.node_classes import Grouping, NodeClasses
from kubedoctor.replay.scheduler.releases import SchedulerRelease
from kubedoctor.replay.scheduler.remedies.edits import Remedy
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


class Obstacle(msgspec.Struct, frozen=True, gc=False):
    """What keeps a pod from a node, or from all nodes at once. A constant of the plugin whose obstacle it is; `value` ends
    up in JSON. vague: some releases do not name what it is about."""

    value: str
    vague: bool = False


OTHER: Final = Obstacle("other")
"""Only known by its text."""


class Reason(msgspec.Struct, frozen=True, gc=False):
    """One reason of the scheduler. `count` is the number of nodes in a message, None where it holds for the pod as a whole
    and in the verdict on one node; `detail` is the name in the text: the resource, `key: value` of the taint, the claim, the
    plugins. `text` is upstream's."""

    count: int | None
    obstacle: Obstacle
    detail: str
    text: str


def reason(obstacle: Obstacle, text: str, detail: str = "") -> Reason:
    """A plugin's reason."""
    return Reason(None, obstacle, detail, text)


class Wording(msgspec.Struct, frozen=True):
    """How a reason is written in the scheduler's messages of all releases: a regular expression for the whole text, in
    which the group `detail` is the name."""

    pattern: str
    obstacle: Obstacle


class Status(msgspec.Struct, frozen=True, gc=False):
    """A verdict. `named` are the things it is about where the reason does not name them: the taint, the host port."""

    code: Code
    reasons: tuple[Reason, ...] = ()
    shortages: tuple[Shortage, ...] = ()
    named: tuple[str, ...] = ()

    @property
    def is_success(self) -> bool:
        return self.code is Code.SUCCESS

    @property
    def texts(self) -> tuple[str, ...]:
        """The reasons as upstream writes them."""
        return tuple([part.text for part in self.reasons])

    @property
    def message(self) -> str:
        """The reasons as upstream joins them."""
        return ", ".join(self.texts)

    def has(self, *obstacles: Obstacle) -> bool:
        """Whether one of the obstacles is among the reasons."""
        return any(part.obstacle in obstacles for part in self.reasons)


SUCCESS: Final = Status(Code.SUCCESS)
SKIP: Final = Status(Code.SKIP)


def unschedulable(*reasons: Reason, named: tuple[str, ...] = ()) -> Status:
    """Not on this node as it is; other pods' going might help."""
    return Status(Code.UNSCHEDULABLE, reasons, named=named)


def unresolvable(*reasons: Reason, named: tuple[str, ...] = ()) -> Status:
    """Not on this node, whichever pods go."""
    return Status(Code.UNRESOLVABLE, reasons, named=named)


def failure(text: str) -> Status:
    """The plugin cannot decide; the scheduler then reports a SchedulerError."""
    return Status(Code.ERROR, (reason(OTHER, text),))


class NodeFilter:
    """A plugin's Filter for one pod, with everything about that pod worked out.

    Those that count pods override `copy` and `count`, so that pods may be added and removed (nominated pods, victims
    of preemption) without touching the original.
    """

    def check(self, node: NodeInfo) -> Status:
        """May the pod go to this node?"""
        raise NotImplementedError

    def alike(self, classes: NodeClasses) -> Grouping:
        """Nodes in groups; all nodes of a group get the same answer of `check`."""
        return classes.each

    def copy(self) -> NodeFilter:
        """A filter with counts of its own."""
        return self

    def count(self, pod_info: PodInfo, node: NodeInfo, change: int) -> None:
        """Another pod comes to the node (change 1) or leaves it (-1)."""


class Prepared(msgspec.Struct, frozen=True, gc=False):
    """What PreFilter answers. `node_names` are the only nodes in question, None for all.

    `node_filter` is None where the status is no success, and where no node can displease the plugin.
    """

    status: Status
    node_filter: NodeFilter | None = None
    node_names: frozenset[str] | None = None


SKIPPED: Final = Prepared(SKIP)


PodPart = Callable[[Pod], object]
"""Something of a pod, as plain data that can be written as JSON."""


class Plugin:
    """A filter plugin with all that is known of it: what it decides and reads, how its reasons are written, and what would
    content it.

    name: upstream's.
    reads: kinds that it looks at beside nodes and the pods on them as they take up room. One more object of such a kind
    may turn its refusal into success.
    pod_parts: all that it looks at in a pod; pods that have equal parts get the same answers.
    wordings: how its reasons are written, of all releases; those of one text come first that are more special.
    left_out_as: the reason of its Filter, where releases differ in whether that or its PreFilter refuses a node.
    """

    name: ClassVar[str]
    reads: ClassVar[tuple[type[KubernetesObject], ...]] = ()
    pod_parts: ClassVar[tuple[PodPart, ...]] = ()
    wordings: ClassVar[tuple[Wording, ...]] = ()
    left_out_as: ClassVar[Obstacle | None] = None

    def runs_in(self, release: SchedulerRelease) -> bool:
        """Whether it belongs to the default profile of that release."""
        return True

    def concerns(self, pod: Pod) -> bool:
        """Whether the kinds that it reads are needed to decide about this pod."""
        return True

    def decides_by(self, kind: type[KubernetesObject], pod: Pod, state: ClusterState) -> bool:
        """Whether objects of a kind that it reads, and that were not seen, might change the answer about the pod."""
        return True

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        """Once per pod, before any node is looked at."""
        raise NotImplementedError

    def passes(self, pod: Pod, state: ClusterState, node: NodeInfo) -> bool:
        """Whether it alone lets the pod go to the node, where its PreFilter does not refuse the pod."""
        node_filter = self.pre_filter(pod, state).node_filter
        return node_filter is None or node_filter.check(node).is_success

    def early_remedies(self, pod: Pod, state: ClusterState, status: Status) -> Iterable[Remedy]:
        """What to change for a pod that its PreFilter refuses, or for which the nodes that several PreFilters leave do not
        exist together."""
        return ()

    def remedies(self, pod: Pod, state: ClusterState, node: NodeInfo, status: Status) -> Iterable[Remedy]:
        """Ways to content it about a node that it refuses for `status`."""
        return ()

    def remedies_for_new(self, pod: Pod, node: NodeInfo) -> Iterable[Remedy] | None:
        """What to change beside adding `node`, a new one like another that it refuses; None for the same as there."""
        return None
