"""Disruption budgets in words, and what makes them let a pod go."""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster.changes import Step, edit
from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.apps import Deployment, ReplicaSet, StatefulSet
from kubedoctor.cluster.kinds.core import ReplicationController
from kubedoctor.cluster.kinds.meta import OwnerReference
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.policy import PodDisruptionBudget
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.autoscalers import autoscalers_of
from kubedoctor.cluster.relations.workloads import controller_of, workload_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.findings.commands import command_line
from kubedoctor.findings.model import Effect, Fix
from kubedoctor.replay.disruption.budgets import Allowance, ScaleOf, allowance, reported
from kubedoctor.replay.disruption.evictions import guards

_SCALED = {kind.__name__: kind for kind in (ReplicaSet, StatefulSet, Deployment, ReplicationController)}


def scales(cluster: Cluster) -> ScaleOf:
    """The desired pods of controllers: of a ReplicaSet those of its Deployment."""

    def scale_of(owner: OwnerReference, namespace: str) -> int | None:
        obj = cluster.get_ref(Ref(owner.kind, namespace, owner.name)) if owner.kind in _SCALED else None
        above = controller_of(obj) if isinstance(obj, ReplicaSet) else None
        if above is not None and above.kind == "Deployment":
            obj = cluster.get_ref(above)
        if isinstance(obj, Deployment | ReplicaSet | StatefulSet | ReplicationController):
            return obj.spec.desired_replicas
        return None

    return scale_of


def current(budget: PodDisruptionBudget, cluster: Cluster) -> Allowance:
    """The numbers of its status, or what the controller would compute where that is out of date."""
    return reported(budget) or allowance(budget, cluster.all(Pod, budget.namespace), scales(cluster))


def guarded(budget: PodDisruptionBudget, cluster: Cluster) -> tuple[Pod, ...]:
    """The pods that it selects."""
    return tuple(pod for pod in cluster.all(Pod, budget.namespace) if guards(budget, pod))


def rule_of(budget: PodDisruptionBudget) -> str:
    """`minAvailable 1`, as its spec has it."""
    if budget.spec.max_unavailable is not None:
        return f"maxUnavailable {budget.spec.max_unavailable}"
    return f"minAvailable {budget.spec.min_available}"


def rule_path(budget: PodDisruptionBudget) -> str:
    """The path of the number in its spec."""
    return "spec.minAvailable" if budget.spec.max_unavailable is None else "spec.maxUnavailable"


def refusal_of(budget: PodDisruptionBudget, numbers: Allowance) -> str:
    """Why it lets no pod go, after its name."""
    if numbers.problem:
        return f"lets no pod go: the controller of Pod {numbers.problem} has no scale"
    if numbers.ever:
        return f"needs {counted(numbers.desired, 'healthy pod')} and has {numbers.healthy} ({rule_of(budget)})"
    pods = counted(numbers.expected, "pod")
    return f"never lets a pod go: it needs {numbers.desired} healthy of {pods} ({rule_of(budget)})"


def budget_fixes(budget: PodDisruptionBudget, cluster: Cluster) -> Iterator[Fix]:
    """What lets one pod go at a time: a proven change of the budget where it then needs fewer pods, and another replica
    where the budget keeps the only pod."""
    change = edit(ref(budget), Step(("spec", "maxUnavailable"), 1), Step(("spec", "minAvailable"), remove=True))

    def lets_one_go(changed: Cluster) -> bool:
        after = changed.get(PodDisruptionBudget, budget.namespace, budget.name)
        return (
            after is not None
            and allowance(after, changed.maybe.all(Pod, budget.namespace), scales(changed.maybe)).allowed > 0
        )

    pods = guarded(budget, cluster)
    workloads = sorted({workload_of(pod, cluster) for pod in pods}, key=str)
    numbers = current(budget, cluster)
    alone = " (its only pod is stopped then)" if numbers.expected == 1 else ""
    if numbers.expected == 1 and len(workloads) == 1 and isinstance(budget.spec.min_available, int):
        yield from _second_replica(workloads[0], cluster)
    if numbers.desired <= numbers.expected - 1 and not numbers.problem:
        return  # one pod may go as soon as all are healthy
    yield proven(
        Fix(
            f"Let one pod go at a time: set maxUnavailable to 1{alone}",
            command_line(change, budget),
            Effect.CHANGES,
            changes=ref(budget),
        ),
        prove(change, cluster, lets_one_go),
    )


def _second_replica(workload: Ref, cluster: Cluster) -> Iterator[Fix]:
    if workload.kind not in ("Deployment", "StatefulSet"):
        return
    autoscalers = autoscalers_of(workload, cluster)
    if autoscalers:
        names = ", ".join(ref(autoscaler).title for autoscaler in autoscalers)
        yield Fix(f"Run a second replica: raise minReplicas of {names}", changes=ref(autoscalers[0]))
    else:
        yield Fix(f"Run a second replica of {workload.title}, if it can have several")
