"""What is examined together with an object: what it depends on, and what stands or falls with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kubedoctor.cluster.grammar.selectors import SelectorError
from kubedoctor.cluster.kinds.apps import CronJob, DaemonSet, Deployment, Job, ReplicaSet, StatefulSet
from kubedoctor.cluster.kinds.autoscaling import HorizontalPodAutoscaler
from kubedoctor.cluster.kinds.core import (
    ConfigMap,
    LimitRange,
    Namespace,
    Node,
    ReplicationController,
    ResourceQuota,
    Service,
)
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.networking import Ingress, NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim
from kubedoctor.cluster.relations.claims import claim_names
from kubedoctor.cluster.relations.policies import applies_to
from kubedoctor.cluster.relations.services import pods_selected_by, services_selecting
from kubedoctor.cluster.relations.workloads import owner_chain, pods_of, replica_sets_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.wants import CannotSee, Gap, LogWant, NotCollected, Want
from kubedoctor.cluster.triage import all_containers, not_ready, troubled, unscheduled

NODE_STATE = "node.kubernetes.io/"  # The prefix of the taints that follow from a node's conditions, and of one more:
CORDON = "node.kubernetes.io/unschedulable"
Step = Callable[[Any, Cluster], Iterator[Ref]]


def related(obj: KubernetesObject, cluster: Cluster, wants: set[Want | LogWant]) -> tuple[Ref, ...]:
    """The objects to examine with this one, the object itself left out.

    What cannot be seen becomes a gap of `cluster`; what has not been fetched is put into `wants`.
    """
    found: dict[Ref, None] = {}
    for step in _STEPS.get(type(obj), ()):
        try:
            found.update(dict.fromkeys(step(obj, cluster)))
        except CannotSee as blind:
            cluster.gaps.add(Gap(blind.kind, blind.why))
        except NotCollected as missing:
            wants.update(missing.wants)
        except SelectorError as broken:
            cluster.gaps.add(Gap(ref(obj).kind, f"a selector around {ref(obj).title} is broken: {broken}"))
    found.pop(ref(obj), None)
    return tuple(found)


def _owners(obj: KubernetesObject, cluster: Cluster) -> Iterator[Ref]:
    yield from owner_chain(obj, cluster)


def _node(pod: Pod, cluster: Cluster) -> Iterator[Ref]:
    """Where it runs; without a node, those that refuse it because of their own state."""
    if pod.spec.node_name and not_ready(pod):
        yield Ref("Node", "", pod.spec.node_name)
    elif unscheduled(pod):
        for node in cluster.maybe.all(Node):
            if any(taint.key.startswith(NODE_STATE) and taint.key != CORDON for taint in node.spec.taints or ()):
                yield ref(node)


def _claims(pod: Pod, _: Cluster) -> Iterator[Ref]:
    if not_ready(pod):
        yield from (Ref("PersistentVolumeClaim", pod.namespace, name) for name in claim_names(pod))


def _services(pod: Pod, cluster: Cluster) -> Iterator[Ref]:
    yield from (ref(service) for service in services_selecting(pod, cluster))


def _cluster_dns(pod: Pod, _: Cluster) -> Iterator[Ref]:
    """A pod that is in trouble may be so because no name resolves."""
    if troubled(pod) and pod.spec.node_name and pod.spec.dns_policy in ("", "ClusterFirst", "ClusterFirstWithHostNet"):
        yield Ref("Service", "kube-system", "kube-dns")


def _policies(pod: Pod, cluster: Cluster) -> Iterator[Ref]:
    for policy in cluster.all(NetworkPolicy, pod.namespace):
        if applies_to(policy, pod):
            yield ref(policy)


def _pods(workload: KubernetesObject, cluster: Cluster) -> Iterator[Ref]:
    yield from (ref(pod) for pod in pods_of(workload, cluster))


def _with_pods(workload: KubernetesObject, cluster: Cluster) -> Iterator[Ref]:
    """What the pods of a workload depend on, so that a workload's verdict is no poorer than its pods'."""
    for pod in pods_of(workload, cluster):
        for step in (_node, _claims, _cluster_dns):
            yield from step(pod, cluster)


def _first_pod(workload: KubernetesObject, cluster: Cluster) -> Iterator[Ref]:
    """Services and policies that pick one of the pods: the pods of a workload carry the same labels."""
    cluster.together(
        lambda: cluster.all(Service, workload.namespace),
        lambda: cluster.all(NetworkPolicy, workload.namespace),
        lambda: pods_of(workload, cluster),
    )
    for pod in pods_of(workload, cluster)[:1]:
        yield from _services(pod, cluster)
        yield from _policies(pod, cluster)


def _replica_sets(deployment: Deployment, cluster: Cluster) -> Iterator[Ref]:
    yield from (ref(replica_set) for replica_set in replica_sets_of(deployment, cluster))


def _jobs(cron_job: CronJob, cluster: Cluster) -> Iterator[Ref]:
    yield from (ref(job) for job in cluster.owned_by(Job, ref(cron_job)))


def _selected(service: Service, cluster: Cluster) -> Iterator[Ref]:
    for pod in pods_selected_by(service, cluster):
        yield ref(pod)
        yield from owner_chain(pod, cluster)


def _autoscaled(autoscaler: HorizontalPodAutoscaler, _: Cluster) -> Iterator[Ref]:
    target = autoscaler.spec.scale_target_ref
    yield Ref(target.kind, autoscaler.namespace, target.name)


def _backends(ingress: Ingress, _: Cluster) -> Iterator[Ref]:
    backends = [ingress.spec.default_backend]
    for rule in ingress.spec.rules or ():
        backends.extend(path.backend for path in (rule.http.paths if rule.http else None) or ())
    for backend in backends:
        if backend and backend.service:
            yield Ref("Service", ingress.namespace, backend.service.name)


def _volume(claim: PersistentVolumeClaim, cluster: Cluster) -> Iterator[Ref]:
    if claim.spec.volume_name:
        yield Ref("PersistentVolume", "", claim.spec.volume_name)
    for pod in cluster.all(Pod, claim.namespace):
        if claim.name in claim_names(pod):
            yield ref(pod)


def _on_node(node: Node, cluster: Cluster) -> Iterator[Ref]:
    for pod in cluster.pods_on(node.name):
        if troubled(pod):
            yield ref(pod)


def _waiting_pods(node: Node, cluster: Cluster) -> Iterator[Ref]:
    """Pods without a node, where this one takes none, or not every one."""
    most = (node.status.allocatable or {}).get("pods", "")
    full = most.isdigit() and len(cluster.pods_on(node.name)) >= int(most)
    if node.spec.unschedulable or node.spec.taints or full:
        yield from (ref(pod) for pod in cluster.all(Pod) if unscheduled(pod))


def _readers(config: ConfigMap, cluster: Cluster) -> Iterator[Ref]:
    """The pods in trouble that read a ConfigMap."""
    for pod in cluster.all(Pod, config.namespace):
        if troubled(pod) and config.name in _configs(pod):
            yield ref(pod)


def _configs(pod: Pod) -> Iterator[str]:
    for volume in pod.spec.volumes or ():
        if volume.config_map:
            yield volume.config_map.name
        for item in (volume.projected.sources if volume.projected else None) or ():
            if item.config_map:
                yield item.config_map.name
    for container in all_containers(pod):
        for source in container.env_from or ():
            if source.config_map_ref:
                yield source.config_map_ref.name
        for variable in container.env or ():
            if variable.value_from and variable.value_from.config_map_key_ref:
                yield variable.value_from.config_map_key_ref.name


def _claimed(volume: PersistentVolume, cluster: Cluster) -> Iterator[Ref]:
    """The claim that a volume is bound to, and those that wait for one."""
    if volume.spec.claim_ref:
        yield Ref("PersistentVolumeClaim", volume.spec.claim_ref.namespace, volume.spec.claim_ref.name)
    for claim in cluster.all(PersistentVolumeClaim):
        if claim.status.phase != "Bound" and (claim.spec.storage_class_name or "") == volume.spec.storage_class_name:
            yield ref(claim)
    bound = volume.spec.claim_ref
    for pod in cluster.all(Pod, bound.namespace) if bound else ():
        if troubled(pod) and bound and bound.name in claim_names(pod):
            yield ref(pod)


def _in_namespace(namespace: Namespace, cluster: Cluster) -> Iterator[Ref]:
    kinds = (Deployment, StatefulSet, DaemonSet, Job, CronJob, Pod, Service, PersistentVolumeClaim)
    cluster.require(*kinds, namespace=namespace.name)
    for kind in kinds:
        yield from (ref(obj) for obj in cluster.all(kind, namespace.name))


def _under_quota(quota: ResourceQuota | LimitRange, cluster: Cluster) -> Iterator[Ref]:
    kinds = (Deployment, ReplicaSet, StatefulSet, DaemonSet, Job)
    cluster.require(*kinds, namespace=quota.namespace)
    for kind in kinds:
        yield from (ref(obj) for obj in cluster.all(kind, quota.namespace))


def _isolated(policy: NetworkPolicy, cluster: Cluster) -> Iterator[Ref]:
    yield from (ref(pod) for pod in cluster.all(Pod, policy.namespace) if applies_to(policy, pod))


def _beside(policy: NetworkPolicy, cluster: Cluster) -> Iterator[Ref]:
    """Policies add up: what one does not allow, another of the namespace may."""
    yield from (ref(other) for other in cluster.all(NetworkPolicy, policy.namespace))


_WORKLOAD: tuple[Step, ...] = (_owners, _pods, _with_pods, _first_pod)

_STEPS: dict[type[KubernetesObject], tuple[Step, ...]] = {
    Pod: (_owners, _node, _claims, _services, _policies, _cluster_dns),
    Deployment: (_replica_sets, *_WORKLOAD),
    ReplicaSet: _WORKLOAD,
    ReplicationController: _WORKLOAD,
    StatefulSet: _WORKLOAD,
    DaemonSet: _WORKLOAD,
    Job: _WORKLOAD,
    CronJob: (_jobs, *_WORKLOAD),
    Service: (_selected,),
    HorizontalPodAutoscaler: (_autoscaled,),
    Ingress: (_backends,),
    PersistentVolumeClaim: (_volume,),
    Node: (_on_node, _waiting_pods),
    ConfigMap: (_readers,),
    PersistentVolume: (_claimed,),
    LimitRange: (_under_quota,),
    Namespace: (_in_namespace,),
    ResourceQuota: (_under_quota,),
    NetworkPolicy: (_isolated, _beside),
}
