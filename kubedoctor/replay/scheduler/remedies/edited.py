"""The scheduler's state after edits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from kubedoctor.cluster.changes import Step, apply_to_object, deleted, steps_by_object
from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.storage import CSINode, PersistentVolume, PersistentVolumeClaim
from kubedoctor.replay.scheduler.remedies.edits import Edit, all_operations
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo, PodInfo

ObjectT = TypeVar("ObjectT", bound=KubernetesObject)


def edited(pod: Pod, state: ClusterState, edits: Iterable[Edit]) -> tuple[Pod, ClusterState]:
    """The state after the edits. The original is not changed, and is shared where only the pod changes. No edit changes
    labels of nodes that run pods, or where a volume is."""
    operations = all_operations(edits)
    steps, gone = steps_by_object(operations), deleted(operations)
    own = steps.pop((ref(pod), ""), ())
    changed_pod = apply_to_object(pod, own) if own else pod
    if not steps and not gone:
        return changed_pod, state
    resulting = ClusterState(release=state.release)
    resulting.nodes = _nodes(state, steps, gone)
    resulting.nominated = {
        name: [pod_info for pod_info in pods if ref(pod_info.pod) not in gone] for name, pods in state.nominated.items()
    }
    resulting.lost = tuple(lost_pod for lost_pod in state.lost if ref(lost_pod) not in gone)
    resulting.namespaces, resulting.classes = state.namespaces, state.classes
    resulting.volumes = _changed(state.volumes, steps, lambda volume: volume.name, PersistentVolume)
    resulting.claims = _changed(state.claims, steps, lambda claim: (claim.namespace, claim.name), PersistentVolumeClaim)
    resulting.csi_nodes = _changed(state.csi_nodes, steps, lambda csi_node: csi_node.name, CSINode)
    resulting.csi_drivers, resulting.capacities = state.csi_drivers, state.capacities
    resulting.budgets, resulting.others = state.budgets, state.others
    resulting.attachments = {
        name: [attachment for attachment in there if ref(attachment) not in gone]
        for name, there in state.attachments.items()
    }
    if not gone and all(about.kind in ("Node", "CSINode") for about, _ in steps):
        resulting.know_as(state)
    return changed_pod, resulting


AllSteps = dict[tuple[Ref, str], tuple[Step, ...]]
KeyT = TypeVar("KeyT")


def _changed(
    objects: dict[KeyT, ObjectT], steps: AllSteps, key: Callable[[ObjectT], KeyT], kind: type[ObjectT]
) -> dict[KeyT, ObjectT]:
    steps_of_kind = [step for step in steps if step[0].kind == kind.__name__]
    if not steps_of_kind:
        return objects
    resulting = dict(objects)
    by_ref = {ref(item): item for item in objects.values()}
    for about, name in steps_of_kind:
        if about in by_ref:
            changed = _with(by_ref[about], name, steps[about, name])
            resulting[key(changed)] = changed
    return resulting


def _with(item: ObjectT, name: str, steps: tuple[Step, ...]) -> ObjectT:
    return apply_to_object(item, (Step(("metadata", "name"), name), *steps) if name else steps)


def _nodes(state: ClusterState, steps: AllSteps, gone: frozenset[Ref]) -> tuple[NodeInfo, ...]:
    nodes: list[NodeInfo] = []
    emptied = {about for about in gone if about.kind == "Pod"}
    storage = any(about.kind in ("PersistentVolumeClaim", "PersistentVolume") for about, _ in steps)
    for info in state.nodes:
        node: Node = info.node
        own = steps.get((ref(node), ""))
        pods = tuple(pod for pod in info.pods if ref(pod.pod) not in emptied) if emptied else info.pods
        if own or len(pods) != len(info.pods):
            info = NodeInfo(apply_to_object(node, own) if own else node, pods)
        elif storage:
            info = info.without(())  # Cached results of filters about the volumes of its pods are no longer valid.
        nodes.append(info)
    for about, name in steps:
        if name and about.kind == "Node" and about.name in state.node_by_name:
            model = state.node_by_name[about.name].node
            pods = _copied_pods(state.node_by_name[about.name], name, steps)
            nodes.append(NodeInfo(_with(model, name, steps[about, name]), pods))
    return tuple(sorted(nodes, key=lambda node_info: node_info.name))


def _copied_pods(model: NodeInfo, name: str, steps: AllSteps) -> tuple[PodInfo, ...]:
    """The pods of one node that also run on the new one."""
    there = {ref(pod.pod): pod.pod for pod in model.pods}
    copies = (_with(there[about], new, own) for (about, new), own in steps.items() if new and about in there)
    return tuple(PodInfo(copy) for copy in copies if copy.spec.node_name == name)
