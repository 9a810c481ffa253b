"""DaemonSet still runs on nodes that it is no longer for.

## What it means
The nodes got a taint after the pods were placed. A `NoSchedule` taint ends no pod, so they keep running; but the controller
counts these nodes as misscheduled, and creates no pod there again: after the next restart of the node, eviction or rollout
the node is without the DaemonSet.

## Why it happens
- A node pool was tainted for a team or for GPUs, and the agents of all nodes were forgotten.
- The DaemonSet should leave these nodes: then its pods are deleted once.

## How to fix it
1. If the nodes need it, add a toleration to the template.
2. If they do not, delete the pods there; they do not come back.

## References
- https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from kubedoctor.answers.placement.explaining.case import names
from kubedoctor.answers.rollouts.daemon_nodes import tolerate
from kubedoctor.cluster import Cluster, DaemonSet, Node, Pod, Taint, counted, finished, pods_of, quote, ref, terminating
from kubedoctor.findings import Command, Confidence, Finding, Severity, diagnostic, kubectl
from kubedoctor.replay.scheduler.plugins.taint_toleration import taint_text
from kubedoctor.replay.workloads.daemon_sets import is_for, taint_against
from kubedoctor.replay.workloads.in_progress import seen_by_its_controller

_COUNT = "status.numberMisscheduled"


def misscheduled(daemon_set: DaemonSet) -> bool:
    """The controller counts nodes that should not run it, and its count is about the current template."""
    return daemon_set.status.number_misscheduled > 0 and seen_by_its_controller(daemon_set)


@diagnostic(
    code="KD1218",
    subject=DaemonSet,
    severity=Severity.NOTICE,
    reads=(DaemonSet, Node, Pod),
    when=misscheduled,
    symptoms=("numberMisscheduled", "Misscheduled"),
)
def daemonset_misscheduled(daemon_set: DaemonSet, cluster: Cluster) -> Iterator[Finding]:
    if daemon_set.metadata.deletion_timestamp is not None:
        return
    pods = [pod for pod in pods_of(daemon_set, cluster) if pod.spec.node_name]
    pods = [pod for pod in pods if not (finished(pod) or terminating(pod))]
    cluster.together(*(lambda name=pod.spec.node_name: cluster.get(Node, "", name) for pod in pods))
    by_taint: dict[str, list[tuple[Node, Taint, Pod]]] = defaultdict(list)
    for pod in pods:
        node = cluster.get(Node, "", pod.spec.node_name)
        taint = taint_against(daemon_set, node) if node is not None and is_for(daemon_set, node) else None
        if node is not None and taint is not None:
            by_taint[taint_text(taint)].append((node, taint, pod))
    found = [one for group in by_taint.values() for one in group]
    if not found:
        return
    texts = "; ".join(f"taint {text} on {names(node.name for node, _, _ in group)}" for text, group in by_taint.items())
    agrees = len({node.name for node, _, _ in found}) == daemon_set.status.number_misscheduled
    yield Finding(
        about=ref(daemon_set),
        summary=f"still runs on {counted(len(found), 'node')} that it does not tolerate any more ({texts}): a pod that ends "
        "there is not created again",
        evidence=(
            quote(daemon_set, _COUNT, "nodes that run it and should not, by its controller"),
            *(quote(group[0][0], "spec.taints", "not tolerated by the template") for group in by_taint.values()),
            quote(found[0][2], "spec.nodeName", "a pod that runs there"),
        ),
        confidence=Confidence.CERTAIN if agrees else Confidence.LIKELY,
        affects=tuple(ref(pod) for _, _, pod in found),
        fixes=tuple(tolerate(daemon_set, group[0][1]) for group in by_taint.values()),
        commands=(
            Command(kubectl("get", "pods", "-o", "wide", namespace=daemon_set.namespace), "which node each pod is on"),
        ),
    )
