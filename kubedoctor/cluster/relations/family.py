"""Which objects belong together, read from the snapshot without fetching more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile

from kubedoctor.cluster.grammar.selectors import selector_from_map
from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.workloads import (
    WORKLOAD_KINDS,
    controller_of,
    controllers,
    controlling_owner,
    template_of,
)
from kubedoctor.cluster.seen.snapshot import Snapshot


class Family:
    """Owners, pods and Services of a snapshot; nothing more is fetched.

    An owner that was not seen still counts, because the object names it. So `top` may be an object that is not in the
    snapshot; `top_seen` is for lists, where only what was seen has a row.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._tops: dict[Ref, Ref] = {}
        self._alone: dict[tuple[str, str, str], bool] = {}

    def line(self, name: Ref) -> tuple[Ref, ...]:
        """The object and the workloads that own it, nearest first; the last of them may not have been seen. Owners that
        form a circle are ignored."""
        obj = self.snapshot.get(name)
        owners = controllers(obj, self.snapshot.get) if obj is not None else ()
        line = (name, *takewhile(lambda owner: owner.kind in WORKLOAD_KINDS, owners))
        last = self.snapshot.get(line[-1])
        return (name,) if last is not None and controller_of(last) in line else line

    def top(self, name: Ref) -> Ref:
        """The workload that users know: the topmost owner that the object or its owners name, else the object
        itself."""
        top = self._tops.get(name)
        if top is None:
            top = self._tops[name] = self.line(name)[-1]
        return top

    def top_seen(self, name: Ref) -> Ref:
        """The topmost owner that was seen, else the object itself."""
        top = self.top(name)
        if top == name or self.snapshot.get(top) is not None:
            return top
        return self.line(name)[-2]  # Only the last owner can be unseen: the owners of an unseen object are not known.

    def is_top_seen(self, obj: KubernetesObject) -> bool:
        """Whether it is its own `top_seen`: of many pods with one owner only the first is followed to its end."""
        owner = controlling_owner(obj)
        if owner is None:
            return True
        key = (owner.kind, obj.namespace, owner.name)
        alone = self._alone.get(key) if isinstance(obj, Pod) else None
        if alone is None:
            name = ref(obj)
            alone = self.top_seen(name) == name
            if isinstance(obj, Pod):
                self._alone[key] = alone
        return alone

    def members(self, name: Ref) -> frozenset[Ref]:
        """The object and everything that it controls; for a pod also its topmost workload."""
        members = {name, self.top(name)} if name.kind == "Pod" else {name}
        waiting = [name] if name.kind in WORKLOAD_KINDS else []
        while waiting:
            owner = waiting.pop()
            for kind in ("Pod", "ReplicaSet", "Job"):
                children = self.snapshot.index(kind, "owner").get((owner.kind, owner.namespace, owner.name), ())
                new = [ref(obj) for obj in children if ref(obj) not in members]
                members.update(new)
                waiting.extend(new if kind != "Pod" else ())
        return frozenset(members)

    def pods(self, about: Ref, affects: Iterable[Ref] = ()) -> tuple[Pod, ...]:
        """The pods among the objects named; where there are none, those of the workload `about`."""
        objects = [self.snapshot.get(name) for name in (about, *affects) if name.kind == "Pod"]
        if pods := tuple(pod for pod in objects if isinstance(pod, Pod)):
            return pods
        if about.kind not in WORKLOAD_KINDS:
            return ()
        return tuple(
            pod
            for pod in self.snapshot.of_kind("Pod", about.namespace)
            if isinstance(pod, Pod) and self.top(ref(pod)) == about
        )

    def behind(self, service: Service) -> Iterator[Ref]:
        """The pods that a Service selects, and their workloads; workloads without pods are matched by their
        template."""
        if not service.spec.selector:
            return
        selector = selector_from_map(service.spec.selector)
        for pod in self.snapshot.of_kind("Pod", service.namespace):
            if selector.matches(pod.metadata.labels):
                yield ref(pod)
                yield self.top(ref(pod))
        for kind in ("Deployment", "StatefulSet", "DaemonSet"):
            for workload in self.snapshot.of_kind(kind, service.namespace):
                template = template_of(workload)
                if template is not None and selector.matches(template.metadata.labels):
                    yield ref(workload)
