"""NodeDeclaredFeatures: features that the pod needs and the node must declare (`plugins/nodedeclaredfeatures`, v1.37).

What a pod needs: `component-helpers/nodedeclaredfeatures/features`, v1.37.
"""

from __future__ import annotations

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.framework import SKIPPED, SUCCESS, NodeFilter, Prepared, Status, unresolvable
from kubedoctor.replay.scheduler.said import reasons
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo


def needed_features(pod: Pod) -> frozenset[str]:
    """The names of features that the pod cannot run without."""
    spec = pod.spec
    started = (*spec.containers, *(spec.init_containers or ()))
    needed = set()
    if any(rule.action == "RestartAllContainers" for one in started for rule in one.restart_policy_rules or ()):
        needed.add("RestartAllContainersOnContainerExits")
    if spec.host_network and spec.host_users is False:
        needed.add("UserNamespacesHostNetworkSupport")
    everything = (*started, *(spec.ephemeral_containers or ()))
    if any(mount.bind_mount_options for one in everything for mount in one.volume_mounts or ()):
        needed.add("VolumeBindMountOptions")
    return frozenset(needed)


class NodeDeclaredFeatures:
    name = "NodeDeclaredFeatures"

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        needed = needed_features(pod)
        return Prepared(SUCCESS, _Filter(needed)) if needed else SKIPPED


class _Filter(NodeFilter):
    def __init__(self, needed: frozenset[str]) -> None:
        self.needed = needed

    def check(self, node: NodeInfo) -> Status:
        missing = self.needed.difference(node.node.status.declared_features or ())
        return unresolvable(reasons.NODE_FEATURES, named=tuple(sorted(missing))) if missing else SUCCESS
