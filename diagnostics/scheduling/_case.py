"""A pod that fits nowhere, and the nodes it was refused by: what the facts of unschedulable are made from."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kubedoctor.cluster import Cluster, Node, Pod, Ref
from kubedoctor.cluster.core import Taint
from kubedoctor.cluster.quantities import Quantity, format_bytes, format_milli
from kubedoctor.cluster.relations import template_of, template_path
from kubedoctor.findings import Evidence, Fix
from kubedoctor.replay.scheduler.room import Closed, Fleet, NodeRoom, room_by_node

CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
NODE_TROUBLE = frozenset(
    f"node.kubernetes.io/{name}"
    for name in ("not-ready", "unreachable", "disk-pressure", "memory-pressure", "pid-pressure", "network-unavailable")
)


@dataclass(frozen=True)
class Fact:
    """What the objects add to one reason. `blames`: objects whose own fault it is."""

    text: str
    evidence: tuple[Evidence, ...] = ()
    fixes: tuple[Fix, ...] = ()
    blames: tuple[Ref, ...] = ()
    detail: str = ""
    minor: bool = False


@dataclass(frozen=True)
class Case:
    """The pod, its workload, and the nodes as far as they can be read."""

    pod: Pod
    cluster: Cluster
    workload: Ref
    fleet: Fleet

    @property
    def nodes(self) -> tuple[Node, ...]:
        return self.fleet.nodes

    @cached_property
    def closed(self) -> Closed:
        """The nodes that refuse it for a taint or a cordon."""
        return self.fleet.closed_to(self.pod.spec.tolerations or ())

    @property
    def cordoned(self) -> tuple[Node, ...]:
        return self.closed.cordoned

    @property
    def tainted(self) -> tuple[tuple[Node, Taint], ...]:
        return self.closed.tainted

    @property
    def open(self) -> tuple[Node, ...]:
        """The nodes that would take the pod as far as taints and cordons go; all nodes if there are none."""
        return self.closed.open or self.nodes

    @cached_property
    def room(self) -> dict[str, NodeRoom] | None:
        return room_by_node(self.cluster)

    def patch(self, spec: dict[str, Any], summary: str) -> Fix:
        """A fix that changes the pod template of the workload; without a command where no patch can do it."""
        workload = self.cluster.maybe.get_ref(self.workload)
        if workload is None or template_of(workload) is None or self.workload.kind in ("Job", "Pod"):
            return Fix(summary)
        for step in reversed(template_path(workload).split(".")):
            spec = {step: spec}
        body = shlex.quote(json.dumps(spec))
        line = f"kubectl patch {self.workload.argument}{self.workload.namespace_flag} --type=merge -p {body}"
        return Fix(summary, line)


def amount_text(resource: str, amount: Quantity) -> str:
    """An amount as people write it: CPUs in thousandths, memory in bytes, the rest as numbers."""
    if resource == "cpu":
        return format_milli(amount.milli_value())
    if resource in ("memory", "ephemeral-storage") or resource.startswith("hugepages-"):
        return format_bytes(amount.value())
    return str(amount.value())


def some(count: int | None, one: str, many: str) -> str:
    """`3 are cordoned`, `1 is cordoned`; without a count what holds for all."""
    if count is None:
        return f"all {many}"
    return f"{count} {one if count == 1 else many}"


def names(words: Iterable[str], most: int = 3) -> str:
    """`a, b, c and 4 more`."""
    every = list(dict.fromkeys(words))
    shown = ", ".join(every[:most])
    return shown if len(every) <= most else f"{shown} and {len(every) - most} more"


def taint_text(taint: Taint) -> str:
    """As kubectl writes it: `dedicated=gpu:NoSchedule`."""
    return f"{taint.key}{'=' + taint.value if taint.value else ''}:{taint.effect}"
