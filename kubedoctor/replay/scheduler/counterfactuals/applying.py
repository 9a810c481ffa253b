"""A pending pod and the cluster around it, before and after edits."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.cycle import copied, objection_with_nominated, pre_filter
from kubedoctor.replay.scheduler.plugins.scheduling_gates import pre_enqueue
from kubedoctor.replay.scheduler.remedies.edited import edited
from kubedoctor.replay.scheduler.remedies.edits import Edit
from kubedoctor.replay.scheduler.snapshot import ClusterState


class Situation(msgspec.Struct, frozen=True):
    """A pending pod, and the scheduler's state."""

    pod: Pod
    state: ClusterState

    def feasible(self) -> tuple[str, ...]:
        """The nodes that fit the pod; none while it has scheduling gates."""
        if not pre_enqueue(self.pod).is_success:
            return ()
        prepared = pre_filter(self.pod, self.state)
        if prepared.rejection is not None:
            return ()
        filters = copied(prepared.filters)
        return tuple(
            node.name
            for node in self.state.nodes
            if (prepared.only is None or node.name in prepared.only)
            and objection_with_nominated(self.pod, self.state, filters, node) is None
        )


def apply_to_state(pod: Pod, state: ClusterState, edits: Iterable[Edit]) -> Situation:
    """The state after the edits. The original state is not changed."""
    return Situation(*edited(pod, state, edits))
