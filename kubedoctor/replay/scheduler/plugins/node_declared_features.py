"""NodeDeclaredFeatures: features that the pod needs and the node must declare (`plugins/nodedeclaredfeatures`, v1.37).

What a pod needs: `component-helpers/nodedeclaredfeatures/features`, v1.37.
"""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.kinds.containers import Container
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.framework import (
    SKIPPED,
    SUCCESS,
    NodeFilter,
    Obstacle,
    Plugin,
    Prepared,
    Status,
    Wording,
    reason,
    unresolvable,
)
from kubedoctor.replay.scheduler.many.node_classes import Grouping, NodeClasses
from kubedoctor.replay.scheduler.releases import SchedulerRelease
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo

NODE_FEATURES: Final = Obstacle("node features")
_MISSING: Final = reason(NODE_FEATURES, "node(s) didn't match Pod's required features")
_SINCE: Final = SchedulerRelease(36)


def needed_features(pod: Pod) -> frozenset[str]:
    """The names of the features that the pod needs."""
    spec = pod.spec
    started = (*spec.containers, *(spec.init_containers or ()))
    needed = set()
    if any(
        rule.action == "RestartAllContainers" for container in started for rule in container.restart_policy_rules or ()
    ):
        needed.add("RestartAllContainersOnContainerExits")
    if spec.host_network and spec.host_users is False:
        needed.add("UserNamespacesHostNetworkSupport")
    everything = (*started, *(spec.ephemeral_containers or ()))
    if any(mount.bind_mount_options for container in everything for mount in container.volume_mounts or ()):
        needed.add("VolumeBindMountOptions")
    return frozenset(needed)


def _needs(pod: Pod) -> object:
    spec = pod.spec
    started = [_needs_of(container) for container in (*spec.containers, *(spec.init_containers or ()))]
    later = [_needs_of(container) for container in spec.ephemeral_containers or ()]
    return started, later, spec.host_network, spec.host_users


def _needs_of(container: Container) -> object:
    return container.restart_policy_rules, any(mount.bind_mount_options for mount in container.volume_mounts or ())


class NodeDeclaredFeatures(Plugin):
    name = "NodeDeclaredFeatures"
    pod_parts = (_needs,)
    wordings = (Wording(r"node\(s\) didn't match Pod's required features", NODE_FEATURES),)

    def runs_in(self, release: SchedulerRelease) -> bool:
        return release >= _SINCE

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        needed = needed_features(pod)
        return Prepared(SUCCESS, _Filter(needed)) if needed else SKIPPED


class _Filter(NodeFilter):
    def __init__(self, needed: frozenset[str]) -> None:
        self.needed = needed

    def check(self, node: NodeInfo) -> Status:
        missing = self.needed.difference(node.node.status.declared_features or ())
        return unresolvable(_MISSING, named=tuple(sorted(missing))) if missing else SUCCESS

    def alike(self, classes: NodeClasses) -> Grouping:
        return classes.by_class
