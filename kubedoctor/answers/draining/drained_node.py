"""What a drain of a node does: replayed on the snapshot."""

from __future__ import annotations

from functools import partial

import msgspec

from kubedoctor.cluster.kinds.apps import DaemonSet
from kubedoctor.cluster.kinds.core import Namespace, Node
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.policy import PodDisruptionBudget
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.autoscalers import autoscalers_of
from kubedoctor.cluster.relations.workloads import workload_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.replay.disruption.departures import Departure, departures
from kubedoctor.replay.disruption.drains import Drain, DrainOptions, Treatment, drain
from kubedoctor.replay.scheduler.observed import observe_all

EVERYTHING = DrainOptions(force=True, ignore_daemon_sets=True, delete_empty_dir_data=True)
"""All flags that let pods leave; which of them the node needs is part of the answer."""


class DrainedNode(msgspec.Struct, frozen=True):
    """node: None where it does not exist. plain: the drain without flags. drain: with all flags that its pods need.

    unseen: kinds that could not be read and might change where pods fit.
    """

    subject: Ref
    node: Node | None
    plain: Drain = Drain()
    drain: Drain = Drain()
    departures: tuple[Departure, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def refused(self) -> tuple[Departure, ...]:
        """Pods whose eviction is refused, however long one waits."""
        return tuple(departure for departure in self.departures if not departure.leaves)

    @property
    def stranded(self) -> tuple[Departure, ...]:
        """Pods whose replacement fits nowhere."""
        return tuple(departure for departure in self.departures if departure.stranded)

    @property
    def lost(self) -> tuple[Departure, ...]:
        """Running pods that nothing creates again."""
        return tuple(
            departure
            for departure in self.departures
            if not departure.replaced
            and departure.pod.status.phase not in ("Succeeded", "Failed")
            and departure.pod.metadata.deletion_timestamp is None
        )

    def treated(self, treatment: Treatment, *, plain: bool = False) -> int:
        """How many pods of the node a drain treats so."""
        return sum(1 for drained in (self.plain if plain else self.drain).pods if drained.treatment is treatment)

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags without which kubectl refuses this node."""
        needed = {
            "--ignore-daemonsets": self.treated(Treatment.IGNORED_DAEMON_SET),
            "--delete-emptydir-data": self.local_data,
            "--force": self.treated(Treatment.NO_CONTROLLER, plain=True)
            + self.treated(Treatment.NO_DAEMON_SET, plain=True)
            + len(self.lost),
        }
        return tuple(flag for flag, pods in needed.items() if pods)

    @property
    def local_data(self) -> int:
        """Pods that lose the data of an emptyDir."""
        return sum(
            1
            for departure in self.departures
            if departure.pod.status.phase not in ("Succeeded", "Failed")
            and any(volume.empty_dir is not None for volume in departure.pod.spec.volumes or ())
        )


def drained_node(subject: Ref, cluster: Cluster) -> DrainedNode:
    """The answer about a node; raises CannotSee where pods or budgets cannot be read."""
    cluster.require(Node, Pod, Namespace, PodDisruptionBudget, DaemonSet)
    node = cluster.get(Node, "", subject.name)
    if node is None:
        return DrainedNode(subject, None)
    pods = cluster.pods_on(node.name)
    daemon_sets = {(item.namespace, item.name) for item in cluster.maybe.all(DaemonSet)}
    plain = drain(pods, daemon_sets, DrainOptions(), cluster.taken_at)
    full = drain(pods, daemon_sets, EVERYTHING, cluster.taken_at)
    leaving = full.leaving
    cluster.together(
        lambda: observe_all(leaving, cluster),
        *(partial(workload_of, pod, cluster) for pod in leaving),
        *(partial(autoscalers_of, ref(pod), cluster) for pod in leaving),
    )
    observed = observe_all(leaving, cluster)
    budgets = cluster.all(PodDisruptionBudget)
    return DrainedNode(
        subject,
        node,
        plain,
        full,
        departures(leaving, budgets, observed.state.without_node(node.name)),
        observed.unseen,
    )
