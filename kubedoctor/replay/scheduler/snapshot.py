"""The scheduler's knowledge when it schedules a pod: nodes with their pods, and the objects that filters read.

`pkg/scheduler/backend/cache/snapshot.go` and `pkg/scheduler/framework/types.go`, v1.37.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, TypeVar

from kubedoctor.cluster.grammar.selectors import CompiledNodeSelector, Selector
from kubedoctor.cluster.kinds.core import Namespace, Node
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.policy import PodDisruptionBudget
from kubedoctor.cluster.kinds.storage import (
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
)
from kubedoctor.cluster.triage import finished
from kubedoctor.replay.scheduler.memos import Memo
from kubedoctor.replay.scheduler.plugins.affinity_terms import AffinityTerm, terms_of
from kubedoctor.replay.scheduler.plugins.host_ports import HostPort, host_ports
from kubedoctor.replay.scheduler.releases import LATEST, SchedulerRelease
from kubedoctor.replay.scheduler.requests import Occupied, amounts, counted

Resources = Mapping[str, int]


class PodInfo:
    """A pod on a node, with results about it that are computed once."""

    __slots__ = ("anti_affinity", "pod", "ports", "priority", "requests")

    def __init__(self, pod: Pod, requests: Resources | None = None) -> None:
        self.pod = pod
        self.priority: int = pod.spec.priority or 0
        self.requests: Resources = Occupied().of(pod) if requests is None else requests
        self.ports: tuple[HostPort, ...] = host_ports(pod)
        affinity = pod.spec.affinity
        required = affinity and affinity.pod_anti_affinity
        self.anti_affinity: tuple[AffinityTerm, ...] = terms_of(pod, required) if required else ()

    @property
    def title(self) -> str:
        """`namespace/name`."""
        return f"{self.pod.namespace}/{self.pod.name}"


class NodeInfo:
    """A node and the pods that count on it. Immutable: `with_pod` and `without` return another one."""

    __slots__ = ("allocatable", "labels", "memos", "most_pods", "name", "node", "pods", "requested", "used_ports")

    def __init__(self, node: Node, pods: Sequence[PodInfo] = ()) -> None:
        self.node = node
        self.name = node.name
        self.labels = node.labels
        room = amounts(node.status.allocatable)
        self.allocatable: Resources = counted(room)
        self.most_pods: int = room["pods"].value() if "pods" in room else 0
        self.pods: tuple[PodInfo, ...] = tuple(pods)
        self.requested: Resources = _changed({}, pods, 1)
        self.used_ports: frozenset[HostPort] = frozenset(port for info in pods for port in info.ports)
        self.memos: dict[Memo[Any, Any], dict[Any, Any]] = {}
        """Cached results of filters about this node."""

    def with_pod(self, added: PodInfo) -> NodeInfo:
        """The node with one more pod."""
        ports = self.used_ports.union(added.ports)
        return self._with((*self.pods, added), _changed(self.requested, (added,), 1), ports)

    def without(self, removed: Sequence[PodInfo]) -> NodeInfo:
        """The node without some pods. As upstream, their host ports become free even where another pod uses them
        too."""
        gone = {id(pod_info) for pod_info in removed}
        remaining = tuple(pod_info for pod_info in self.pods if id(pod_info) not in gone)
        ports = self.used_ports.difference(port for info in removed for port in info.ports)
        return self._with(remaining, _changed(self.requested, removed, -1), ports)

    def _with(self, pods: tuple[PodInfo, ...], requested: Resources, ports: frozenset[HostPort]) -> NodeInfo:
        duplicate = NodeInfo.__new__(NodeInfo)
        duplicate.node, duplicate.name, duplicate.labels = self.node, self.name, self.labels
        duplicate.allocatable, duplicate.most_pods = self.allocatable, self.most_pods
        duplicate.pods, duplicate.requested, duplicate.used_ports, duplicate.memos = pods, requested, ports, {}
        return duplicate


def _changed(requested: Resources, pods: Iterable[PodInfo], sign: int) -> Resources:
    total = dict(requested)
    for info in pods:
        for name, amount in info.requests.items():
            total[name] = total.get(name, 0) + sign * amount
    return total


ObjectT = TypeVar("ObjectT", bound=KubernetesObject)

ARGUMENTS: Final[Mapping[type[KubernetesObject], str]] = {
    Namespace: "namespaces",
    PersistentVolumeClaim: "claims",
    PersistentVolume: "volumes",
    StorageClass: "classes",
    CSINode: "csi_nodes",
    CSIDriver: "csi_drivers",
    CSIStorageCapacity: "capacities",
    VolumeAttachment: "attachments",
    PodDisruptionBudget: "budgets",
}
"""The kinds that the scheduler reads besides nodes and pods, and their attributes of `ClusterState`."""

Alike = tuple[Pod, list[tuple[NodeInfo, PodInfo]]]
"""Pods of a namespace with the same labels, each with its node, after one of them."""


class ClusterState:
    """Everything that a scheduling cycle reads; shared by the cycles of many pods."""

    def __init__(
        self,
        placed: Iterable[tuple[Node, Sequence[Pod]]] = (),
        *,
        nominated: Iterable[Pod] = (),
        namespaces: Iterable[Namespace] = (),
        claims: Iterable[PersistentVolumeClaim] = (),
        volumes: Iterable[PersistentVolume] = (),
        classes: Iterable[StorageClass] = (),
        csi_nodes: Iterable[CSINode] = (),
        csi_drivers: Iterable[CSIDriver] = (),
        capacities: Iterable[CSIStorageCapacity] = (),
        attachments: Iterable[VolumeAttachment] = (),
        budgets: Iterable[PodDisruptionBudget] = (),
        others: Mapping[type[KubernetesObject], Sequence[KubernetesObject]] | None = None,
        release: SchedulerRelease = LATEST,
    ) -> None:
        self.release = release
        amounts_of = Occupied().of
        self.nodes = tuple(NodeInfo(node, [PodInfo(pod, amounts_of(pod)) for pod in pods]) for node, pods in placed)
        self.nominated: dict[str, list[PodInfo]] = {}
        for pod in nominated:
            self.nominated.setdefault(pod.status.nominated_node_name, []).append(PodInfo(pod))
        self.namespaces = {namespace.name: namespace for namespace in namespaces}
        self.claims = {(claim.namespace, claim.name): claim for claim in claims}
        self.volumes = {volume.name: volume for volume in volumes}
        self.classes = {storage_class.name: storage_class for storage_class in classes}
        self.csi_nodes = {csi_node.name: csi_node for csi_node in csi_nodes}
        self.csi_drivers = {csi_driver.name: csi_driver for csi_driver in csi_drivers}
        self.capacities = tuple(capacities)
        self.budgets = tuple(sorted(budgets, key=lambda budget: (budget.namespace, budget.name)))
        self.attachments: dict[str, list[VolumeAttachment]] = {}
        for attachment in attachments:
            self.attachments.setdefault(attachment.spec.node_name, []).append(attachment)
        self.others = others or {}
        self.lost: tuple[Pod, ...] = ()
        """Pods on nodes that do not exist: they matter only for the claims that they use."""
        self.volume_selectors: dict[tuple[str, bool], CompiledNodeSelector | None] = {}
        """Compiled: from which nodes a volume can be used, by its name and whether in the labels of the CSI driver."""
        self._living: dict[tuple[str, Selector], Mapping[str, int]] = {}
        self._matching: dict[tuple[AffinityTerm, ...], Mapping[tuple[str, str], int]] = {}
        self.memos: dict[Memo[Any, Any], dict[Any, Any]] = {}
        """Cached results about this state."""

    @classmethod
    def of(cls, nodes: Iterable[Node], pods: Iterable[Pod], **objects: Any) -> ClusterState:
        """The state of all nodes and pods; finished pods do not count."""
        by_node: dict[str, list[Pod]] = {}
        nominated = []
        for pod in pods:
            if finished(pod):
                continue
            if pod.spec.node_name:
                by_node.setdefault(pod.spec.node_name, []).append(pod)
            elif pod.status.nominated_node_name:
                nominated.append(pod)
        state = cls(
            [(node, by_node.pop(node.name, ())) for node in sorted(nodes, key=lambda node: node.name)],
            nominated=nominated,
            **objects,
        )
        state.lost = tuple(pod for pods_there in by_node.values() for pod in pods_there)
        return state

    def among(self, **objects: Any) -> ClusterState:
        """The same nodes and pods with other objects."""
        duplicate = ClusterState(**objects)
        duplicate.nodes = tuple([node.without(()) for node in self.nodes])
        duplicate.nominated, duplicate.lost = self.nominated, self.lost
        duplicate.know_pods_as(self)
        return duplicate

    def with_pod(self, pod: Pod, node: str) -> ClusterState:
        """The state with a pod added to one of the nodes."""
        added = PodInfo(pod)
        return self._with(tuple(info.with_pod(added) if info.name == node else info for info in self.nodes))

    def with_node(self, changed: NodeInfo) -> ClusterState:
        """The state with a node as it is after a change."""
        return self._with(tuple(changed if info.name == changed.name else info for info in self.nodes))

    def without_node(self, name: str) -> ClusterState:
        """The state without a node and its pods."""
        return self._with(tuple(info for info in self.nodes if info.name != name))

    def _with(self, nodes: tuple[NodeInfo, ...]) -> ClusterState:
        duplicate = copy.copy(self)
        for name in ("node_by_name", "claims_in_use", "placed", "anti_affinity"):
            vars(duplicate).pop(name, None)
        duplicate._living, duplicate._matching, duplicate.memos = {}, {}, {}
        duplicate.nodes = nodes
        return duplicate

    def know_pods_as(self, source: ClusterState) -> None:
        """Share another state's cached results about pods. Both have the same pods, on nodes with the same labels."""
        for name in ("claims_in_use", "placed", "anti_affinity"):
            if name in vars(source):
                vars(self)[name] = getattr(source, name)
        self._living = dict(source._living)
        self._matching = dict(source._matching)

    def know_as(self, source: ClusterState) -> None:
        """Share another state's cached results about pods, like `know_pods_as`, and about the same volumes."""
        self.know_pods_as(source)
        self.volume_selectors = source.volume_selectors

    def all_of(self, kind: type[ObjectT]) -> tuple[ObjectT, ...]:
        """Objects of a kind without an attribute of its own that some plugin reads."""
        return tuple(item for item in self.others.get(kind, ()) if isinstance(item, kind))

    @cached_property
    def node_by_name(self) -> dict[str, NodeInfo]:
        return {node.name: node for node in self.nodes}

    def namespace_labels(self, name: str) -> Mapping[str, str]:
        """Empty where the namespace is not known."""
        namespace = self.namespaces.get(name)
        return namespace.labels if namespace else {}

    @cached_property
    def claims_in_use(self) -> frozenset[tuple[str, str]]:
        """Namespace and name of every claim that a pod on a node mounts; claims of generic ephemeral volumes are not
        considered."""
        placed = [info.pod for node in self.nodes for info in node.pods]
        return frozenset(
            (pod.namespace, volume.persistent_volume_claim.claim_name)
            for pod in (*placed, *self.lost)
            for volume in pod.spec.volumes or ()
            if volume.persistent_volume_claim is not None
        )

    @cached_property
    def placed(self) -> dict[str, list[Alike]]:
        """All pods on nodes by namespace."""
        placed: dict[Hashable, list[tuple[NodeInfo, PodInfo]]] = {}
        for node in self.nodes:
            for info in node.pods:
                metadata = info.pod.metadata
                key = (metadata.namespace, *metadata.labels.items()) if metadata.labels else (metadata.namespace,)
                alike = placed.get(key)
                if alike is None:
                    alike = placed[key] = []
                alike.append((node, info))
        by_namespace: dict[str, list[Alike]] = {}
        for alike in placed.values():
            example = alike[0][1].pod
            by_namespace.setdefault(example.namespace, []).append((example, alike))
        return by_namespace

    @cached_property
    def anti_affinity(self) -> dict[AffinityTerm, Counter[str]]:
        """The required anti-affinity of all pods on nodes: by term, how many pods have it in each topology value."""
        terms: dict[AffinityTerm, Counter[str]] = {}
        for node in self.nodes:
            for info in node.pods:
                for term in info.anti_affinity:
                    values = terms.get(term)
                    if values is None:
                        values = terms[term] = Counter()
                    value = node.labels.get(term.topology_key)
                    if value is not None:
                        values[value] += 1
        return terms

    def living_per_node(self, namespace: str, selector: Selector) -> Mapping[str, int]:
        """How many pods of a namespace a selector matches on each node, without those that are being deleted."""
        key = (namespace, selector)
        if key not in self._living:
            self._living[key] = Counter(
                node.name
                for example, alike in self.placed.get(namespace, ())
                if selector.matches(example.metadata.labels)
                for node, info in alike
                if info.pod.metadata.deletion_timestamp is None
            )
        return self._living[key]

    def matching_all(self, terms: tuple[AffinityTerm, ...]) -> Mapping[tuple[str, str], int]:
        """Pods that match every term, counted at each term's topology key and value."""
        if terms not in self._matching:
            self._matching[terms] = Counter(
                (term.topology_key, node.labels[term.topology_key])
                for example, alike in self._candidates(terms[0])
                if all(term.matches(example, {}) for term in terms)
                for node, _ in alike
                for term in terms
                if term.topology_key in node.labels
            )
        return self._matching[terms]

    def matching_one(self, term: AffinityTerm) -> Mapping[tuple[str, str], int]:
        """Pods that match a term, counted at its topology key and value."""
        return self.matching_all((term,))

    def _candidates(self, term: AffinityTerm) -> Iterable[Alike]:
        """The pods in the term's namespaces, and possibly others."""
        names = self.placed if term.namespace_selector.matches({}) else sorted(term.namespaces)
        return (group for name in names for group in self.placed.get(name, ()))
