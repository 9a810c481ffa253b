"""The objects examined together with an object of Kubernetes' own kinds: those it depends on, and those that depend on
it."""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster.grammar.selectors import selector_of
from kubedoctor.cluster.kinds.apps import CronJob, DaemonSet, Deployment, Job, ReplicaSet, StatefulSet
from kubedoctor.cluster.kinds.autoscaling import HorizontalPodAutoscaler
from kubedoctor.cluster.kinds.control import MutatingWebhookConfiguration, ValidatingWebhookConfiguration
from kubedoctor.cluster.kinds.core import (
    ConfigMap,
    LimitRange,
    Namespace,
    Node,
    ResourceQuota,
    Service,
)
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.networking import Ingress, NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.policy import PodDisruptionBudget
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim
from kubedoctor.cluster.relations.autoscalers import autoscalers_of, target_of
from kubedoctor.cluster.relations.claims import claim_names
from kubedoctor.cluster.relations.policies import applies_to
from kubedoctor.cluster.relations.related import Related, related
from kubedoctor.cluster.relations.services import pods_selected_by, services_selecting
from kubedoctor.cluster.relations.workloads import WORKLOADS, owner_chain, pods_of, replica_sets_of, template_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import all_containers, has_run, not_ready, troubled, unscheduled

NODE_STATE = "node.kubernetes.io/"  # The prefix of the taints that follow from a node's conditions, and one more taint:
CORDON = "node.kubernetes.io/unschedulable"


@related(Pod, *WORKLOADS)
def owners(obj: KubernetesObject, cluster: Cluster) -> Iterator[Ref]:
    yield from owner_chain(obj, cluster)


@related(Pod, workloads_too=True)
def node_of_pod(pod: Pod, cluster: Cluster) -> Iterator[Ref]:
    """The node that it runs on; for a pod without a node, the nodes that reject it because of their own state."""
    if pod.spec.node_name and not_ready(pod):
        yield Ref("Node", "", pod.spec.node_name)
    elif unscheduled(pod):
        for node in cluster.maybe.all(Node):
            if any(taint.key.startswith(NODE_STATE) and taint.key != CORDON for taint in node.spec.taints or ()):
                yield ref(node)


@related(ValidatingWebhookConfiguration, MutatingWebhookConfiguration)
def servers_of_webhooks(
    configuration: ValidatingWebhookConfiguration | MutatingWebhookConfiguration, _: Cluster
) -> Iterator[Ref]:
    for webhook in configuration.webhooks or ():
        if (service := webhook.client_config.service) is not None and service.name:
            yield Ref("Service", service.namespace, service.name)


@related(Pod, workloads_too=True)
def claims_of_pod(pod: Pod, _: Cluster) -> Iterator[Ref]:
    if not_ready(pod):
        yield from (Ref("PersistentVolumeClaim", pod.namespace, name) for name in claim_names(pod))


@related(Pod)
def services_of_pod(pod: Pod, cluster: Cluster) -> Iterator[Ref]:
    yield from (ref(service) for service in services_selecting(pod, cluster))


@related(Pod, workloads_too=True)
def cluster_dns(pod: Pod, _: Cluster) -> Iterator[Ref]:
    """A pod may be in trouble because no name resolves for its programs."""
    if troubled(pod) and has_run(pod) and pod.spec.dns_policy in ("", "ClusterFirst", "ClusterFirstWithHostNet"):
        yield Ref("Service", "kube-system", "kube-dns")


@related(Pod)
def policies_of_pod(pod: Pod, cluster: Cluster) -> Iterator[Ref]:
    for policy in cluster.all(NetworkPolicy, pod.namespace):
        if applies_to(policy, pod):
            yield ref(policy)


@related(*WORKLOADS)
def pods_of_workload(workload: KubernetesObject, cluster: Cluster) -> Iterator[Ref]:
    yield from (ref(pod) for pod in pods_of(workload, cluster))


@related(*WORKLOADS)
def what_selects_pods(workload: KubernetesObject, cluster: Cluster) -> Iterator[Ref]:
    """Services and policies that select the pods; one pod is enough, because the pods of a workload have the same
    labels."""
    cluster.together(
        lambda: cluster.all(Service, workload.namespace),
        lambda: cluster.all(NetworkPolicy, workload.namespace),
        lambda: pods_of(workload, cluster),
    )
    for pod in pods_of(workload, cluster)[:1]:
        yield from services_of_pod(pod, cluster)
        yield from policies_of_pod(pod, cluster)


@related(Deployment, StatefulSet, asked_only=True)
def what_scales_and_guards(workload: KubernetesObject, cluster: Cluster) -> Iterator[Ref]:
    """Its autoscalers, and the disruption budgets of its pods."""
    cluster.together(
        lambda: autoscalers_of(ref(workload), cluster),
        lambda: cluster.maybe.all(PodDisruptionBudget, workload.namespace),
    )
    yield from map(ref, autoscalers_of(ref(workload), cluster))
    template = template_of(workload)
    labels = (template.metadata.labels if template is not None else None) or {}
    for budget in cluster.maybe.all(PodDisruptionBudget, workload.namespace):
        if budget.spec.selector is not None and selector_of(budget.spec.selector).matches(labels):
            yield ref(budget)


