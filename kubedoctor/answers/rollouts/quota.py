"""A quota that has no room for the additional pod of a rollout."""

from __future__ import annotations

from kubedoctor.answers.proof import prove, proven
from kubedoctor.answers.rollouts.strategy import old_pod_first, old_pod_first_fix
from kubedoctor.cluster.kinds.apps import Deployment
from kubedoctor.cluster.kinds.core import ResourceQuota
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.relations.workloads import replica_sets_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.findings.model import Fix
from kubedoctor.replay.admission.resources.quotas import pod_usage, would_exceed
from kubedoctor.replay.workloads.rolling_update import fences, is_rolling, old_pods_that_may_go


def waits_for_quota(workload: Ref, cluster: Cluster) -> Deployment | None:
    """The Deployment, where its rollout ends no old pod before a new one is available."""
    deployment = cluster.maybe.get_ref(workload)
    if not isinstance(deployment, Deployment) or not is_rolling(deployment) or fences(deployment).unavailable:
        return None
    sets = replica_sets_of(deployment, cluster.maybe)
    old = [item for item in sets[1:] if item.spec.desired_replicas]
    return deployment if old and not old_pods_that_may_go(deployment, sets[0], old) else None


def old_pod_first_in_quota(deployment: Deployment, quota: ResourceQuota, cluster: Cluster) -> Fix | None:
    """One pod less of the old revision, where that makes room in the quota for a pod of the new one."""
    newest, *older = replica_sets_of(deployment, cluster.maybe)
    old = next((item for item in older if item.spec.desired_replicas), None)
    if old is None:
        return None
    used, needed = pod_usage(old.spec.template.spec), pod_usage(newest.spec.template.spec)
    more = {name: amount - used[name] if name in used else amount for name, amount in needed.items()}

    def holds(after: Cluster) -> bool:
        changed: KubernetesObject | None = after.get(Deployment, deployment.namespace, deployment.name)
        if not isinstance(changed, Deployment) or not old_pods_that_may_go(changed, newest, older):
            return False
        return not would_exceed(quota, more, newest.spec.template.spec)

    trial = prove(old_pod_first(deployment), cluster.maybe, holds)
    return proven(old_pod_first_fix(deployment), trial) if trial.holds else None
