"""The interface of the scheduler's filter plugins, and their results (`kube-scheduler/framework/interface.go`,
v1.37)."""

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
    """The result of a plugin. The values are upstream's names."""

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
        """The amount that is missing on the node."""
        return self.requested - (self.capacity - self.used)

    @property
    def beyond(self) -> bool:
        """More is requested than the empty node has."""
        return self.requested > self.capacity


class Obstacle(msgspec.Struct, frozen=True, gc=False):
    """A type of reason why a pod does not fit a node, or any node. Each plugin declares its own as constants; `value`
    is used in JSON. vague: some releases do not name the subject."""

    value: str
    vague: bool = False


OTHER: Final = Obstacle("other")
"""A reason that is known only by its text."""


class Reason(msgspec.Struct, frozen=True, gc=False):
    """One reason of the scheduler. `count` is the number of nodes in a message, None where it applies to the pod as a
    whole and in the verdict on one node; `detail` is the name in the text: the resource, `key: value` of the taint, the
    claim, the plugins. `text` is upstream's."""

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
    """A verdict. `named` are its subjects where the reason does not name them: the taint, the host port."""

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
    """The pod does not fit the node now; evicting pods might help."""
    return Status(Code.UNSCHEDULABLE, reasons, named=named)


def unresolvable(*reasons: Reason, named: tuple[str, ...] = ()) -> Status:
    """The pod does not fit the node, whichever pods are evicted."""
    return Status(Code.UNRESOLVABLE, reasons, named=named)


def failure(text: str) -> Status:
    """The plugin cannot decide; the scheduler then reports a SchedulerError."""
    return Status(Code.ERROR, (reason(OTHER, text),))


class NodeFilter:
    """A plugin's Filter for one pod, with everything about that pod precomputed.

    Those that count pods override `copy` and `count`, so that pods may be added and removed (nominated pods, victims
    of preemption) without touching the original.
    """

    def check(self, node: NodeInfo) -> Status:
        """Whether the pod fits the node."""
        raise NotImplementedError

    def alike(self, classes: NodeClasses) -> Grouping:
        """Groups of nodes; `check` gives the same result for all nodes of a group."""
        return classes.each

    def copy(self) -> NodeFilter:
        """A filter with counts of its own."""
        return self

    def count(self, pod_info: PodInfo, node: NodeInfo, change: int) -> None:
        """Count a pod that is added to the node (change 1) or removed (-1)."""


class Prepared(msgspec.Struct, frozen=True, gc=False):
    """The result of PreFilter. `node_names` are the remaining nodes, None for all. `node_filter` is None where the
    status is not success, and where the plugin cannot reject any node.
    """

    status: Status
    node_filter: NodeFilter | None = None
    node_names: frozenset[str] | None = None


SKIPPED: Final = Prepared(SKIP)


PodPart = Callable[[Pod], object]
"""A part of a pod, as plain data that can be written as JSON."""


class Plugin:
    """A filter plugin: what it decides and reads, how its reasons are worded, and which changes would make it pass.

    name: upstream's.
    reads: the kinds that it reads besides nodes and the pods on them. One more object of such a kind may turn its
    rejection into success.
    pod_parts: everything that it reads of a pod; pods with equal parts get the same results.
    wordings: how its reasons are written, of all releases; more specific ones of the same text come first.
    left_out_as: the reason of its Filter, where releases differ in whether the Filter or the PreFilter rejects a node.
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
        """Whether the kinds that it reads matter for this pod."""
        return True

    def decides_by(self, kind: type[KubernetesObject], pod: Pod, state: ClusterState) -> bool:
        """Whether unseen objects of a kind that it reads might change the result for the pod."""
        return True

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        """Runs once per pod, before any node is examined."""
        raise NotImplementedError

    def passes(self, pod: Pod, state: ClusterState, node: NodeInfo) -> bool:
        """Whether the plugin alone accepts the node, where its PreFilter does not reject the pod."""
        node_filter = self.pre_filter(pod, state).node_filter
        return node_filter is None or node_filter.check(node).is_success

    def early_remedies(self, pod: Pod, state: ClusterState, status: Status) -> Iterable[Remedy]:
        """Changes for a pod that its PreFilter rejects, or for which several PreFilters leave no common node."""
        return ()

    def remedies(self, pod: Pod, state: ClusterState, node: NodeInfo, status: Status) -> Iterable[Remedy]:
        """Changes that make it pass for a node that it rejects with `status`."""
        return ()

    def remedies_for_new(self, pod: Pod, node: NodeInfo) -> Iterable[Remedy] | None:
        """Changes besides adding `node`, a new node like another that it rejects; None for the same changes as
        there."""
        return None
