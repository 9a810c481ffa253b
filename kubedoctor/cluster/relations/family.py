"""Which objects belong together, read from what is here without asking for more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubedoctor.cluster.grammar.selectors import selector_from_map
from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.workloads import LONGEST_CHAIN, WORKLOAD_KINDS, controller_of, template_of
from kubedoctor.cluster.seen.snapshot import Snapshot


class Family:
    """Owners, pods and Services of a snapshot. What is not in the snapshot is passed over."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._tops: dict[Ref, Ref] = {}

    def top(self, name: Ref) -> Ref:
        """The workload that people know an object by: its topmost controller that makes pods."""
        known = self._tops.get(name)
        if known is not None:
            return known
        here = name
        for _ in range(LONGEST_CHAIN):
            obj = self.snapshot.get(here)
            owner = controller_of(obj) if obj is not None else None
            if owner is None or owner.kind not in WORKLOAD_KINDS:
                break
            here = owner
        self._tops[name] = here
        return here

    def pods(self, about: Ref, affects: Iterable[Ref] = ()) -> tuple[Pod, ...]:
        """The pods among the objects named; where there are none, those of the workload `about`."""
        named = [self.snapshot.get(name) for name in (about, *affects) if name.kind == "Pod"]
        if pods := tuple(pod for pod in named if isinstance(pod, Pod)):
            return pods
        if about.kind not in WORKLOAD_KINDS:
            return ()
        return tuple(
            pod
            for pod in self.snapshot.of_kind("Pod", about.namespace)
            if isinstance(pod, Pod) and self.top(ref(pod)) == about
        )

    def behind(self, service: Service) -> Iterator[Ref]:
        """The pods that a Service selects, and their workloads; workloads without pods by their template."""
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
