"""Pod sandbox cannot be created (FailedCreatePodSandBox).

## What it means
Before the first container, the kubelet has the runtime create the pod's sandbox: its pause container, and its network by
the CNI plugin. That fails on this node, so that the pod stays ContainerCreating. The kubelet tries again every few
seconds.

## Why it happens
- The network plugin has no free IP address: the node's range, the address pool or the subnet is used up.
- The network plugin's agent does not run on the node, or its program or configuration is missing there.
- The agent has no access to the Kubernetes API: its token has expired, or a role is missing.
- The sandbox image (`pause`) cannot be pulled by the node.
- The pod names an additional network or a RuntimeClass that the node does not have.
- The container runtime or the kernel of the node.

## How to fix it
1. Look at the network plugin's pod on the node named in the message, and at its log.
2. Free or add addresses: delete unused pods, enlarge the pool or the subnet.
3. If other nodes create sandboxes: cordon this one and delete the pod.

## References
- https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/network-plugins/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from diagnostics.pods._consequences import CONSEQUENCES
from diagnostics.pods._node import blamed_node
from diagnostics.pods.starting._creation import nothing_created
from kubedoctor.cluster import WORKLOADS, Cluster, Event, Pod, not_ready, ref, times, visible_end
from kubedoctor.findings import (
    Confidence,
    Finding,
    Fix,
    Severity,
    active,
    at_fault,
    diagnostic,
    fix_by_hand,
    has_path,
    look_at_pod,
    newest_event,
    quote,
)
from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.reader import read_message
from kubedoctor.replay.messages.wrappers import without_wrappers

PATIENCE = timedelta(minutes=1)
MANY = 3
_AFTER_THE_SANDBOX = frozenset({"Pulling", "Pulled", "Created", "Started", "Failed", "BackOff"})
_PLUGIN = re.compile(r'plugin type="([^"]+)"|for plugin "([^"]+)"')
_WORDS = {
    MessageClass.SANDBOX_NO_ADDRESSES: "network plugin {plugin} has no free IP address",
    MessageClass.SANDBOX_PLUGIN_MISSING: "a program of the network plugin is missing",
    MessageClass.SANDBOX_AGENT_DOWN: "network plugin {plugin} does not run there, or is not configured",
    MessageClass.SANDBOX_API_ACCESS: "network plugin {plugin} cannot use the Kubernetes API",
    MessageClass.SANDBOX_ATTACHMENT: "an additional network of the pod is missing",
    MessageClass.SANDBOX_PAUSE_IMAGE: "the sandbox image cannot be pulled",
    MessageClass.SANDBOX_RUNTIME_HANDLER: "the runtime handler of the pod's RuntimeClass is not configured",
    MessageClass.SANDBOX_RUNTIME: "the container runtime fails or hangs",
    MessageClass.SANDBOX_NODE: "a setting of the node prevents it",
    MessageClass.START_MEMORY_TOO_SMALL: "the pod's memory limit is too low",
}
_FIXES = {
    MessageClass.SANDBOX_NO_ADDRESSES: "Free addresses, or enlarge the range, pool or subnet of the pods on {node}",
    MessageClass.SANDBOX_PLUGIN_MISSING: "Install the CNI program on {node}: its network plugin's DaemonSet does that",
    MessageClass.SANDBOX_AGENT_DOWN: "Repair the network plugin's pod on {node}",
    MessageClass.SANDBOX_API_ACCESS: "Restart the network plugin's pod on {node}, and check its role",
    MessageClass.SANDBOX_PAUSE_IMAGE: "Make the sandbox image reachable from {node}, or set another in its runtime",
    MessageClass.SANDBOX_RUNTIME_HANDLER: "Configure the handler in the container runtime of {node}",
    MessageClass.SANDBOX_RUNTIME: "Check the container runtime of {node}",
    MessageClass.SANDBOX_NODE: "Correct the setting on {node}",
    MessageClass.START_MEMORY_TOO_SMALL: "Raise the memory limit of the pod's containers",
}


@diagnostic(
    code="KD1023",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(Event, *WORKLOADS),
    when=not_ready,
    explains=CONSEQUENCES,
    symptoms=("FailedCreatePodSandBox", "ContainerCreating", "NetworkNotReady", "failed to assign an IP address"),
)
def sandbox_not_created(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if not active(pod) or not pod.spec.node_name or not nothing_created(pod) or _has_a_sandbox(pod):
        return
    event = newest_event(pod, cluster, "FailedCreatePodSandBox")
    if event is not None and has_path(event, "message") and _counts(pod, event, cluster):
        yield _finding(pod, event, cluster)


def _has_a_sandbox(pod: Pod) -> bool:
    """A sandbox gives the pod its address."""
    return bool(pod.status.pod_ip) and not pod.spec.host_network


def _counts(pod: Pod, event: Event, cluster: Cluster) -> bool:
    """False for a short delay at the start, and for a failure that is over: images come after the sandbox."""
    since = pod.status.start_time
    events = cluster.events_about(ref(pod))
    if any(later.reason in _AFTER_THE_SANDBOX for later in events[events.index(event) + 1 :]):
        return False
    # The text names the sandbox, so each attempt has an event of its own.
    attempts = sum(one.times for one in events if one.reason == event.reason)
    return attempts >= MANY or (since is not None and cluster.taken_at - since >= PATIENCE)


def _finding(pod: Pod, event: Event, cluster: Cluster) -> Finding:
    about = at_fault(pod, cluster)
    node = pod.spec.node_name
    reading = read_message(Message(text=event.message, reason=event.reason, kind="Pod"))
    kind = reading.message_class if reading is not None and reading.known else None
    named = _PLUGIN.search(event.message)
    plugin = f"`{named[1] or named[2]}`" if named else "of the node"
    stated = _WORDS[kind].format(plugin=plugin) + ": " if kind in _WORDS else ""
    reason = visible_end(" ".join(without_wrappers(event.message).split()), 240)
    on_node = reading is None or reading.fault is not Culprit.TEMPLATE
    return Finding(
        about=about,
        summary=f"no sandbox can be created on node {node}: {stated}{reason}",
        confidence=Confidence.CERTAIN,
        evidence=(
            quote(event, "message", f"seen {times(event.times)}"),
            quote(pod, "spec.nodeName", "the node that cannot create it"),
        ),
        fixes=(Fix(_FIXES[kind].format(node=node)),)
        if kind in _FIXES
        else (fix_by_hand(about, "Correct what the message names, or remove it from the pod"),),
        commands=(look_at_pod(pod, "the events of the sandbox"),),
        because_of=blamed_node(pod) if on_node else (),
    )
