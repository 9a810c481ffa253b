"""DynamicResources: recognised, not replayed (`plugins/dynamicresources`, v1.37).

Devices are allocated by expressions over what drivers publish; kubedoctor does not evaluate them.
"""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.framework import SKIPPED, Obstacle, Plugin, Prepared, Wording
from kubedoctor.replay.scheduler.releases import SchedulerRelease
from kubedoctor.replay.scheduler.snapshot import ClusterState

RESOURCE_CLAIM: Final = Obstacle("resource claim")
_POST_FILTER_SINCE: Final = SchedulerRelease(34)
_SPEAKS_UNTIL: Final = SchedulerRelease(37)


def unreplayed_claims(pod: Pod) -> tuple[str, ...]:
    """The pod's resource claims by their names in the pod. With any of them, the verdict of this replay is
    incomplete."""
    return tuple(claim.name for claim in pod.spec.resource_claims or ())


def _claims(pod: Pod) -> object:
    return pod.spec.resource_claims


class DynamicResources(Plugin):
    name = "DynamicResources"
    pod_parts = (_claims,)
    wordings = (
        Wording(
            r"resource ?claim.*|.*cannot allocate all claims|.*device class .* does not exist"
            r"|.*dynamic resource controller.*|cannot fit resource|.*resourceclaim.*",
            RESOURCE_CLAIM,
        ),
    )

    def pre_filter(self, pod: Pod, state: ClusterState) -> Prepared:
        return SKIPPED


def post_filter_text(release: SchedulerRelease) -> str:
    """The text of its PostFilter before the scheduler's message about preemption."""
    return "no new claims to deallocate, " if _POST_FILTER_SINCE <= release < _SPEAKS_UNTIL else ""


def post_filter_fails(release: SchedulerRelease) -> bool:
    """Where another PreFilter has rejected the pod, its PostFilter finds no state of its own, and the event ends in
    `not found`."""
    return release >= _POST_FILTER_SINCE
