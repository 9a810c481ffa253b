"""The cluster as it would be soon after the files were applied: controllers have created pods, admission and the scheduler have
answered, the kubelet has started what it can. Programs are taken to start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from kubedoctor.cluster.kinds.apps import CronJob, DaemonSet, Deployment, Job, ReplicaSet, StatefulSet
from kubedoctor.cluster.kinds.core import Event, Node, ReplicationController, Service
from kubedoctor.cluster.kinds.meta import (
    Condition,
    KubernetesObject,
    ObjectMeta,
    ObjectReference,
    OwnerReference,
    condition,
)
from kubedoctor.cluster.kinds.pods import Pod, PodSpec, PodTemplate
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.storage import PersistentVolumeClaim
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS, pods_of, replica_sets_of, template_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.triage import finished, ready, terminating, unscheduled
from kubedoctor.engine.checking.endpoints import endpoints_of
from kubedoctor.engine.checking.running import MOST_SCHEDULED, settled, waits_twice
from kubedoctor.engine.checking.sameness import leaves_as_is
from kubedoctor.replay.admission.creation import admit_claim, admit_pod, admit_service
from kubedoctor.replay.workloads.daemon_sets import is_for

AGE: Final = timedelta(minutes=10)
"""Of what the files create: long enough that nothing is only on its way."""
MOST_PODS: Final = 20
"""Of one workload; more tell nothing new."""
_COUNTED: Final = (Deployment, StatefulSet, ReplicaSet, ReplicationController)
_UID: Final = "of-the-files"


class Overlaid(msgspec.Struct, frozen=True):
    """snapshot: as it would be. made: objects that exist neither in the files nor in the cluster, each with the object of the
    files that it comes from. kept: pods, and what owns them, that stay because their template does. refused: what admission says of objects of the files themselves. restarts: how many pods of
    each workload that runs would be replaced. gaps: what was not replayed."""

    snapshot: Snapshot
    made: dict[Ref, Ref]
    kept: frozenset[Ref]
    refused: dict[Ref, str]
    restarts: dict[Ref, int]
    gaps: tuple[str, ...] = ()


def overlay(
    snapshot: Snapshot, objects: Sequence[KubernetesObject], *, offline: bool, denied: Mapping[Ref, str]
) -> Overlaid:
    """objects: those of the files that the API server would accept. denied: by workload, why policies refuse its pods."""
    return _Overlay(snapshot, offline=offline, denied=denied).put(objects)


class _Overlay:
    def __init__(self, snapshot: Snapshot, *, offline: bool, denied: Mapping[Ref, str]) -> None:
        self._denied = denied
        self._before = Cluster(snapshot).maybe
        self._after = snapshot
        self._offline = offline
        self._made: dict[Ref, Ref] = {}
        self._refused: dict[Ref, str] = {}
        self._restarts: dict[Ref, int] = {}
        self._new: set[Ref] = set()
        self._kept: set[Ref] = set()
        self._scheduled = 0
        self._gaps: list[str] = []

    @property
    def _now(self) -> Cluster:
        return self._before.over(self._after)

    def put(self, objects: Sequence[KubernetesObject]) -> Overlaid:
        """Everything that is no workload first: workloads refer to it."""
        others = [obj for obj in objects if not _makes_pods(obj)]
        self._add(map(self._as_applied, others))
        for obj in others:
            self._admit(obj)
        for obj in objects:
            if _makes_pods(obj):
                self._workload(obj)
        if self._scheduled > MOST_SCHEDULED and not self._offline:
            self._gaps.append(
                f"only {MOST_SCHEDULED} of {self._scheduled} new pods were given to the scheduler's replay"
            )
        self._add(self._elsewhere())
        self._link(objects)
        return Overlaid(
            self._after, self._made, frozenset(self._kept), self._refused, self._restarts, tuple(self._gaps)
        )

    def _elsewhere(self) -> list[KubernetesObject]:
        """For each workload that lacks several things, of which one hides the others, pods that lack one each: those that fit
        no node as if they had one, those that wait for configuration as if they waited for volumes. All must be mended."""
        ready = [node for node in self._before.all(Node) if _is_ready(node)]
        twins: dict[tuple[Ref, str], Pod] = {}
        for pod in self._after.of_kind("Pod"):
            if not isinstance(pod, Pod) or ref(pod) not in self._new or pod.status.pod_ip:
                continue
            source = self._made.get(ref(pod), ref(pod))
            if unscheduled(pod) and ready:
                placed = replace(pod, spec=_without_requests(pod.spec, ready[0].name))
                twin = settled(placed, self._now, offline=self._offline, replay=False)
                if not twin.status.pod_ip:
                    twins.setdefault((source, "placed"), twin)
                    pod = placed
            if pod.spec.node_name and (held := waits_twice(pod, self._now, offline=self._offline)) is not None:
                twins.setdefault((source, "held"), held)
        for (source, what), twin in twins.items():
            named = replace(twin, metadata=replace(twin.metadata, name=f"{twin.name}-{what}"))
            twins[source, what] = named
            self._made[ref(named)] = source
        return list(twins.values())

    def _add(self, objects: Iterable[KubernetesObject], without: Iterable[Ref] = ()) -> None:
        self._after = self._after.with_changes(objects, without)

    def _as_applied(self, obj: KubernetesObject) -> KubernetesObject:
        """With the identity and status of the object that is there already."""
        present = self._before.snapshot.get(ref(obj))
        if present is None:
            created = self._after.taken_at - AGE
            return replace(obj, metadata=replace(obj.metadata, creation_timestamp=created, uid=f"{_UID}-{obj.name}"))
        metadata = replace(
            obj.metadata, creation_timestamp=present.metadata.creation_timestamp, uid=present.metadata.uid
        )
        changed = replace(obj, metadata=metadata)
        return replace(changed, status=present.status) if hasattr(present, "status") else changed

    # Admission

    def _admit(self, obj: KubernetesObject) -> None:
        """Objects of the files that quotas and limits are asked about."""
        if self._offline or self._before.snapshot.get(ref(obj)) is not None:
            return
        if isinstance(obj, PersistentVolumeClaim):
            answer = admit_claim(obj, self._now)
        elif isinstance(obj, Service):
            answer = admit_service(obj, self._now)
        else:
            return
        if answer.refusal:
            self._refused[ref(obj)] = answer.refusal
            self._add((), (ref(obj),))
        else:
            self._add(answer.quotas)

    # Workloads

    def _workload(self, obj: KubernetesObject) -> None:
        present = self._before.snapshot.get(ref(obj))
        if isinstance(obj, Pod):
            if present is None:
                self._pod(self._as_applied(obj), ref(obj))
            return
        applied = self._as_applied(obj)
        if present is not None:
            applied = _with_number_of(present, applied)
            pods = [pod for pod in pods_of(present, self._before) if not (finished(pod) or terminating(pod))]
            if leaves_as_is(template_of(obj), template_of(present)):
                self._scale(applied, pods)
                return
            if not isinstance(obj, CronJob | Job):
                self._restarts[ref(obj)] = sum(1 for pod in pods if pod.spec.node_name)
            owners = (
                [ref(item) for item in replica_sets_of(present, self._before)]
                if isinstance(present, Deployment)
                else []
            )
            self._add((), (*map(ref, pods), *owners))
        self._expand(applied)

    def _scale(self, workload: KubernetesObject, pods: list[Pod]) -> None:
        """The template stays: pods that run stay, but for those that are too many."""
        wanted = _number(workload)
        self._kept.update(map(ref, pods))
        if isinstance(workload, Deployment):
            self._kept.update(map(ref, replica_sets_of(workload, self._before)))
        if not isinstance(workload, _COUNTED) or wanted == len(pods):
            self._add((workload,))
            return
        if wanted < len(pods):
            pods.sort(key=lambda pod: (bool(pod.spec.node_name), ready(pod)))
            self._add((workload,), map(ref, pods[: len(pods) - wanted]))
            return
        owner: KubernetesObject = workload
        if isinstance(workload, Deployment):
            owner = next(iter(replica_sets_of(workload, self._before)), workload)
        if isinstance(owner, ReplicaSet):
            owner = replace(owner, spec=replace(owner.spec, replicas=wanted))
        self._expand(workload, owner, len(pods))

    def _expand(self, workload: KubernetesObject, owner: KubernetesObject | None = None, present: int = 0) -> None:
        """The pods that its controller creates. owner: of pods that exist already, `present` of them."""
        template, name = template_of(workload), ref(workload)
        if template is None:
            return
        wanted = self._wanted(workload)
        owner = owner or self._owner(workload, wanted)
        refusal = ""
        created = present
        for number in range(present, min(wanted, present + MOST_PODS)):
            pod = _new_pod(owner, template, number)
            refusal = self._pod(self._as_applied(pod), name)
            if refusal:
                break
            created += 1
        self._add(_with_status(workload, owner, wanted, created, refusal, self._after))

    def _owner(self, workload: KubernetesObject, wanted: int) -> KubernetesObject:
        """What owns the pods: the ReplicaSet of a Deployment, the Job of a CronJob."""
        made: KubernetesObject | None = None
        metadata = _owned(workload, f"{workload.name}-new", workload.labels, self._after)
        if isinstance(workload, Deployment):
            labels = {**workload.labels, **(workload.spec.template.metadata.labels or {})}
            spec = workload.spec
            of_pods = ReplicaSet().spec
            of_pods = replace(of_pods, replicas=wanted, selector=spec.selector, template=spec.template)
            made = ReplicaSet(metadata=replace(metadata, labels=labels), spec=of_pods)
        elif isinstance(workload, CronJob):
            made = Job(metadata=metadata, spec=workload.spec.job_template.spec)
        if made is None:
            return workload
        self._made[ref(made)] = ref(workload)
        return made

    def _wanted(self, workload: KubernetesObject) -> int:
        if isinstance(workload, DaemonSet):
            nodes = [node for node in self._before.all(Node) if is_for(workload, node)] if not self._offline else [0]
            return len(nodes)
        if isinstance(workload, Job | CronJob):
            spec = workload.spec if isinstance(workload, Job) else workload.spec.job_template.spec
            return 0 if spec.suspend else min(1, spec.parallelism if spec.parallelism is not None else 1)
        return _number(workload)

    def _pod(self, pod: KubernetesObject, source: Ref) -> str:
        """One pod: admitted, placed, started; else why it is refused."""
        assert isinstance(pod, Pod)
        if source in self._denied:
            return self._denied[source]
        if not self._offline:
            answer = admit_pod(pod, self._now)
            if answer.refusal:
                if source == ref(pod):
                    self._refused[source] = answer.refusal
                return answer.refusal
            pod = replace(pod, spec=answer.spec or pod.spec)
            self._add(answer.quotas)
        if source != ref(pod):
            self._made[ref(pod)] = source
        self._scheduled += 1
        self._new.add(ref(pod))
        self._add((settled(pod, self._now, offline=self._offline, replay=self._scheduled <= MOST_SCHEDULED),))
        return ""

    # Services

    def _link(self, objects: Sequence[KubernetesObject]) -> None:
        """The endpoints of the Services whose pods may have changed."""
        spaces = {obj.metadata.namespace for obj in objects}
        for space in sorted(spaces):
            for service in self._after.of_kind("Service", space):
                if not isinstance(service, Service) or not service.spec.selector:
                    continue
                slices, gone = endpoints_of(service, self._after)
                for item in slices:
                    if self._after.get(ref(item)) is None:
                        self._made[ref(item)] = ref(service)
                self._add(slices, gone)


def _without_requests(spec: PodSpec, node: str) -> PodSpec:
    """On a node, of which it takes nothing."""
    containers = tuple(replace(container, resources=None) for container in spec.containers)
    return replace(spec, node_name=node, containers=containers, init_containers=None)


def _is_ready(node: Node) -> bool:
    """It takes pods."""
    stated = condition(node.status.conditions, "Ready")
    return stated is not None and stated.status == "True" and not node.spec.unschedulable


def _makes_pods(obj: KubernetesObject) -> bool:
    return (
        isinstance(obj, Pod)
        or (ref(obj).kind in WORKLOAD_KINDS and template_of(obj) is not None)
        or isinstance(obj, CronJob)
    )


def _with_number_of(present: KubernetesObject, applied: KubernetesObject) -> KubernetesObject:
    """A file without a number of replicas leaves it to whoever set it, such as an autoscaler."""
    if isinstance(applied, _COUNTED) and isinstance(present, _COUNTED) and applied.spec.replicas is None:
        changed: KubernetesObject = replace(applied, spec=replace(applied.spec, replicas=present.spec.replicas))
        return changed
    return applied


def _number(workload: KubernetesObject) -> int:
    if isinstance(workload, _COUNTED):
        return workload.spec.desired_replicas
    return 1


def _owned(owner: KubernetesObject, name: str, labels: dict[str, str], snapshot: Snapshot) -> ObjectMeta:
    kind = ref(owner).kind
    reference = OwnerReference(kind=kind, name=owner.name, uid=owner.metadata.uid, controller=True)
    return ObjectMeta(
        name=name,
        namespace=owner.namespace,
        uid=f"{_UID}-{name}",
        labels=labels or None,
        owner_references=(reference,),
        creation_timestamp=snapshot.taken_at - AGE,
    )


def _new_pod(owner: KubernetesObject, template: PodTemplate, number: int) -> Pod:
    name = f"{owner.name}-{number}"
    reference = OwnerReference(kind=ref(owner).kind, name=owner.name, uid=owner.metadata.uid, controller=True)
    metadata = ObjectMeta(
        name=name,
        namespace=owner.namespace,
        labels=template.metadata.labels,
        annotations=template.metadata.annotations,
        owner_references=(reference,),
    )
    return Pod(metadata=metadata, spec=template.spec)


def _with_status(
    workload: KubernetesObject, owner: KubernetesObject, wanted: int, created: int, refusal: str, snapshot: Snapshot
) -> list[KubernetesObject]:
    """What the controllers write of it: how many pods there are, and why one was refused."""
    count = created if refusal else wanted
    changed: list[KubernetesObject] = []
    if isinstance(owner, ReplicaSet):
        conditions = None
        if refusal:
            failure = Condition(type="ReplicaFailure", status="True", reason="FailedCreate", message=refusal)
            conditions = (failure,)
        changed.append(
            replace(owner, status=replace(owner.status, replicas=count, ready_replicas=count, conditions=conditions))
        )
    elif refusal:
        changed.append(_refused_event(owner, refusal, snapshot))
    if owner is not workload and isinstance(owner, Job):
        changed.append(replace(owner, status=replace(owner.status, active=count)))
    elif isinstance(workload, Job):
        changed.append(replace(workload, status=replace(workload.status, active=count)))
    if isinstance(workload, Deployment):
        status = replace(
            workload.status, replicas=count, ready_replicas=count, updated_replicas=count, available_replicas=count
        )
        changed.append(replace(workload, status=status))
    elif isinstance(workload, StatefulSet):
        changed.append(replace(workload, status=replace(workload.status, replicas=count, ready_replicas=count)))
    elif isinstance(workload, DaemonSet):
        status_ = replace(
            workload.status,
            desired_number_scheduled=wanted,
            current_number_scheduled=count,
            number_ready=count,
            number_available=count,
        )
        changed.append(replace(workload, status=status_))
    elif not isinstance(workload, Job):
        changed.append(workload)
    return changed


def _refused_event(owner: KubernetesObject, refusal: str, snapshot: Snapshot) -> Event:
    name = ref(owner)
    at = snapshot.taken_at
    return Event(
        metadata=ObjectMeta(name=f"{name.name}.refused", namespace=name.namespace, creation_timestamp=at),
        involved_object=ObjectReference(
            kind=name.kind, namespace=name.namespace, name=name.name, uid=owner.metadata.uid
        ),
        reason="FailedCreate",
        message=f"Error creating: {refusal}",
        type="Warning",
        count=1,
        first_timestamp=at,
        last_timestamp=at,
    )
