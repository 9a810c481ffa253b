"""The pods of a drained node, one after another: who may leave, and where its replacement runs.

kubectl evicts all of them and tries refused ones again, so that a budget counts again once a replacement is ready
(`k8s.io/kubectl/pkg/drain/drain.go`, v1.37). A replacement counts as ready as soon as some node accepts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from kubedoctor.cluster.kinds.pods import Pod, PodStatus
from kubedoctor.cluster.kinds.policy import PodDisruptionBudget
from kubedoctor.cluster.relations.workloads import controlling_owner
from kubedoctor.replay.disruption.evictions import Eviction, EvictionVerdict, evict
from kubedoctor.replay.scheduler.counterfactuals.applying import Situation
from kubedoctor.replay.scheduler.cycle import SchedulingVerdict, schedule
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo


class Departure(msgspec.Struct, frozen=True):
    """One pod that is to leave.

    eviction: what the API server decides, once all that can leave has left. replaced: a controller creates it again.
    place: a node for the replacement, with `places` nodes that fit; empty where none does, and `refusal` says why.
    """

    pod: Pod
    eviction: EvictionVerdict
    replaced: bool = True
    place: str = ""
    places: int = 0
    refusal: SchedulingVerdict | None = None

    @property
    def leaves(self) -> bool:
        return self.eviction.allowed

    @property
    def stranded(self) -> bool:
        """It leaves, and its replacement fits nowhere."""
        return self.leaves and self.replaced and not self.place


class _Budgets:
    """What the budgets still allow."""

    def __init__(self, budgets: Iterable[PodDisruptionBudget]) -> None:
        self.all = list(budgets)

    def ask(self, pod: Pod) -> EvictionVerdict:
        return evict(pod, self.all)

    def charge(self, verdict: EvictionVerdict, amount: int) -> None:
        """Take or give back one eviction; a pod that is not healthy costs none."""
        if verdict.outcome is not Eviction.WITHIN_BUDGET:
            return
        name = verdict.budgets[0].name
        for index, budget in enumerate(self.all):
            if budget.name == name and budget.namespace == verdict.budgets[0].namespace:
                status = budget.status
                changed = replace(
                    status,
                    disruptions_allowed=status.disruptions_allowed - amount,
                    current_healthy=status.current_healthy - amount,
                )
                self.all[index] = replace(budget, status=changed)


def departures(
    leaving: Sequence[Pod], budgets: Iterable[PodDisruptionBudget], state: ClusterState
) -> tuple[Departure, ...]:
    """What becomes of each pod. state: without the drained node and its pods."""
    allowances = _Budgets(budgets)
    results: dict[str, Departure] = {}
    homeless: list[tuple[Pod, EvictionVerdict]] = []
    waiting = list(leaving)
    progress = True
    while progress:
        progress, asked, waiting = False, waiting, []
        for pod in asked:
            verdict = allowances.ask(pod)
            if not verdict.allowed:
                waiting.append(pod)
                results[_key(pod)] = Departure(pod, verdict)
                continue
            progress = True
            allowances.charge(verdict, 1)
            homeless.append((pod, verdict))
        remaining: list[tuple[Pod, EvictionVerdict]] = []
        for pod, verdict in homeless:
            departure, state = _departed(pod, verdict, state)
            results[_key(pod)] = departure
            if departure.stranded:
                remaining.append((pod, verdict))
            else:
                progress = True
                allowances.charge(verdict, -1 if departure.replaced else 0)
        progress = progress and bool(waiting or (remaining and len(remaining) < len(homeless)))
        homeless = remaining
    return tuple(results[_key(pod)] for pod in leaving)


def _key(pod: Pod) -> str:
    return f"{pod.namespace}/{pod.name}"


def _departed(pod: Pod, verdict: EvictionVerdict, state: ClusterState) -> tuple[Departure, ClusterState]:
    gone = pod.status.phase in ("Succeeded", "Failed") or pod.metadata.deletion_timestamp is not None
    if gone or controlling_owner(pod) is None:
        return Departure(pod, verdict, replaced=False), state
    again = replace(pod, spec=replace(pod.spec, node_name=""), status=PodStatus(phase="Pending"))
    places = Situation(again, state).feasible()
    if not places:
        return Departure(pod, verdict, refusal=schedule(again, state)), state
    place = max(places, key=lambda name: (_free(state.node_by_name[name]), name))
    moved = state.with_pod(replace(again, spec=replace(again.spec, node_name=place)), place)
    return Departure(pod, verdict, place=place, places=len(places)), moved


def _free(node: NodeInfo) -> float:
    """The free share of CPU and memory, by which the scheduler prefers nodes unless it is configured otherwise."""
    shares = [
        1 - node.requested.get(name, 0) / node.allocatable[name]
        for name in ("cpu", "memory")
        if node.allocatable.get(name)
    ]
    return sum(shares) / len(shares) if shares else 0.0
