"""A new node with the properties of an existing one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kubedoctor.cluster.changes import Operation, Step
from kubedoctor.cluster.kinds.core import Taint
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.replay.scheduler.remedies.edits import Edit, Kind
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo
from kubedoctor.replay.scheduler.well_known import HOSTNAME, KUBERNETES_OWN


def one_more(info: NodeInfo, state: ClusterState, place: Mapping[str, str] | None = None) -> Edit:
    """A node with the labels, taints and room of another, on which only pods of DaemonSets run; it is healthy and
    not cordoned. It lacks what is tied to the other node's name, such as local volumes. `place`: other labels that say in
    which zone it is."""
    node = info.node
    name = next(
        free_name
        for number in range(1, len(state.nodes) + 2)
        if (free_name := f"{node.name}-{number}") not in state.node_by_name
    )
    steps = [Step(("metadata", "uid"), f"{node.metadata.uid}-{name}"), Step(("spec", "unschedulable"), False)]
    own = {node.name, node.labels.get(HOSTNAME)}
    steps += [Step(("metadata", "labels", key), name) for key, value in node.labels.items() if value in own]
    steps += [Step(("metadata", "labels", key), value) for key, value in (place or {}).items()]
    steps += _without(node.spec.taints or ())
    operations = [Operation(ref(node), tuple(steps), copy_as=name)]
    if node.name in state.csi_nodes:
        operations.append(Operation(Ref("CSINode", "", node.name), copy_as=name))
    operations += [
        Operation(
            ref(pod.pod),
            (Step(("spec", "nodeName"), name), Step(("metadata", "uid"), f"{pod.pod.metadata.uid}-{name}")),
            copy_as=f"{pod.pod.name}-{name}",
        )
        for pod in info.pods
        if of_daemon_set(pod.pod)
    ]
    arguments = (node.name, *(f"{key}={value}" for key, value in (place or {}).items()))
    names = tuple(sorted(set((place or {}).values())))
    return Edit(
        Kind.ADD_NODE, ref(node), tuple(operations), arguments, 7 if not place else 7.5, node=node.name, names=names
    )


def of_daemon_set(pod: Pod) -> bool:
    """Whether the pod belongs to a DaemonSet: such a pod runs on every node that it tolerates."""
    return any(owner.controller and owner.kind == "DaemonSet" for owner in pod.metadata.owner_references or ())


def _without(taints: Iterable[Taint]) -> list[Step]:
    return [
        Step(("spec", "taints", index), remove=True)
        for index, taint in enumerate(taints)
        if taint.key.startswith(KUBERNETES_OWN)
    ]
