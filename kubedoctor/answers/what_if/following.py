"""What the controllers make of a change, as far as that can be known before it is made.

- Pods that a workload has too many are ended, those that do not run first; missing ones are created from its template
  (`pkg/controller/controller_utils.go`, ActivePods, v1.37), where the quota admits them.
- A template that a Deployment had before has its ReplicaSet still, whose pods run on (`pkg/controller/deployment/util`,
  FindNewReplicaSet, v1.37).
- Pending pods of a changed template get what changed in it. A pod that has a controller and is deleted is created again.
- The scheduler places the pods that a node takes, one after the other.
- Endpoints follow the Service's selector and the pods.

Whether a program starts is not replayed: pods that run stay as they are, and are named among those that restart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

import msgspec
from msgspec.structs import replace

from kubedoctor.answers.timeline.differences import differences
from kubedoctor.answers.what_if.placing import MOST_PLACED, Placing, place_pending
from kubedoctor.answers.what_if.unreplayed import refuse_unreplayed
from kubedoctor.answers.what_if.words import Intended, UnreadChange
from kubedoctor.cluster.changes import apply_to_snapshot, as_data, deleted
from kubedoctor.cluster.grammar.quantities import Quantity
from kubedoctor.cluster.grammar.selectors import selector_from_map
from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.apps import DaemonSet, Deployment, ReplicaSet, StatefulSet
from kubedoctor.cluster.kinds.core import ReplicationController, ResourceQuota, Service
from kubedoctor.cluster.kinds.meta import KubernetesObject, ObjectMeta, ObjectReference, OwnerReference
from kubedoctor.cluster.kinds.networking import Endpoint, EndpointConditions, EndpointSlice
from kubedoctor.cluster.kinds.pods import Pod, PodSpec, PodStatus, PodTemplate
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.workloads import (
    WORKLOAD_KINDS,
    controller_of,
    pods_of,
    replica_sets_of,
    template_of,
    workload_of,
)
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.triage import finished, placed, ready, terminating
from kubedoctor.replay.admission.resources.quotas import pod_usage, would_exceed

_SERVICE_OF: Final = "kubernetes.io/service-name"
_ROLLED: Final = (Deployment, StatefulSet, DaemonSet)
_COUNTED: Final = (Deployment, StatefulSet, ReplicaSet, ReplicationController)
T = TypeVar("T", bound=msgspec.Struct)


class Following(msgspec.Struct, frozen=True):
    """snapshot: what would be seen soon after the change. restarts: how many pods of each workload are replaced. placed:
    pods and the node that takes each. created: how many pods each workload gets more. refused: why pods are not created,
    in sentences. unplaced: pods that get another specification and still fit no node, with the scheduler's words. moved:
    workloads whose pods change; held: those of them of which no pod was placed. again: pods that ran and are created again. gaps: what was not replayed."""

    snapshot: Snapshot
    restarts: tuple[tuple[Ref, int], ...] = ()
    placed: tuple[tuple[Ref, str], ...] = ()
    created: tuple[tuple[Ref, int], ...] = ()
    refused: tuple[str, ...] = ()
    unplaced: tuple[str, ...] = ()
    moved: frozenset[Ref] = frozenset()
    held: frozenset[Ref] = frozenset()
    again: frozenset[Ref] = frozenset()
    gaps: tuple[str, ...] = ()


def followed(intended: Intended, cluster: Cluster, heed: Callable[[], None] = lambda: None) -> Following:
    """The change, and what follows. Raises UnreadChange where the API server would refuse it, or where too much follows that
    is not replayed, and as reads do."""
    return _Follower(intended, cluster).follow(heed)


class _Follower:
    def __init__(self, intended: Intended, cluster: Cluster) -> None:
        self._change = intended.change
        self._recreated = intended.recreated
        self._before = cluster
        try:
            self._after = apply_to_snapshot(cluster.snapshot, intended.change)
        except (msgspec.ValidationError, KeyError, IndexError, TypeError, AttributeError) as error:
            raise UnreadChange(f"the API server would refuse it: {error}") from None
        refuse_unreplayed(intended.change, cluster, self._after)
        self._restarts: dict[Ref, int] = {}
        self._created: dict[Ref, int] = {}
        self._refused: list[str] = []
        self._moved: set[Ref] = set()
        self._new: set[Ref] = set()
        self._again: set[Ref] = set()

    @property
    def _now(self) -> Cluster:
        return self._before.over(self._after)

    def follow(self, heed: Callable[[], None]) -> Following:
        gone = deleted(self._change.operations)
        for name in self._change.objects:
            if name in self._recreated:
                self._recreate(name)
            if name.kind not in WORKLOAD_KINDS:
                continue
            before = self._before.get_ref(name)
            after = self._after.get(name)
            if before is not None and after is None:
                if self._change.orphans:
                    continue
                self._end(pods_of(before, self._before))
                self._moved.add(name)
            elif before is not None and after is not None:
                self._roll(before, after)
                self._count(before, after)
        for name in sorted(gone):
            self._create_again(name)
        placing = self._place(heed)
        self._link()
        return Following(
            self._after,
            tuple(self._restarts.items()),
            tuple(placing.placed.items()),
            tuple(self._created.items()),
            (*self._refused, *placing.refused),
            placing.unplaced,
            frozenset(self._moved),
            placing.held,
            frozenset(self._again),
            placing.gaps,
        )

    def _put(self, *objects: KubernetesObject, without: Iterable[Ref] = ()) -> None:
        self._after = self._after.with_changes(objects, without)

    # Pods

    def _recreate(self, name: Ref) -> None:
        """Deleted and created again, changed: without a node and a status."""
        obj = self._after.get(name)
        if isinstance(obj, Pod):
            if placed(obj):
                self._again.add(name)
            self._put(self._fresh(obj, obj.spec))
            self._moved.add(name)
        elif obj is not None and hasattr(obj, "status"):
            blank: Any = type(obj)()
            self._put(replace(obj, status=blank.status))

    def _fresh(self, pod: Pod, spec: PodSpec) -> Pod:
        metadata = replace(
            pod.metadata,
            creation_timestamp=self._before.taken_at,
            uid=f"{pod.metadata.uid}-again",
            deletion_timestamp=None,
        )
        return Pod(metadata=metadata, spec=replace(spec, node_name=""), status=PodStatus(phase="Pending"))

    def _roll(self, before: KubernetesObject, after: KubernetesObject) -> None:
        """A new template: pods that run are replaced, pending ones have the changed fields at once."""
        old, new = template_of(before), template_of(after)
        if old is None or new is None or old == new or not isinstance(after, _ROLLED):
            return
        name = ref(before)
        self._moved.add(name)
        pods = [pod for pod in pods_of(before, self._before) if not (finished(pod) or terminating(pod))]
        if isinstance(after, Deployment):
            pods = self._without_kept(after, new, pods)
        running = sum(map(placed, pods))
        if running:
            self._restarts[name] = running
        for pod in pods:
            if not placed(pod):
                self._put(_rebased(pod, old, new))

    def _without_kept(self, after: Deployment, new: PodTemplate, pods: list[Pod]) -> list[Pod]:
        """The pods that are replaced: an earlier template has its ReplicaSet still, whose pods run on; those of others beyond
        the number that is wanted end, and nothing is created for them."""
        sets = replica_sets_of(after, self._before)
        earlier = next((item for item in sets if not differences(item.spec.template, new)), None)
        kept = [pod for pod in pods if earlier is not None and controller_of(pod) == ref(earlier)]
        if not kept:
            return pods
        others = [pod for pod in pods if pod not in kept]
        others.sort(key=placed, reverse=True)
        missing = max(0, after.spec.desired_replicas - len(kept))
        self._end(others[missing:])
        return others[:missing]

    def _count(self, before: KubernetesObject, after: KubernetesObject) -> None:
        """Another number of replicas."""
        if not isinstance(before, _COUNTED) or not isinstance(after, _COUNTED):
            return
        wanted = after.spec.desired_replicas
        if wanted == before.spec.desired_replicas:
            return
        name = ref(after)
        self._moved.add(name)
        self._pass_on(after, wanted)
        pods = [pod for pod in pods_of(before, self._now) if not (finished(pod) or terminating(pod))]
        if len(pods) > wanted:
            pods.sort(key=lambda pod: (placed(pod), ready(pod), pod.metadata.creation_timestamp is None))
            self._end(pods[: len(pods) - wanted])
        elif len(pods) < wanted:
            self._create(after, wanted - len(pods))

    def _pass_on(self, workload: KubernetesObject, wanted: int) -> None:
        """A Deployment gives the number to its newest ReplicaSet."""
        if isinstance(workload, Deployment):
            newest = next(iter(replica_sets_of(workload, self._now)), None)
            if newest is not None and not wanted:
                for item in replica_sets_of(workload, self._now):
                    self._put(replace(item, spec=replace(item.spec, replicas=0)))
            elif newest is not None:
                self._put(replace(newest, spec=replace(newest.spec, replicas=wanted)))

    def _create(self, workload: KubernetesObject, number: int) -> None:
        template, name = template_of(workload), ref(workload)
        assert template is not None  # it has replicas
        admitted = self._admitted(template, name.namespace, number)
        if admitted < number:
            quota = self._full_quota(template, name.namespace)
            self._refused.append(
                f"{counted(number - admitted, 'pod')} of {name.title} would not be created: {quota} has no room"
            )
        owner: KubernetesObject = workload
        if isinstance(workload, Deployment):
            owner = next(iter(replica_sets_of(workload, self._now)), workload)
        self._created[name] = admitted
        made = [_new_pod(owner, template, self._before, place) for place in range(1, min(admitted, MOST_PLACED) + 1)]
        self._new.update(map(ref, made))
        self._put(*made)

    def _admitted(self, template: PodTemplate, namespace: str, number: int) -> int:
        """How many pods all quotas admit."""
        for count in range(number, 0, -1):
            if not self._over(template, namespace, count):
                return count
        return 0

    def _full_quota(self, template: PodTemplate, namespace: str) -> str:
        for count in range(1, MOST_PLACED):
            if full := self._over(template, namespace, count):
                return full
        return "a ResourceQuota"

    def _over(self, template: PodTemplate, namespace: str, count: int) -> str:
        """The quota that does not admit so many pods; empty where all do."""
        usage = {name: sum([amount] * count, Quantity()) for name, amount in pod_usage(template.spec).items()}
        for quota in self._now.maybe.all(ResourceQuota, namespace):
            if would_exceed(quota, usage, template.spec):
                return ref(quota).title
        return ""

    def _end(self, pods: Iterable[Pod]) -> None:
        names = [ref(pod) for pod in pods]
        self._put(without=names)

    def _create_again(self, name: Ref) -> None:
        """A deleted pod is created again by its controller, from the template as it is."""
        pod = self._before.get_ref(name) if name.kind == "Pod" else None
        named = controller_of(pod) if pod is not None else None
        owner = self._now.maybe.get_ref(named) if named is not None else None
        if not isinstance(pod, Pod) or owner is None or finished(pod):
            return
        workload = workload_of(pod, self._before)
        self._moved.add(workload)
        template = template_of(owner)
        if placed(pod):
            self._restarts[workload] = self._restarts.get(workload, 0) + 1
            self._again.add(name)
        self._put(self._fresh(pod, template.spec if template is not None else pod.spec))

    # The scheduler

    def _place(self, heed: Callable[[], None]) -> Placing:
        placing = place_pending(self._after, self._before, self._new, heed)
        self._after = placing.snapshot
        self._moved |= placing.moved
        return placing

    # Endpoints

    def _link(self) -> None:
        """The endpoints of Services whose selector, or whose pods, changed."""
        for service in self._services():
            slices = self._slices(service)
            before = self._before.snapshot.get(ref(service))
            selector = selector_from_map(service.spec.selector or {})
            if selector.is_empty or not slices:
                continue
            pods = [
                pod
                for pod in self._after.of_kind("Pod", service.namespace)
                if isinstance(pod, Pod) and selector.matches(pod.labels) and pod.status.pod_ip
            ]
            changed = not isinstance(before, Service) or before.spec.selector != service.spec.selector
            names = {pod.name: pod for pod in pods}
            first, *others = slices
            kept = [
                endpoint
                for item in slices
                for endpoint in item.endpoints or ()
                if endpoint.target_ref is None or endpoint.target_ref.kind != "Pod" or endpoint.target_ref.name in names
            ]
            present = {endpoint.target_ref.name for endpoint in kept if endpoint.target_ref is not None}
            added = [_endpoint(pod) for pod in pods if changed and pod.name not in present]
            self._put(replace(first, endpoints=(*kept, *added)), *(replace(item, endpoints=()) for item in others))

    def _services(self) -> Iterator[Service]:
        touched = set(self._change.objects)
        before, after = self._before.snapshot, self._after
        namespaces = {
            name.namespace for name in (*touched, *self._moved) if name.kind in ("Service", "Pod", *WORKLOAD_KINDS)
        }
        for namespace in sorted(namespaces):
            ended = _names(before, namespace) - _names(after, namespace)
            for service in after.of_kind("Service", namespace):
                relabelled = any(name.kind == "Pod" for name in touched)
                if isinstance(service, Service) and (ref(service) in touched or ended or relabelled):
                    yield service

    def _slices(self, service: Service) -> list[EndpointSlice]:
        return [
            item
            for item in self._after.of_kind("EndpointSlice", service.namespace)
            if isinstance(item, EndpointSlice) and item.labels.get(_SERVICE_OF) == service.name
        ]


def _names(snapshot: Snapshot, namespace: str) -> set[str]:
    return {pod.metadata.name for pod in snapshot.of_kind("Pod", namespace)}


def _endpoint(pod: Pod) -> Endpoint:
    is_ready = ready(pod)
    return Endpoint(
        addresses=(pod.status.pod_ip,),
        conditions=EndpointConditions(ready=is_ready, serving=is_ready, terminating=terminating(pod)),
        target_ref=ObjectReference(kind="Pod", namespace=pod.namespace, name=pod.name),
        node_name=pod.spec.node_name,
    )


def _new_pod(owner: KubernetesObject, template: PodTemplate, cluster: Cluster, number: int) -> Pod:
    """As the controller creates it."""
    name = ref(owner)
    reference = OwnerReference(kind=name.kind, name=name.name, uid=owner.metadata.uid, controller=True)
    metadata = ObjectMeta(
        name=f"{name.name}-new{number}",
        namespace=name.namespace,
        labels=template.metadata.labels,
        annotations=template.metadata.annotations,
        owner_references=(reference,),
        creation_timestamp=cluster.taken_at,
    )
    return Pod(metadata=metadata, spec=template.spec, status=PodStatus(phase="Pending"))


def _rebased(pod: Pod, old: PodTemplate, new: PodTemplate) -> Pod:
    """The pod with what changed in its template, and with what admission added to it."""
    spec = _merged(as_data(pod.spec), as_data(old.spec), as_data(new.spec))
    labels = _merged(dict(pod.labels), dict(old.metadata.labels or {}), dict(new.metadata.labels or {}))
    return replace(pod, metadata=replace(pod.metadata, labels=labels or None), spec=msgspec.convert(spec, PodSpec))


def _merged(own: Any, old: Any, new: Any) -> Any:
    """The change from `old` to `new`, made to what was once a copy of `old`."""
    if old == new:
        return own
    if isinstance(own, dict) and isinstance(new, dict):
        before = old if isinstance(old, dict) else {}
        names = dict.fromkeys((*own, *new))
        made = {name: _merged(own.get(name), before.get(name), new.get(name)) for name in names}
        return {name: value for name, value in made.items() if value is not None or name in new}
    if isinstance(own, list) and isinstance(new, list):
        return _list_merged(own, old if isinstance(old, list) else [], new)
    return new


def _list_merged(own: Sequence[Any], old: Sequence[Any], new: Sequence[Any]) -> list[Any]:
    if all(isinstance(item, dict) and "name" in item for item in (*own, *new)):
        mine = {item["name"]: item for item in own}
        before = {item["name"]: item for item in old}
        merged = [_merged(mine.get(item["name"], item), before.get(item["name"], item), item) for item in new]
        names = {item["name"] for item in (*new, *old)}
        return [*merged, *(item for item in own if item["name"] not in names)]
    return [*new, *(item for item in own if item not in old and item not in new)]
