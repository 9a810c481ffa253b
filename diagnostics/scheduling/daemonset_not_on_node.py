"""DaemonSet has no pod on some nodes.

## What it means
The DaemonSet controller creates a pod for each node that the node selector, node affinity and tolerations of its
template allow. Other nodes run no pod of it: no logs, no metrics, no network or storage driver. This is often intended;
for an agent that every node needs it is a gap that shows only later.

## Why it happens
- The nodes have a taint that the template does not tolerate: a new node pool for GPUs or for a team.
- The node selector or affinity names a label that these nodes do not have, or that no node has: a typo.

Pods of DaemonSets tolerate the taints of node conditions (not ready, pressure, cordoned) by default.

## How to fix it
1. Decide whether these nodes need the DaemonSet. If not, nothing is wrong.
2. Add a toleration to the template; agents for every node use `operator: Exists` without a key.
3. Correct the selector, or label the nodes.

## References
- https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations
- https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from kubedoctor.answers.placement.explaining.case import names
from kubedoctor.answers.rollouts.daemon_nodes import tolerate
from kubedoctor.cluster import (
    Cluster,
    DaemonSet,
    Evidence,
    Node,
    Pod,
    Taint,
    counted,
    has_path,
    nearest_labels,
    pods_of,
    quote,
    ref,
)
from kubedoctor.cluster.changes import edit, labels_instead
from kubedoctor.findings import Command, Confidence, Effect, Finding, Fix, Severity, command_line, diagnostic
from kubedoctor.replay.scheduler.plugins.taint_toleration import taint_text
from kubedoctor.replay.scheduler.well_known import CONTROL_PLANE
from kubedoctor.replay.workloads.daemon_sets import is_for, taint_against
from kubedoctor.replay.workloads.in_progress import seen_by_its_controller

_NODE = "node.kubernetes.io/"
_TEMPLATE = ("spec", "template", "spec")
_DESIRED = "status.desiredNumberScheduled"

_LOOK = Command(
    "kubectl get nodes -o custom-columns=NAME:.metadata.name,TAINTS:.spec.taints,LABELS:.metadata.labels",
    "taints and labels of the nodes, to compare with the template",
)


@diagnostic(
    code="KD1103",
    subject=DaemonSet,
    severity=Severity.WARNING,
    reads=(DaemonSet, Node, Pod),
    when=seen_by_its_controller,
    also_known_as=("daemonset missing on node",),
    symptoms=("FailedDaemonPod",),
)
def daemonset_not_on_node(daemon_set: DaemonSet, cluster: Cluster) -> Iterator[Finding]:
    if daemon_set.metadata.deletion_timestamp is not None:
        return
    nodes = cluster.all(Node)
    allowed = [node for node in nodes if is_for(daemon_set, node)]
    kept_away = [(node, taint) for node in allowed if (taint := taint_against(daemon_set, node)) is not None]
    desired = len(allowed) - len(kept_away)
    agrees = has_path(daemon_set, _DESIRED) and desired == daemon_set.status.desired_number_scheduled
    confidence = Confidence.CERTAIN if agrees else Confidence.LIKELY
    if nodes and not allowed:
        yield from _selects_nothing(daemon_set, nodes, confidence)
        return
    rejecting = [(node, taint) for node, taint in kept_away if taint.key not in CONTROL_PLANE]
    if not rejecting:
        return
    running = {pod.spec.node_name for pod in pods_of(daemon_set, cluster)}
    missing = [
        (node, taint) for node, taint in rejecting if node.name not in running and not taint.key.startswith(_NODE)
    ]
    if missing:
        yield _tainted(daemon_set, missing, confidence)


def _desired(daemon_set: DaemonSet, shows: str) -> Iterator[Evidence]:
    if has_path(daemon_set, _DESIRED):  # A manifest has no status.
        yield quote(daemon_set, _DESIRED, shows)


def _tainted(daemon_set: DaemonSet, missing: list[tuple[Node, Taint]], confidence: Confidence) -> Finding:
    by_taint: dict[str, list[Node]] = defaultdict(list)
    for node, taint in missing:
        by_taint[taint_text(taint)].append(node)
    texts = "; ".join(f"taint {text} on {names(node.name for node in nodes)}" for text, nodes in by_taint.items())
    some = counted(len(missing), "node")
    return Finding(
        about=ref(daemon_set),
        summary=f"no pod on {some}: it does not tolerate {texts}",
        evidence=(
            *(quote(nodes[0], "spec.taints", "not tolerated by the template") for nodes in by_taint.values()),
            *_desired(daemon_set, "the number of nodes that it is for"),
        ),
        confidence=confidence,
        fixes=tuple(tolerate(daemon_set, taint) for taint in {taint_text(one): one for _, one in missing}.values()),
        commands=(_LOOK,),
        severity=Severity.NOTICE,
    )


def _selects_nothing(daemon_set: DaemonSet, nodes: tuple[Node, ...], confidence: Confidence) -> Iterator[Finding]:
    """Intended where no node has a similar label: that is how DaemonSets are switched off."""
    selector = daemon_set.spec.template.spec.node_selector or {}
    near = nearest_labels(selector, (node.labels for node in nodes)) if selector else None
    selector_text = ", ".join(f"{key}={value}" for key, value in selector.items())
    about = ref(daemon_set)
    evidence = [*_desired(daemon_set, f"of {counted(len(nodes), 'node')}")]
    fixes: tuple[Fix, ...] = ()
    if selector:
        evidence.insert(0, quote(daemon_set, "spec.template.spec.nodeSelector", "no node has these labels"))
    else:
        evidence.insert(0, quote(daemon_set, "spec.template.spec.affinity.nodeAffinity", "no node matches it"))
    if near is not None:
        line = command_line(edit(about, *labels_instead((*_TEMPLATE, "nodeSelector"), near)), daemon_set)
        fixes = (Fix(f"Set nodeSelector {near.text}, which nodes have", line, Effect.DISRUPTS),)
    hint = f"; did you mean {near.text}?" if near is not None else ""
    yield Finding(
        about=about,
        summary=f"matches no node: {f'no node has the label {selector_text}' if selector_text else 'no node matches its node affinity'}{hint}",
        evidence=tuple(evidence),
        confidence=confidence,
        fixes=fixes,
        commands=(_LOOK,),
        severity=None if near is not None else Severity.NOTICE,
    )
