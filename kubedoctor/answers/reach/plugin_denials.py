"""Policies of network plug-ins that may be why a connection gets no answer."""

from __future__ import annotations

from collections.abc import Iterable

from kubedoctor.answers.reach.connections import ConnectionTarget
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.replay.network.plugin_policies import PLUGIN_POLICIES, OtherEnd, admits, isolates, other_end
from kubedoctor.replay.network.policies import EGRESS, INGRESS


def may_deny(pod: Pod, reached: Iterable[ConnectionTarget], cluster: Cluster) -> CustomResource | None:
    """A policy that isolates one end of each connection, where no policy of the plug-ins may admit it."""
    policies = [row for kind, group in PLUGIN_POLICIES for row in cluster.maybe.custom(kind, group)]
    found = None
    for target in reached if policies else ():
        mine = _isolating(policies, pod, EGRESS, other_end(target.pod, target.address), target)
        theirs = _isolating(policies, target.pod, INGRESS, other_end(pod), target) if target.pod is not None else None
        found = mine or theirs
        if found is None:
            return None
    return found


def _isolating(
    policies: list[CustomResource], isolated: Pod, direction: str, other: OtherEnd, target: ConnectionTarget
) -> CustomResource | None:
    mine = [policy for policy in policies if isolates(policy, isolated, direction)]
    if any(admits(policy, direction, other, target.port, target.protocol) for policy in mine):
        return None
    return mine[0] if mine else None
