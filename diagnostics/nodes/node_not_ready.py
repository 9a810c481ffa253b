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
4. If the machine is off for longer, mark it out of service: `kubectl taint nodes NODE
   node.kubernetes.io/out-of-service=nodeshutdown:NoExecute`. Its volumes are then detached. Never while it still runs.

## References
- https://kubernetes.io/docs/concepts/architecture/nodes/#node-status
- https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#non-graceful-node-shutdown
- https://kubernetes.io/docs/tasks/debug/debug-cluster/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from diagnostics.nodes._events import recent_events
from diagnostics.nodes._held import held_by
from diagnostics.nodes._leaving import is_removed
from diagnostics.nodes._network_plugin import look_at_plugin, network_plugin
from diagnostics.nodes._stated import stated
from diagnostics.nodes.shortage._long_list import REPAIR, too_long
from kubedoctor.cluster import (
    Cluster,
    Condition,
    DaemonSet,
    Event,
    Evidence,
    Lease,
    Node,
    Pod,
    Ref,
    VolumeAttachment,
    condition,
    counted,
    finished,
    has_path,
    human_duration,
    listed,
    quote,
    ref,
    statuses_were_recorded,
)
from kubedoctor.findings import Command, Confidence, Explains, Finding, Fix, Severity, diagnostic, kubectl
from kubedoctor.replay.messages.classes import MessageClass

READY = "status.conditions[type=Ready]"
JOINING = timedelta(minutes=2)
_STILL = timedelta(minutes=15)
"""The kubelet cleans up every minute."""
AT_ONCE = timedelta(seconds=10)
_MACHINE_OFF = "node.cloudprovider.kubernetes.io/shutdown"
"""The taint of a node whose machine the cloud calls shut down (`k8s.io/cloud-provider/api`, v1.37)."""


def unready(node: Node) -> bool:
    """The Ready condition is not True, or is missing."""
    ready = condition(node.status.conditions, "Ready")
    return ready is None or ready.status != "True"


@diagnostic(
    code="KD4001",
    subject=Node,
    severity=Severity.CRITICAL,
    reads=(Node, Pod, Lease, DaemonSet, VolumeAttachment, Event),
    when=unready,
    # A node that does not report cannot end or reject a program: such findings stay causes of their own.
    explains=(
        Explains("runs", ("KD1012", "KD1016", "KD1019", "KD1022", "KD1201", "KD1215", "KD2001", "KD2005", "KD2101")),
        Explains("same", ("KD1023", "KD1101", "KD4010")),
    ),
    also_known_as=("NotReady", "NodeStatusUnknown"),
    symptoms=("KubeletNotReady", "NodeNotReady", "unreachable", "Unknown"),
)
def node_not_ready(node: Node, cluster: Cluster) -> Iterator[Finding]:
    ready = condition(node.status.conditions, "Ready")
    if not node.name or (ready is None and not statuses_were_recorded(cluster.snapshot)):
        return
    pods = [pod for pod in cluster.maybe.pods_on(node.name) if not finished(pod)]
    if _joining(node, ready, pods, cluster):
        return
    evidence = [
        quote(node, f"{READY}.{field}", "")
        for field in ("status", "reason", "message")
        if has_path(node, f"{READY}.{field}")
    ]
    if not evidence:
        evidence.append(quote(node, "metadata.name", "it has no Ready condition"))
    why = _why(node, ready, pods, cluster)
    leaving = is_removed(node)
    removed = "; the node is being removed" if leaving else ""
    running = f"; {counted(len(pods), 'pod')} on it" if pods else ""
    yield Finding(
        about=ref(node),
        summary=f"NotReady: {why.summary}{removed}{running}",
        evidence=(*evidence, *why.evidence),
        severity=Severity.NOTICE if leaving else None,
        confidence=Confidence.CERTAIN if ready is not None else Confidence.LIKELY,
        affects=tuple(ref(pod) for pod in pods),
        because_of=why.blamed,
        detail=why.detail,
        fixes=why.fixes,
        commands=(
            Command(kubectl("describe", "node", node.name), "conditions and events of the node"),
            Command(
                kubectl("get", "pods", "-A", "-o", "wide", "--field-selector", f"spec.nodeName={node.name}"),
                "the pods on the node",
            ),
            *why.commands,
        ),
    )


class _Why(NamedTuple):
    summary: str
    fixes: tuple[Fix, ...]
    evidence: tuple[Evidence, ...] = ()
    blamed: tuple[Ref, ...] = ()
    detail: str = ""
    commands: tuple[Command, ...] = ()


