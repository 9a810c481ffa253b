"""What the scheduler would know after edits."""

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
    """What there is after the edits. The state is not touched, and is shared where only the pod changes. No edit changes
    labels of nodes that run pods, or where a volume is."""
    operations = all_operations(edits)
    steps, gone = steps_by_object(operations), deleted(operations)
    own = steps.pop((ref(pod), ""), ())
    changed_pod = apply_to_object(pod, own) if own else pod
    if not steps and not gone:
        return changed_pod, state
    other = ClusterState(release=state.release)
    other.nodes = _nodes(state, steps, gone)
    other.nominated = {
        name: [one for one in pods if ref(one.pod) not in gone] for name, pods in state.nominated.items()
    }
    other.lost = tuple(one for one in state.lost if ref(one) not in gone)
    other.namespaces, other.classes = state.namespaces, state.classes
    other.volumes = _changed(state.volumes, steps, lambda one: one.name, PersistentVolume)
    other.claims = _changed(state.claims, steps, lambda one: (one.namespace, one.name), PersistentVolumeClaim)
    other.csi_nodes = _changed(state.csi_nodes, steps, lambda one: one.name, CSINode)
    other.csi_drivers, other.capacities = state.csi_drivers, state.capacities
    other.budgets, other.others = state.budgets, state.others
    other.attachments = {
        name: [one for one in there if ref(one) not in gone] for name, there in state.attachments.items()
    }
    if not gone and all(about.kind in ("Node", "CSINode") for about, _ in steps):
        other.know_as(state)
    return changed_pod, other


AllSteps = dict[tuple[Ref, str], tuple[Step, ...]]
KeyT = TypeVar("KeyT")


def _changed(
    known: dict[KeyT, ObjectT], steps: AllSteps, key: Callable[[ObjectT], KeyT], kind: type[ObjectT]
) -> dict[KeyT, ObjectT]:
    wanted = [one for one in steps if one[0].kind == kind.__name__]
    if not wanted:
        return known
    found = dict(known)
    by_ref = {ref(item): item for item in known.values()}
    for about, name in wanted:
        if about in by_ref:
            changed = _with(by_ref[about], name, steps[about, name])
            found[key(changed)] = changed
    return found


def _with(item: ObjectT, name: str, steps: tuple[Step, ...]) -> ObjectT:
    return apply_to_object(item, (Step(("metadata", "name"), name), *steps) if name else steps)


def _nodes(state: ClusterState, steps: AllSteps, gone: frozenset[Ref]) -> tuple[NodeInfo, ...]:
    nodes: list[NodeInfo] = []
    emptied = {about for about in gone if about.kind == "Pod"}
    storage = any(about.kind in ("PersistentVolumeClaim", "PersistentVolume") for about, _ in steps)
    for info in state.nodes:
        node: Node = info.node
        own = steps.get((ref(node), ""))
        pods = tuple(one for one in info.pods if ref(one.pod) not in emptied) if emptied else info.pods
        if own or len(pods) != len(info.pods):
            info = NodeInfo(apply_to_object(node, own) if own else node, pods)
        elif storage:
            info = info.without(())  # What filters know of the volumes of its pods no longer holds.
        nodes.append(info)
    for about, name in steps:
        if name and about.kind == "Node" and about.name in state.node_by_name:
            model = state.node_by_name[about.name].node
            pods = _copied_pods(state.node_by_name[about.name], name, steps)
            nodes.append(NodeInfo(_with(model, name, steps[about, name]), pods))
    return tuple(sorted(nodes, key=lambda one: one.name))


def _copied_pods(model: NodeInfo, name: str, steps: AllSteps) -> tuple[PodInfo, ...]:
    """The pods of one node that also run on the new one."""
    there = {ref(one.pod): one.pod for one in model.pods}
    copies = (_with(there[about], new, own) for (about, new), own in steps.items() if new and about in there)
    return tuple(PodInfo(one) for one in copies if one.spec.node_name == name)
