"""How objects belong together: owners, pods of a workload, Services that select, claims, nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from kubedoctor.cluster.grammar.selectors import Selector, SelectorError, selector_from_map, selector_of
from kubedoctor.cluster.kinds.apps import CronJob, DaemonSet, Deployment, Job, ReplicaSet, StatefulSet
from kubedoctor.cluster.kinds.core import ReplicationController
from kubedoctor.cluster.kinds.meta import KubernetesObject, LabelSelector, OwnerReference
from kubedoctor.cluster.kinds.pods import Pod, PodTemplate
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.wants import LogWant, NotCollected, Want

WORKLOADS = (Deployment, ReplicaSet, StatefulSet, DaemonSet, Job, CronJob, ReplicationController)
WORKLOAD_KINDS = frozenset(kind.__name__ for kind in WORKLOADS)
REVISION = "deployment.kubernetes.io/revision"
"""The annotation with the revision of a Deployment, and of its ReplicaSets (`pkg/controller/deployment/util`, v1.37)."""
TEMPLATE_HASH = "pod-template-hash"
"""The label that a Deployment gives the pods of a revision; the name of their ReplicaSet ends with its value."""
_SERVICE_OF_K3S, _NAMESPACE_OF_K3S = "svccontroller.k3s.cattle.io/svcname", "svccontroller.k3s.cattle.io/svcnamespace"
"""The labels by which ServiceLB of k3s names the Service for which it creates a DaemonSet."""
LONGEST_CHAIN = 10  # Owners may form a circle; no real chain is longer.


def controller_of(obj: KubernetesObject) -> Ref | None:
    """The owner that is marked as controller. A static pod's controller is its Node, which has no namespace."""
    owner = controlling_owner(obj)
    return Ref(owner.kind, "" if owner.kind == "Node" else obj.namespace, owner.name) if owner is not None else None


def controlling_owner(obj: KubernetesObject) -> OwnerReference | None:
    """The owner reference that is marked as controller."""
    return next((owner for owner in obj.metadata.owner_references or () if owner.controller), None)


def controllers(obj: KubernetesObject, read: Callable[[Ref], KubernetesObject | None]) -> Iterator[Ref]:
    """The controllers of an object, nearest first; each names the next, and the last may be missing in `read`. Owners
    that are not workloads are named but not read."""
    passed = {ref(obj)}
    current: KubernetesObject | None = obj
    while current is not None and len(passed) <= LONGEST_CHAIN:
        owner = controller_of(current)
        if owner is None or owner in passed:
            return
        passed.add(owner)
        yield owner
        current = read(owner) if owner.kind in WORKLOAD_KINDS else None


def owner_chain(obj: KubernetesObject, cluster: Cluster) -> tuple[Ref, ...]:
    """The controllers of an object, nearest first. Ends where an owner is missing or cannot be read."""
    return tuple(controllers(obj, cluster.maybe.get_ref))


def workload_of(obj: KubernetesObject, cluster: Cluster) -> Ref:
    """The workload that users know: the topmost owner that creates pods, else the object itself."""
    workloads = [owner for owner in owner_chain(obj, cluster) if owner.kind in WORKLOAD_KINDS]
    return workloads[-1] if workloads else ref(obj)


def source_of(workload: KubernetesObject) -> Ref | None:
    """The object from which a controller writes a workload, so that a change of the workload itself is overwritten: the
    custom resource that controls it, or the Service of a DaemonSet of k3s."""
    if name := workload.labels.get(_SERVICE_OF_K3S):
        return Ref("Service", workload.labels.get(_NAMESPACE_OF_K3S, workload.namespace), name)
    owner = controller_of(workload)
    return owner if owner is not None and owner.kind not in (*WORKLOAD_KINDS, "Node") else None


def later_run_succeeded(job: Job, cluster: Cluster) -> bool:
    """Whether a later run of the CronJob that a Job belongs to has succeeded."""
    owner = controller_of(job)
    started = job.status.start_time or job.metadata.creation_timestamp
    if owner is None or owner.kind != "CronJob" or started is None:
        return False
    cron_job = cluster.maybe.get(CronJob, owner.namespace, owner.name)
    succeeded = cron_job.status.last_successful_time if cron_job is not None else None
    if succeeded is not None:
        return succeeded > started
    ends = (later_run.status.completion_time for later_run in cluster.maybe.owned_by(Job, owner))
    return any(end is not None and end > started for end in ends)


def workloads_of(pods: Iterable[Pod], cluster: Cluster) -> dict[Ref, Ref]:
    """The workload of each pod. Missing objects of all pods are requested in one round."""
    workloads: dict[Ref, Ref] = {}
    wants: set[Want | LogWant] = set()
    for pod in pods:
        try:
            workloads[ref(pod)] = workload_of(pod, cluster)
        except NotCollected as missing:
            wants.update(missing.wants)
    if wants:
        raise NotCollected(*wants)
    return workloads


