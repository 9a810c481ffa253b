"""Node is NotReady.

## What it means
The control plane schedules no pods to the node, removes its pods from the endpoints of Services, and after five minutes
starts to evict them. Status `Unknown` means that the kubelet stopped reporting. Status `False` means that the kubelet
reports what is wrong.

## Why it happens
- The machine is off, unreachable or out of memory, or the kubelet is stopped or its certificate has expired (Unknown).
- The network plugin is not installed or has not started: "cni plugin not initialized".
- The container runtime does not answer: "PLEG is not healthy", "container runtime is down".
- The node is shutting down.

## How to fix it
1. Unknown: check that the machine is up and the kubelet runs: `systemctl status kubelet`, `journalctl -u kubelet`.
2. False: fix what the message names; for a network plugin check its pods on this node.
3. If the machine will not return, delete the Node, so that its pods are recreated on other nodes.

## References
- https://kubernetes.io/docs/concepts/architecture/nodes/#node-status
- https://kubernetes.io/docs/tasks/debug/debug-cluster/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from diagnostics.nodes._network_plugin import network_plugin
from kubedoctor.cluster import (
    Cluster,
    Condition,
    DaemonSet,
    Evidence,
    Lease,
    Node,
    Pod,
    Ref,
    condition,
    counted,
    finished,
    has_path,
    human_duration,
    quote,
    ref,
)
from kubedoctor.findings import Command, Confidence, Explains, Finding, Fix, Severity, diagnostic

READY = "status.conditions[type=Ready]"
JOINING = timedelta(minutes=2)
_REMOVAL = frozenset({"ToBeDeletedByClusterAutoscaler", "karpenter.sh/disrupted", "karpenter.sh/disruption"})
"""Taints of nodes that the cluster-autoscaler or Karpenter removes."""
AT_ONCE = timedelta(seconds=10)
_NETWORK = (
    ("cni plugin not initialized", "no network plugin is running"),
    ("NetworkPluginNotReady", "the network plugin is not ready"),
    ("NetworkReady=false", "the network plugin is not ready"),
)
_CAUSES = (
    ("PLEG is not healthy", "the container runtime answers too slowly", "Restart the container runtime on the node"),
    ("container runtime is down", "the container runtime is down", "Start the container runtime on the node"),
    (
        "container runtime status check",
        "the container runtime does not answer",
        "Restart the container runtime on the node",
    ),
    ("node is shutting down", "the node is shutting down", "Wait, or start the machine again"),
)


def unready(node: Node) -> bool:
    """The Ready condition is not True, or is missing."""
    ready = condition(node.status.conditions, "Ready")
    return ready is None or ready.status != "True"


@diagnostic(
    code="KD4001",
    subject=Node,
    severity=Severity.CRITICAL,
    reads=(Node, Pod, Lease, DaemonSet),
    when=unready,
    # A node that does not report cannot end or reject a program: such findings stay causes of their own.
    explains=(
        Explains("runs", ("KD1012", "KD1016", "KD1019", "KD1022", "KD1201", "KD2001", "KD2101")),
        Explains("same", ("KD1101",)),
    ),
    also_known_as=("NotReady", "NodeStatusUnknown"),
    symptoms=("KubeletNotReady", "NodeNotReady", "unreachable", "Unknown"),
)
def node_not_ready(node: Node, cluster: Cluster) -> Iterator[Finding]:
    ready = condition(node.status.conditions, "Ready")
    if not node.name or _joining(node, ready, cluster):
        return
    pods = [pod for pod in cluster.maybe.pods_on(node.name) if not finished(pod)]
    evidence = [
        quote(node, f"{READY}.{field}", "")
        for field in ("status", "reason", "message")
        if has_path(node, f"{READY}.{field}")
    ]
    if not evidence:
        evidence.append(quote(node, "metadata.name", "it has no Ready condition"))
    blamed: tuple[Ref, ...] = ()
    if ready is None:
        summary, fix = "the kubelet has never reported its status", "Check whether the kubelet runs on the node"
    elif ready.status == "Unknown":
        summary, more = _silent(node, ready, cluster)
        fix = "Check that the machine is up, and start the kubelet on it"
        evidence += more
    elif meaning := _network(ready):
        plugin = network_plugin(node, cluster)
        detail = f"; {plugin.summary}" if plugin.summary else ""
        summary, fix = f"{meaning}{detail} ({' '.join(ready.message.split())})", plugin.fix
        evidence += plugin.evidence
        blamed = (ref(plugin.suspect),) if plugin.suspect is not None else ()
    else:
        summary, fix = _stated(ready)
    leaving = node.metadata.deletion_timestamp is not None or any(
        taint.key in _REMOVAL for taint in node.spec.taints or ()
    )
    summary += "; the node is being removed" if leaving else ""
    running = f"; {counted(len(pods), 'pod')} on it" if pods else ""
    yield Finding(
        about=ref(node),
        summary=f"NotReady: {summary}{running}",
        evidence=tuple(evidence),
        severity=Severity.NOTICE if leaving else None,
        confidence=Confidence.CERTAIN if ready is not None else Confidence.LIKELY,
        affects=tuple(ref(pod) for pod in pods),
        because_of=blamed,
        fixes=(Fix(fix),),
        commands=(
            Command(f"kubectl describe node {node.name}", "conditions and events of the node"),
            Command(f"kubectl get pods -A -o wide --field-selector spec.nodeName={node.name}", "the pods on the node"),
        ),
    )


def _joining(node: Node, ready: Condition | None, cluster: Cluster) -> bool:
    """The node joined moments ago and was not ready before: its network plugin and kubelet are starting."""
    created = node.metadata.creation_timestamp
    if created is None or cluster.taken_at - created > JOINING:
        return False
    changed = ready.last_transition_time if ready is not None else None
    return changed is None or changed - created <= AT_ONCE


def _silent(node: Node, ready: Condition, cluster: Cluster) -> tuple[str, list[Evidence]]:
    """The time since which the kubelet has not reported."""
    lease = cluster.maybe.get(Lease, "kube-node-lease", node.name)
    renewed = lease.spec.renew_time if lease is not None else None
    last = renewed or ready.last_heartbeat_time
    text = "the kubelet stopped reporting"
    if last is not None:
        text += f" {human_duration(max(cluster.taken_at - last, timedelta()))} ago"
    evidence = []
    if lease is not None and has_path(lease, "spec.renewTime"):
        evidence.append(quote(lease, "spec.renewTime", "the kubelet's last report"))
    elif has_path(node, f"{READY}.lastHeartbeatTime"):
        evidence.append(quote(node, f"{READY}.lastHeartbeatTime", "the kubelet's last report"))
    return text, evidence


def _network(ready: Condition) -> str:
    """What the kubelet reports about the network; empty where its message is about something else."""
    return next((meaning for words, meaning in _NETWORK if words.lower() in ready.message.lower()), "")


def _stated(ready: Condition) -> tuple[str, str]:
    """What the kubelet reports, and the fix."""
    message = " ".join(ready.message.split())
    for words, meaning, fix in _CAUSES:
        if words.lower() in message.lower():
            return f"{meaning} ({message})", fix
    return message or ready.reason or "the kubelet gives no reason", "Fix what the kubelet's message names"
