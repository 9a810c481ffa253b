"""Folding symptoms under causes: one NotReady node with 187 stuck pods is one incident.

A finding explains another if its diagnostic declares so (`Explains`) and their objects stand in that relation,
or if the other finding itself names the object that it blames (`because_of`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kubedoctor.cluster.grammar.selectors import selector_from_map
from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.storage import PersistentVolumeClaim
from kubedoctor.cluster.relations.claims import claim_names
from kubedoctor.cluster.relations.policies import applies_to
from kubedoctor.cluster.relations.workloads import LONGEST_CHAIN, WORKLOAD_KINDS, controller_of, template_of
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.engine.catalogue import Catalogue
from kubedoctor.engine.report import Incident, ReportedFinding
from kubedoctor.findings.diagnostic import RELATIONS

_OF_THE_CLUSTER = ("", "kube-system")
"""Where nodes and volumes are, and the parts of Kubernetes itself."""
_BLAMED = "blamed"  # What a finding itself names in `because_of` comes before any relation.


def fold(findings: tuple[ReportedFinding, ...], catalogue: Catalogue, snapshot: Snapshot) -> tuple[Incident, ...]:
    """Incidents, worst first; a finding that no other explains is an incident of its own."""
    family = Family(snapshot)
    about: dict[Ref, list[ReportedFinding]] = {}
    for one in findings:
        for name in {one.about, family.top(one.about)}:
            about.setdefault(name, []).append(one)
    explains = {one.code: one.explains for one in catalogue.diagnostics}
    parents: dict[str, str] = {}
    for symptom in findings:
        for cause in _causes(symptom, about, explains, family):
            if symptom.id not in _line(cause.id, parents):
                parents[symptom.id] = cause.id
                break
    children: dict[str, list[ReportedFinding]] = {}
    for one in findings:
        children.setdefault(_line(one.id, parents)[-1], []).append(one)
    known = {one.id: one for one in findings}
    incidents = [
        (_badness(known[root], members), Incident(root, tuple(one.id for one in members if one.id != root)))
        for root, members in children.items()
    ]
    return tuple(incident for _, incident in sorted(incidents, key=lambda pair: pair[0]))


def _badness(root: ReportedFinding, members: list[ReportedFinding]) -> tuple[Any, ...]:
    """Of what is equally severe, the cluster's own parts come first: everything else may depend on them."""
    worst = min(one.severity.rank for one in members)
    own = root.about.namespace in _OF_THE_CLUSTER
    surest = (root.confidence.rank, -len(members))
    return (worst, root.severity.rank, not own, *surest, root.code, root.about, root.aspect)


def _line(start: str, parents: dict[str, str]) -> list[str]:
    """A finding and the causes above it, the root last."""
    line = [start]
    while (above := parents.get(line[-1])) is not None:
        line.append(above)
    return line


def _causes(
    symptom: ReportedFinding,
    about: dict[Ref, list[ReportedFinding]],
    explains: dict[str, Any],
    family: Family,
) -> Iterator[ReportedFinding]:
    for relation in (_BLAMED, *RELATIONS):
        for name in family.related(relation, symptom):
            for cause in about.get(name, ()):
                if cause.id == symptom.id:
                    continue
                if relation == _BLAMED or any(
                    one.relation == relation and (not one.codes or symptom.code in one.codes)
                    for one in explains.get(cause.code, ())
                ):
                    yield cause


class Family:
    """Which objects belong together, read from the snapshot without asking for more."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._tops: dict[Ref, Ref] = {}

    def top(self, name: Ref) -> Ref:
        """The workload that people know an object by: its topmost controller that makes pods."""
        known = self._tops.get(name)
        if known is not None:
            return known
        here = name
        for _ in range(LONGEST_CHAIN):
            obj = self._snapshot.get(here)
            owner = controller_of(obj) if obj is not None else None
            if owner is None or owner.kind not in WORKLOAD_KINDS:
                break
            here = owner
        self._tops[name] = here
        return here

    def related(self, relation: str, symptom: ReportedFinding) -> list[Ref]:
        """The objects whose findings may explain the symptom, in one relation."""
        names = getattr(self, f"_{relation}")(symptom)
        return list(dict.fromkeys(names))

    def _blamed(self, symptom: ReportedFinding) -> Iterator[Ref]:
        for name in symptom.because_of:
            yield name
            yield self.top(name)
            service = self._snapshot.get(name)
            if isinstance(service, Service):
                yield from self._behind(service)

    def _same(self, symptom: ReportedFinding) -> Iterator[Ref]:
        yield symptom.about
        yield self.top(symptom.about)

    def _runs(self, symptom: ReportedFinding) -> Iterator[Ref]:
        for pod in self._pods(symptom):
            if pod.spec.node_name:
                yield Ref("Node", "", pod.spec.node_name)

    def _mounts(self, symptom: ReportedFinding) -> Iterator[Ref]:
        for pod in self._pods(symptom):
            for claim_name in claim_names(pod):
                claim = Ref("PersistentVolumeClaim", pod.namespace, claim_name)
                yield claim
                found = self._snapshot.get(claim)
                if isinstance(found, PersistentVolumeClaim) and found.spec.volume_name:
                    yield Ref("PersistentVolume", "", found.spec.volume_name)

    def _configures(self, symptom: ReportedFinding) -> Iterator[Ref]:
        for pod in self._pods(symptom):
            for volume in pod.spec.volumes or ():
                if volume.config_map is not None:
                    yield Ref("ConfigMap", pod.namespace, volume.config_map.name)

    def _isolates(self, symptom: ReportedFinding) -> Iterator[Ref]:
        """Only where the symptom blames something that its pods could not reach."""
        if not any(name.kind == "Service" for name in symptom.because_of):
            return
        for pod in self._pods(symptom):
            for policy in self._snapshot.of_kind("NetworkPolicy", pod.namespace):
                if isinstance(policy, NetworkPolicy) and applies_to(policy, pod):
                    yield ref(policy)

    def _selects(self, symptom: ReportedFinding) -> Iterator[Ref]:
        service = self._snapshot.get(symptom.about)
        if isinstance(service, Service):
            yield from self._behind(service)

    def _behind(self, service: Service) -> Iterator[Ref]:
        """The pods that a Service selects, and their workloads; workloads without pods by their template."""
        if not service.spec.selector:
            return
        selector = selector_from_map(service.spec.selector)
        for pod in self._snapshot.of_kind("Pod", service.namespace):
            if selector.matches(pod.metadata.labels):
                yield ref(pod)
                yield self.top(ref(pod))
        for kind in ("Deployment", "StatefulSet", "DaemonSet"):
            for workload in self._snapshot.of_kind(kind, service.namespace):
                template = template_of(workload)
                if template is not None and selector.matches(template.metadata.labels):
                    yield ref(workload)

    def _pods(self, symptom: ReportedFinding) -> Iterable[Pod]:
        """The pods that suffer: those named, else those of the workload."""
        named = [self._snapshot.get(name) for name in (symptom.about, *symptom.affects) if name.kind == "Pod"]
        if pods := [pod for pod in named if isinstance(pod, Pod)]:
            return pods
        if symptom.about.kind not in WORKLOAD_KINDS:
            return ()
        return [
            pod
            for pod in self._snapshot.of_kind("Pod", symptom.about.namespace)
            if isinstance(pod, Pod) and self.top(ref(pod)) == symptom.about
        ]
