"""A node is not ready.

## What it means
The control plane does not count on the node: it places no pods there, takes its pods out of Services, and after five
minutes starts to evict them. `Unknown` means that nothing is heard from the kubelet; `False` means that the kubelet
itself says what it lacks.

## Why it happens
- The machine is off, unreachable or out of memory; the kubelet is stopped or its certificate has expired (Unknown).
- The network plugin is not installed or not yet up: "cni plugin not initialized".
- The container runtime does not answer: "PLEG is not healthy", "container runtime is down".
- The node shuts down.

## How to fix it
1. Unknown: is the machine up, and is the kubelet running? `systemctl status kubelet`, `journalctl -u kubelet`.
2. False: repair what the message names; for a network plugin look at its pods on this node.
3. If the machine is gone for good, delete the Node, so that its pods are made elsewhere.

## References
- https://kubernetes.io/docs/concepts/architecture/nodes/#node-status
- https://kubernetes.io/docs/tasks/debug/debug-cluster/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from kubedoctor.cluster import Cluster, Condition, Evidence, Lease, Node, Pod, condition, finished, has_path, quote, ref
from kubedoctor.findings import Command, Confidence, Explains, Finding, Fix, Severity, diagnostic

READY = "status.conditions[type=Ready]"
JOINING = timedelta(minutes=2)
_REMOVAL = frozenset({"ToBeDeletedByClusterAutoscaler", "karpenter.sh/disrupted", "karpenter.sh/disruption"})
"""Taints of nodes that the cluster-autoscaler or Karpenter takes away."""
AT_ONCE = timedelta(seconds=10)
_CAUSES = (
    ("cni plugin not initialized", "it has no network plugin", "install the network plugin, or see why its pod fails"),
    ("NetworkPluginNotReady", "its network plugin is not ready", "see why the network plugin's pod on it fails"),
    ("NetworkReady=false", "its network plugin is not ready", "see why the network plugin's pod on it fails"),
    ("PLEG is not healthy", "its container runtime answers too slowly", "restart the container runtime on it"),
    ("container runtime is down", "its container runtime is down", "start the container runtime on it"),
    ("container runtime status check", "its container runtime does not answer", "restart the container runtime on it"),
    ("node is shutting down", "it is shutting down", "wait, or start the machine again"),
)


def unready(node: Node) -> bool:
    """Its Ready condition is not True, or there is none."""
    said = condition(node.status.conditions, "Ready")
    return said is None or said.status != "True"


@diagnostic(
    code="KD4001",
    subject=Node,
    severity=Severity.CRITICAL,
    reads=(Node, Pod, Lease),
    when=unready,
    # What ends or refuses a program is not the node's silence: those findings stay causes of their own.
    explains=(
        Explains("runs", ("KD1012", "KD1016", "KD1019", "KD1201", "KD2001", "KD2101")),
        Explains("same", ("KD1101",)),
    ),
    also_known_as=("NotReady", "NodeStatusUnknown"),
    symptoms=("KubeletNotReady", "NodeNotReady", "unreachable", "Unknown"),
)
def node_not_ready(node: Node, cluster: Cluster) -> Iterator[Finding]:
    said = condition(node.status.conditions, "Ready")
    if not node.name or not unready(node) or _joining(node, said, cluster):
        return
    pods = [pod for pod in cluster.maybe.pods_on(node.name) if not finished(pod)]
    evidence = [
        quote(node, f"{READY}.{field}", "")
        for field in ("status", "reason", "message")
        if has_path(node, f"{READY}.{field}")
    ]
    if not evidence:
        evidence.append(quote(node, "metadata.name", "its Ready condition says nothing"))
    if said is None:
        summary, fix = "the kubelet has never reported its state", "see whether the kubelet on it runs"
    elif said.status == "Unknown":
        summary, more = _silent(node, said, cluster)
        fix = "see whether the machine is up and start the kubelet on it"
        evidence += more
    else:
        summary, fix = _stated(said)
    leaving = node.metadata.deletion_timestamp is not None or any(
        taint.key in _REMOVAL for taint in node.spec.taints or ()
    )
    summary += "; it is being removed" if leaving else ""
    running = f"; {len(pods)} {'pod is' if len(pods) == 1 else 'pods are'} on it" if pods else ""
    yield Finding(
        about=ref(node),
        summary=f"NotReady: {summary}{running}",
        evidence=tuple(evidence),
        severity=Severity.NOTICE if leaving else None,
        confidence=Confidence.CERTAIN if said is not None else Confidence.LIKELY,
        affects=tuple(ref(pod) for pod in pods),
        fixes=(Fix(fix),),
        commands=(
            Command(f"kubectl describe node {node.name}", "its conditions and events"),
            Command(f"kubectl get pods -A -o wide --field-selector spec.nodeName={node.name}", "what runs on it"),
        ),
    )


def _joining(node: Node, said: Condition | None, cluster: Cluster) -> bool:
    """Joined moments ago and was never ready yet: its network plugin and its kubelet are on their way."""
    created = node.metadata.creation_timestamp
    if created is None or cluster.taken_at - created > JOINING:
        return False
    changed = said.last_transition_time if said is not None else None
    return changed is None or changed - created <= AT_ONCE


def _silent(node: Node, said: Condition, cluster: Cluster) -> tuple[str, list[Evidence]]:
    """Nothing is heard from the kubelet: since when."""
    lease = cluster.maybe.get(Lease, "kube-node-lease", node.name)
    renewed = lease.spec.renew_time if lease is not None else None
    last = renewed or said.last_heartbeat_time
    text = "the kubelet stopped reporting"
    if last is not None:
        text += f" {_age(cluster.taken_at - last)} ago"
    evidence = []
    if lease is not None and has_path(lease, "spec.renewTime"):
        evidence.append(quote(lease, "spec.renewTime", "when the kubelet was last heard of"))
    elif has_path(node, f"{READY}.lastHeartbeatTime"):
        evidence.append(quote(node, f"{READY}.lastHeartbeatTime", "when the kubelet was last heard of"))
    return text, evidence


def _stated(said: Condition) -> tuple[str, str]:
    """The kubelet says what it lacks."""
    message = " ".join(said.message.split())
    for words, meaning, fix in _CAUSES:
        if words.lower() in message.lower():
            return f"{meaning} ({message})", fix
    return message or said.reason or "the kubelet gives no reason", "repair what the kubelet's message names"


def _age(age: timedelta) -> str:
    seconds = max(0, int(age.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