def template_of(workload: KubernetesObject) -> PodTemplate | None:
    """The pod template of a workload."""
    if isinstance(workload, CronJob):
        return workload.spec.job_template.spec.template
    if isinstance(workload, Deployment | ReplicaSet | StatefulSet | DaemonSet | Job | ReplicationController):
        return workload.spec.template
    return None


def template_path(workload: KubernetesObject) -> str:
    """The path of the template's pod spec, for `quote`."""
    return "spec.jobTemplate.spec.template.spec" if isinstance(workload, CronJob) else "spec.template.spec"


def selector_of_workload(workload: KubernetesObject) -> Selector | None:
    """The selector of the pods; None for kinds without a selector, and for an invalid selector."""
    if isinstance(workload, ReplicationController):
        return selector_from_map(workload.spec.selector)
    if isinstance(workload, Deployment | ReplicaSet | StatefulSet | DaemonSet | Job):
        selector: LabelSelector | None = workload.spec.selector
        try:
            return selector_of(selector) if selector is not None else None
        except SelectorError:
            return None
    return None


def pods_of(workload: KubernetesObject, cluster: Cluster) -> tuple[Pod, ...]:
    """The pods that a workload controls, directly or through its ReplicaSets or Jobs, finished ones too."""
    name = ref(workload)
    if isinstance(workload, Deployment):
        cluster.together(lambda: replica_sets_of(workload, cluster), lambda: _pods_near(workload, cluster))
        owners = [ref(rs) for rs in replica_sets_of(workload, cluster)]
    elif isinstance(workload, CronJob):
        owners = [ref(job) for job in cluster.owned_by(Job, name)]
    else:
        owners = [name]
    _pods_near(workload, cluster)
    pods = cluster.snapshot.index("Pod", "owner")
    controlled = [pod for owner in owners for pod in pods.get((owner.kind, owner.namespace, owner.name), ())]
    return tuple(sorted(controlled, key=lambda pod: pod.name))


def foreign_pods(workload: Deployment | StatefulSet | DaemonSet, cluster: Cluster) -> tuple[Pod, ...]:
    """The pods that the selector of a workload matches although the workload does not control them, finished ones too."""
    selector = selector_of_workload(workload)
    if selector is None or selector.is_empty or not cluster.labelled(Pod, workload.namespace, selector.text):
        return ()
    labels = (workload.spec.selector.match_labels if workload.spec.selector else None) or {}
    alike = [cluster.snapshot.labelled("Pod", workload.namespace, key).get(value, ()) for key, value in labels.items()]
    near = min(alike, key=len) if alike else cluster.all(Pod, workload.namespace)
    strange = [pod for pod in near if not _is_named_after(workload, pod) and selector.matches(pod.labels)]
    owners = workloads_of(strange, cluster)
    return tuple(pod for pod in strange if not _may_be_of(owners[ref(pod)], workload, cluster))


def _may_be_of(owner: Ref, workload: KubernetesObject, cluster: Cluster) -> bool:
    """It is the workload, or a ReplicaSet of it by its name, that cannot be read."""
    unread = owner.kind == "ReplicaSet" and owner.name.rpartition("-")[0] == workload.name
    return owner == ref(workload) or (unread and cluster.maybe.get_ref(owner) is None)


def _is_named_after(workload: KubernetesObject, pod: Pod) -> bool:
    """The names of its owners say that the workload controls it, so that nothing needs to be read."""
    owner = controller_of(pod)
    if owner is None:
        return False
    made = f"{workload.name}-{pod.labels.get(TEMPLATE_HASH, '')}" if isinstance(workload, Deployment) else workload.name
    return owner.name == made and owner.kind == (
        "ReplicaSet" if isinstance(workload, Deployment) else ref(workload).kind
    )


def _pods_near(workload: KubernetesObject, cluster: Cluster) -> None:
    """Make sure that the pods that the workload may control are in the snapshot."""
    selector = selector_of_workload(workload)
    if selector is not None and not selector.is_empty:
        cluster.labelled(Pod, workload.namespace, selector.text)
    else:
        cluster.all(Pod, workload.namespace)


def replica_sets_of(deployment: Deployment, cluster: Cluster) -> tuple[ReplicaSet, ...]:
    """A Deployment's ReplicaSets, newest revision first."""
    selector = selector_of_workload(deployment)
    if selector is not None and not selector.is_empty:
        cluster.labelled(ReplicaSet, deployment.namespace, selector.text)
        sets = cluster.snapshot.index("ReplicaSet", "owner").get(
            ("Deployment", deployment.namespace, deployment.name), ()
        )
    else:
        sets = cluster.owned_by(ReplicaSet, ref(deployment))
    return tuple(sorted(sets, key=lambda item: (revision_of(item) or 0, item.name), reverse=True))


def revision_of(obj: ReplicaSet | Deployment) -> int | None:
    """The number of its revision; None where it has none."""
    text = obj.annotations.get(REVISION, "")
    return int(text) if text.isdecimal() else None
