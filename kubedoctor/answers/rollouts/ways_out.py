"""Changes that let a rollout reach its end, each proven by a replay of the rollout."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from kubedoctor.answers.proof import prove, proven
from kubedoctor.answers.rollouts.own_pods import BlockedRollout
from kubedoctor.answers.rollouts.strategy import old_pod_first, old_pod_first_fix, recreate, recreate_fix
from kubedoctor.cluster.changes import Change, Step, edit
from kubedoctor.cluster.kinds.apps import Deployment
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.findings.commands import command_line
from kubedoctor.findings.model import Effect, Fix
from kubedoctor.replay.scheduler.plugins.pod_topology_spread import TOPOLOGY_SPREAD
from kubedoctor.replay.workloads.rollout_course import completes, without_pods

HASH = "pod-template-hash"
_CONSTRAINTS = ("spec", "template", "spec", "topologySpreadConstraints")


def ways_out(blocked: BlockedRollout, cluster: Cluster) -> Iterator[Fix]:
    """What lets the rollout reach its end, the least change of the template last."""
    deployment, holds = blocked.deployment, _reaches_its_end(blocked)
    trial = prove(old_pod_first(deployment), cluster.maybe, holds)
    if trial.holds:
        yield proven(old_pod_first_fix(deployment), trial)
    else:
        trial = prove(recreate(deployment), cluster.maybe, holds)
        if trial.holds:
            yield proven(recreate_fix(deployment), trial)
    for text, change in _spread_changes(blocked):
        trial = prove(change, cluster.maybe, holds)
        if trial.holds:
            yield proven(Fix(text, command_line(change, deployment), Effect.DISRUPTS), trial)


def _spread_changes(blocked: BlockedRollout) -> Iterator[tuple[str, Change]]:
    """Have the spread count new pods only, or leave out nodes whose taints keep the pod away."""
    if not any(objection.status.has(TOPOLOGY_SPREAD) for objection in blocked.objections):
        return
    template, about = blocked.deployment.spec.template.spec.topology_spread_constraints or (), ref(blocked.deployment)
    for index, constraint in enumerate(template):
        where, over = (*_CONSTRAINTS, index), f"of the topology spread over {constraint.topology_key}"
        if constraint.when_unsatisfiable != "DoNotSchedule":
            continue
        if HASH not in (constraint.match_label_keys or ()):
            keys = [*(constraint.match_label_keys or ()), HASH]
            text = f"Set matchLabelKeys {over} to {', '.join(keys)}, so that pods of each revision count apart"
            yield text, edit(about, Step((*where, "matchLabelKeys"), keys))
        if constraint.node_taints_policy != "Honor":
            text = f"Set nodeTaintsPolicy {over} to Honor, so that nodes with taints it does not tolerate do not count"
            yield text, edit(about, Step((*where, "nodeTaintsPolicy"), "Honor"))


def _reaches_its_end(blocked: BlockedRollout) -> Callable[[Cluster], bool]:
    def holds(after: Cluster) -> bool:
        deployment = after.get(Deployment, blocked.deployment.namespace, blocked.deployment.name)
        if deployment is None:
            return False
        constraints = deployment.spec.template.spec.topology_spread_constraints
        pod = blocked.pod
        if constraints != blocked.deployment.spec.template.spec.topology_spread_constraints:
            pod = replace(pod, spec=replace(pod.spec, topology_spread_constraints=constraints))
        if deployment.spec.strategy.type == "Recreate":
            return completes(deployment, pod, (), without_pods(blocked.answer.state, blocked.old))
        return completes(deployment, pod, blocked.old, blocked.answer.state)

    return holds