def _why(node: Node, ready: Condition | None, pods: list[Pod], cluster: Cluster) -> _Why:
    if ready is None or ready.reason == "NodeStatusNeverUpdated":
        return _Why("the kubelet has never reported its status", (Fix("Check whether the kubelet runs on the node"),))
    if ready.status == "Unknown":
        return _silent(node, ready, pods, cluster)
    said = stated(node, ready)
    if said.kind is MessageClass.NODE_PLEG and (long := _long_list(node, cluster)) is not None:
        return _Why(f"{said.summary}; {long.words}", (Fix(REPAIR),), (long.evidence,))
    if said.kind is not MessageClass.NODE_NETWORK_NOT_READY:
        return _Why(said.summary, (said.fix,))
    plugin = network_plugin(node, cluster)
    detail = f"; {plugin.summary}" if plugin.summary else ""
    blamed = (ref(plugin.suspect),) if plugin.suspect is not None else ()
    return _Why(f"{said.summary}{detail}", plugin.fixes, plugin.evidence, blamed, commands=look_at_plugin(plugin))


class _LongList(NamedTuple):
    words: str
    evidence: Evidence


def _long_list(node: Node, cluster: Cluster) -> _LongList | None:
    """The kubelet lists the containers for PLEG and for its clean-up; only of the latter it writes events."""
    for event in recent_events(node, cluster, "ContainerGCFailed", "ImageGCFailed", within=_STILL):
        if has_path(event, "message") and (words := too_long(event.message)):
            return _LongList(words, quote(event, "message", event.reason))
    return None


def _joining(node: Node, ready: Condition | None, pods: list[Pod], cluster: Cluster) -> bool:
    """The node joined moments ago and was not ready before: its network plugin and kubelet are starting. A pod that has an
    address of the pod network shows that it was."""
    created = node.metadata.creation_timestamp
    if created is None or cluster.taken_at - created > JOINING:
        return False
    if any(pod.status.pod_ip and not pod.spec.host_network for pod in pods):
        return False
    changed = ready.last_transition_time if ready is not None else None
    return changed is None or changed - created <= AT_ONCE


def _silent(node: Node, ready: Condition, pods: list[Pod], cluster: Cluster) -> _Why:
    """Since when the kubelet has not reported, and what waits for it."""
    lease = cluster.maybe.get(Lease, "kube-node-lease", node.name)
    renewed = lease.spec.renew_time if lease is not None else None
    last = renewed or ready.last_heartbeat_time
    silent = max(cluster.taken_at - last, timedelta()) if last is not None else timedelta()
    text = f"the kubelet stopped reporting{f' {human_duration(silent)} ago' if last is not None else ''}"
    evidence = []
    if lease is not None and has_path(lease, "spec.renewTime"):
        evidence.append(quote(lease, "spec.renewTime", "the kubelet's last report"))
    elif has_path(node, f"{READY}.lastHeartbeatTime"):
        evidence.append(quote(node, f"{READY}.lastHeartbeatTime", "the kubelet's last report"))
    off = any(taint.key == _MACHINE_OFF for taint in node.spec.taints or ())
    if off:
        text += ", and the cloud reports that the machine is shut down"
        evidence.append(quote(node, "spec.taints", "set by the cloud's controller"))
        first = Fix("Start the machine again, or delete the node if it will not return")
    else:
        first = Fix(
            "Check that the machine is up and reaches the API server, and start the kubelet on it; its log names an expired"
            " certificate or a missing file: `journalctl -u kubelet`"
        )
    held = held_by(node, pods, silent, cluster)
    return _Why(
        text,
        (first, *held.fixes),
        (*evidence, *held.evidence),
        detail=" ".join((*_also_silent(node, cluster), *held.words)),
    )


def _also_silent(node: Node, cluster: Cluster) -> tuple[str, ...]:
    """Several nodes at once have one cause: their network, or the API server's address."""
    nodes = cluster.snapshot.of_kind("Node")
    silent = [
        other.metadata.name
        for other in nodes
        if isinstance(other, Node)
        and (ready := condition(other.status.conditions, "Ready")) is not None
        and ready.status == "Unknown"
    ]
    if len(silent) < 2:
        return ()
    names = listed(sorted(name for name in silent if name != node.name), 3)
    return (f"{len(silent)} of {len(nodes)} nodes stopped reporting, also {names}: look for what they share.",)