@related(Deployment)
def replica_sets(deployment: Deployment, cluster: Cluster) -> Iterator[Ref]:
    yield from (ref(replica_set) for replica_set in replica_sets_of(deployment, cluster))


@related(CronJob)
def jobs(cron_job: CronJob, cluster: Cluster) -> Iterator[Ref]:
    yield from (ref(job) for job in cluster.owned_by(Job, ref(cron_job)))


@related(Service)
def selected_pods(service: Service, cluster: Cluster) -> Iterator[Ref]:
    pods = pods_selected_by(service, cluster)
    yield from map(ref, pods)
    for pod in pods:
        yield from owner_chain(pod, cluster)


@related(HorizontalPodAutoscaler)
def scale_target(autoscaler: HorizontalPodAutoscaler, _: Cluster) -> Iterator[Ref]:
    yield target_of(autoscaler)


@related(Ingress)
def backends(ingress: Ingress, _: Cluster) -> Iterator[Ref]:
    targets = [ingress.spec.default_backend]
    for rule in ingress.spec.rules or ():
        targets.extend(path.backend for path in (rule.http.paths if rule.http else None) or ())
    for backend in targets:
        if backend and backend.service:
            yield Ref("Service", ingress.namespace, backend.service.name)


@related(PersistentVolumeClaim)
def volume_and_users(claim: PersistentVolumeClaim, cluster: Cluster) -> Iterator[Ref]:
    if claim.spec.volume_name:
        yield Ref("PersistentVolume", "", claim.spec.volume_name)
    for pod in cluster.all(Pod, claim.namespace):
        if claim.name in claim_names(pod):
            yield ref(pod)


@related(PersistentVolumeClaim, asked_only=True)
def snapshots_of_claim(claim: PersistentVolumeClaim, cluster: Cluster) -> Iterator[Ref]:
    """Those that are taken of it and are not ready, and the one that it is restored from."""
    restored = claim.spec.data_source or claim.spec.data_source_ref or {}
    origin = restored.get("name") if restored.get("kind") == "VolumeSnapshot" and not claim.spec.volume_name else None
    for snapshot in cluster.maybe.custom("VolumeSnapshot", "snapshot.storage.k8s.io", claim.namespace):
        source, status = (snapshot.spec or {}).get("source"), snapshot.status or {}
        taken = isinstance(source, dict) and source.get("persistentVolumeClaimName") == claim.name
        if (taken or snapshot.name == origin) and status.get("readyToUse") is not True:
            yield ref(snapshot)


@related(Node)
def pods_in_trouble(node: Node, cluster: Cluster) -> Iterator[Ref]:
    for pod in cluster.pods_on(node.name):
        if troubled(pod):
            yield ref(pod)


@related(Node)
def waiting_pods(node: Node, cluster: Cluster) -> Iterator[Ref]:
    """Pods without a node, where this node rejects all pods or some."""
    maximum = (node.status.allocatable or {}).get("pods", "")
    rejects = node.spec.unschedulable or node.spec.taints
    if rejects or (maximum.isdigit() and len(cluster.pods_on(node.name)) >= int(maximum)):
        yield from (ref(pod) for pod in cluster.all(Pod) if unscheduled(pod))


@related(Node, asked_only=True)
def lease_of_node(node: Node, _: Cluster) -> Iterator[Ref]:
    """It tells the clock of the node."""
    yield Ref("Lease", "kube-node-lease", node.name)


@related(ConfigMap)
def readers(config: ConfigMap, cluster: Cluster) -> Iterator[Ref]:
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


@related(PersistentVolume)
def claims_of_volume(volume: PersistentVolume, cluster: Cluster) -> Iterator[Ref]:
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


@related(Namespace)
def objects_in_namespace(namespace: Namespace, cluster: Cluster) -> Iterator[Ref]:
    kinds = (Deployment, StatefulSet, DaemonSet, Job, CronJob, Pod, Service, PersistentVolumeClaim)
    cluster.require(*kinds, namespace=namespace.name)
    for kind in kinds:
        yield from (ref(obj) for obj in cluster.all(kind, namespace.name))


@related(ResourceQuota, LimitRange)
def workloads_under_quota(quota: ResourceQuota | LimitRange, cluster: Cluster) -> Iterator[Ref]:
    kinds = (Deployment, ReplicaSet, StatefulSet, DaemonSet, Job)
    cluster.require(*kinds, namespace=quota.namespace)
    for kind in kinds:
        yield from (ref(obj) for obj in cluster.all(kind, quota.namespace))


@related(NetworkPolicy)
def isolated_pods(policy: NetworkPolicy, cluster: Cluster) -> Iterator[Ref]:
    yield from (ref(pod) for pod in cluster.all(Pod, policy.namespace) if applies_to(policy, pod))


@related(NetworkPolicy)
def other_policies(policy: NetworkPolicy, cluster: Cluster) -> Iterator[Ref]:
    """Policies are additive: another policy of the namespace may allow what this one does not."""
    yield from (ref(policy_nearby) for policy_nearby in cluster.all(NetworkPolicy, policy.namespace))


NEIGHBOURS: tuple[Related, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Related))
"""In the order of this file."""
