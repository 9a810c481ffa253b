"""Pods that are deleted to make room: their controllers recreate them, and the new pods need nodes too."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from kubedoctor.cluster.kinds.pods import Pod, PodStatus
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.replay.scheduler.counterfactuals.applying import Situation


def displaced(deleted: Iterable[Pod], after: Situation, node: str) -> tuple[Ref, ...]:
    """The deleted pods that no node accepts once the pending pod is on `node`.

    after: without the deleted pods. A replacement has the spec of the pod, without the node.
    """
    state = after.state.with_pod(replace(after.pod, spec=replace(after.pod.spec, node_name=node)), node)
    displaced_pods = []
    for pod in deleted:
        again = replace(pod, spec=replace(pod.spec, node_name=""), status=PodStatus(phase="Pending"))
        places = Situation(again, state).feasible()
        if not places:
            displaced_pods.append(ref(pod))
        else:
            state = state.with_pod(replace(again, spec=replace(again.spec, node_name=places[0])), places[0])
    return tuple(displaced_pods)
