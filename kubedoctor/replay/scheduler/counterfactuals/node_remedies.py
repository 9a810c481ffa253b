"""What to do about nodes: cordons, taints, labels that a pod asks for, and one node more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kubedoctor.cluster.changes import Operation, Path, Step
from kubedoctor.cluster.grammar.nearest import likeness
from kubedoctor.cluster.grammar.selectors import CompiledNodeSelector
from kubedoctor.cluster.grammar.tolerations import untolerated
from kubedoctor.cluster.kinds.affinity import NodeSelectorRequirement, NodeSelectorTerm
from kubedoctor.cluster.kinds.core import Node, Taint
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.replay.scheduler.counterfactuals.edits import Edit, Kind
from kubedoctor.replay.scheduler.plugins.required_node_affinity import required_terms
from kubedoctor.replay.scheduler.plugins.taint_toleration import taint_text
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo
from kubedoctor.replay.scheduler.well_known import CORDON, HOSTNAME

Remedy = tuple[Edit, ...]

_REQUIRED: Path = ("spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
_KUBERNETES_OWN = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")


def uncordon(node: Node) -> Edit:
    """Also takes away the taint that goes with the cordon."""
    steps = [Step(("spec", "unschedulable"), False)]
    steps += [
        Step(("spec", "taints", index), remove=True)
        for index, taint in enumerate(node.spec.taints or ())
        if taint.key == CORDON.key
    ]
    operation = Operation(ref(node), tuple(steps))
    return Edit(Kind.UNCORDON, ref(node), f"uncordon {node.name}", (operation,), weight=3)


def about_taints(pod: Pod, node: Node) -> list[Remedy]:
    """Tolerate all taints that are in the way, or take them off the node. Taints by which Kubernetes itself says how
    the node is come back, and tolerating them does not heal it."""
    minded = [(index, one) for index, one in enumerate(node.spec.taints or ()) if _minds(pod, one)]
    cordons = [one for _, one in minded if one.key == CORDON.key]
    others = [(index, one) for index, one in minded if one.key != CORDON.key]
    if any(one.key.startswith(_KUBERNETES_OWN) for _, one in others):
        return []
    before: Remedy = (uncordon(node),) if cordons else ()
    tolerated = {(one.key, one.value, one.effect): _tolerate(pod, one) for _, one in others}
    removed = tuple(_remove_taint(node, index, one) for index, one in others)
    return [(*before, *tolerated.values()), (*before, *removed)]


def _minds(pod: Pod, taint: Taint) -> bool:
    return untolerated(pod.spec.tolerations, (taint,)) is not None


def _tolerate(pod: Pod, taint: Taint) -> Edit:
    toleration = {"key": taint.key, "operator": "Equal", "value": taint.value, "effect": taint.effect}
    if not taint.value:
        toleration = {"key": taint.key, "operator": "Exists", "effect": taint.effect}
    operation = Operation(ref(pod), (Step(("spec", "tolerations", "-"), toleration),))
    arguments = (taint.key, taint.value, taint.effect)
    return Edit(Kind.ADD_TOLERATION, ref(pod), f"tolerate the taint {taint_text(taint)}", (operation,), arguments, 3)


def _remove_taint(node: Node, index: int, taint: Taint) -> Edit:
    operation = Operation(ref(node), (Step(("spec", "taints", index), remove=True),))
    text = f"remove the taint {taint_text(taint)} from {node.name}"
    return Edit(Kind.REMOVE_TAINT, ref(node), text, (operation,), (taint.key, taint.value, taint.effect), 6)


def about_labels(pod: Pod, node: Node) -> list[Remedy]:
    """Ask for the labels that the node has, or do not ask."""
    selector = _about_selector(pod, node)
    terms = _about_terms(pod, node)
    if not terms:
        return selector
    return [(*one, *other) for one in selector or [()] for other in terms]


def _about_selector(pod: Pod, node: Node) -> list[Remedy]:
    wrong = sorted(
        (key, value) for key, value in (pod.spec.node_selector or {}).items() if node.labels.get(key) != value
    )
    corrected: list[Edit] = []
    dropped: list[Edit] = []
    for key, value in wrong:
        path = ("spec", "nodeSelector", key)
        text = f"drop the node selector {key}={value}"
        drop = Edit(Kind.DROP_SELECTOR, ref(pod), text, (Operation(ref(pod), (Step(path, remove=True),)),), (key,), 4)
        found = node.labels.get(key)
        correct = drop
        if found is not None and key != HOSTNAME:
            text = f"ask for {key}={found} in place of {key}={value}"
            operation = Operation(ref(pod), (Step(path, found),))
            weight = 2 - likeness(value, found)
            correct = Edit(Kind.CORRECT_SELECTOR, ref(pod), text, (operation,), (key, found), weight)
        corrected.append(correct)
        dropped.append(drop)
    if not wrong:
        return []
    return [tuple(corrected), tuple(dropped)] if corrected != dropped else [tuple(dropped)]


def _about_terms(pod: Pod, node: Node) -> list[Remedy]:
    required = required_terms(pod)
    if required is None or CompiledNodeSelector(required.node_selector_terms).matches(node.labels, node.name):
        return []
    found: list[Remedy] = []
    for index, term in enumerate(required.node_selector_terms or ()):
        found += _about_term(pod, node, index, term)
    operation = Operation(ref(pod), (Step(_REQUIRED, remove=True),))
    found.append((Edit(Kind.DROP_AFFINITY, ref(pod), "drop the required node affinity", (operation,), ("",), 5),))
    return found


def _about_term(pod: Pod, node: Node, index: int, term: NodeSelectorTerm) -> list[Remedy]:
    """Where one requirement alone is in the way."""
    wrong: list[tuple[Path, NodeSelectorRequirement]] = []
    for field, requirements in (("matchExpressions", term.match_expressions), ("matchFields", term.match_fields)):
        for position, one in enumerate(requirements or ()):
            if not _holds(one, node, fields=field == "matchFields"):
                wrong.append(((*_REQUIRED, "nodeSelectorTerms", index, field, position), one))
    if len(wrong) != 1:
        return []
    path, one = wrong[0]
    found: list[Remedy] = []
    value = node.labels.get(one.key)
    values = one.values or ()
    if one.operator == "In" and value is not None and "matchExpressions" in path and one.key != HOSTNAME:
        weight = 2 - max((likeness(each, value) for each in values), default=0)
        text = f"allow {one.key}={value} in the required node affinity"
        operation = Operation(ref(pod), (Step((*path, "values", "-"), value),))
        found.append((Edit(Kind.CORRECT_AFFINITY, ref(pod), text, (operation,), (one.key, value), weight),))
    if len(term.match_expressions or ()) + len(term.match_fields or ()) > 1:
        wanted = f"{one.key} {one.operator} {','.join(values)}".strip()
        operation = Operation(ref(pod), (Step(path, remove=True),))
        text = f"drop {wanted} from the required node affinity"
        found.append((Edit(Kind.DROP_AFFINITY, ref(pod), text, (operation,), (one.key,), 4),))
    return found


def _holds(requirement: NodeSelectorRequirement, node: Node, *, fields: bool) -> bool:
    alone = (requirement,)
    term = NodeSelectorTerm(match_fields=alone) if fields else NodeSelectorTerm(match_expressions=alone)
    return CompiledNodeSelector((term,)).matches(node.labels, node.name)


def drop_node_name(pod: Pod) -> Edit:
    """The pod then goes where the scheduler wants it."""
    operation = Operation(ref(pod), (Step(("spec", "nodeName"), ""),))
    return Edit(Kind.DROP_NODE_NAME, ref(pod), f"do not name the node {pod.spec.node_name}", (operation,), weight=5)


def one_more(info: NodeInfo, state: ClusterState, place: Mapping[str, str] | None = None) -> Edit:
    """A node with the labels, taints and room of another, on which only pods of DaemonSets run; it is not cordoned and
    well. What only the other node has by its name, such as local volumes, it has not. `place`: other labels that say
    in which zone it is."""
    node = info.node
    name = next(
        each for number in range(1, len(state.nodes) + 2) if (each := f"{node.name}-{number}") not in state.node_by_name
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
            ref(one.pod),
            (Step(("spec", "nodeName"), name), Step(("metadata", "uid"), f"{one.pod.metadata.uid}-{name}")),
            copy_as=f"{one.pod.name}-{name}",
        )
        for one in info.pods
        if of_daemon_set(one.pod)
    ]
    where = f", but in {' and '.join(sorted(set(place.values())))}" if place else ""
    arguments = (node.name, *(f"{key}={value}" for key, value in (place or {}).items()))
    text = f"add one more node like {node.name}{where}"
    return Edit(Kind.ADD_NODE, ref(node), text, tuple(operations), arguments, 7 if not place else 7.5)


def of_daemon_set(pod: Pod) -> bool:
    """Such a pod runs on every node that it tolerates."""
    return any(one.controller and one.kind == "DaemonSet" for one in pod.metadata.owner_references or ())


def _without(taints: Iterable[Taint]) -> list[Step]:
    return [
        Step(("spec", "taints", index), remove=True)
        for index, taint in enumerate(taints)
        if taint.key.startswith(_KUBERNETES_OWN)
    ]
