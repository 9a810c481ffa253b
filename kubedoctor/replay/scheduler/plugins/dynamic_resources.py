"""DynamicResources: recognised, not replayed (`plugins/dynamicresources`, v1.37).

Devices are allocated by expressions over what drivers publish; kubedoctor does not evaluate them.
"""

from __future__ import annotations

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.framework import SKIPPED, Prepared
from kubedoctor.replay.scheduler.snapshot import ClusterState


def unreplayed_claims(pod: Pod) -> tuple[str, ...]:
    """The pod's resource claims by the names it gives them. With any, a verdict of this replay is not the last word."""
    return tuple(claim.name for claim in pod.spec.resource_claims or ())


class DynamicResources:
    name = "DynamicResources"

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        return SKIPPED
