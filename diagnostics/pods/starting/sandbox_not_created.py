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
1. Look at the network plugin's pod on the node named in the message, and at its log. If it runs and its program or its
   configuration is missing on the node, delete the pod: the new one writes them again.
2. Free or add addresses: delete unused pods, enlarge the pool or the subnet.
3. If other nodes create sandboxes: cordon this one and delete the pods that wait.

## References
- https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/network-plugins/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from diagnostics.networking._attachments import (
    DEFINITION,
    about_attachment,
    failed_attachment,
    missing_definition,
    used_up,
)
from diagnostics.nodes._network_plugin import look_at_plugin, network_plugin
from diagnostics.pods._consequences import CONSEQUENCES
from diagnostics.pods._node import blamed_node
from diagnostics.pods.starting._addresses import use_of_the_range
from diagnostics.pods.starting._creation import nothing_created
from diagnostics.pods.starting._sandbox import BY_THE_PLUGIN, is_of_a_user_namespace, sandbox_fixes, sandbox_words
from kubedoctor.cluster import WORKLOADS, Cluster, Event, Node, Pod, not_ready, ref, times
from kubedoctor.findings import (
    Confidence,
    Explains,
    Finding,
    Severity,
    active,
    at_fault,
    diagnostic,
    has_path,
    look_at_pod,
    newest_event,
    quote,
)
from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.message import Message, MessageReading
from kubedoctor.replay.messages.reader import read_message
from kubedoctor.replay.messages.shown import shown_reason

PATIENCE = timedelta(minutes=1)
MANY = 3
_AFTER_THE_SANDBOX = frozenset({"Pulling", "Pulled", "Created", "Started", "Failed", "BackOff"})
_PLUGIN = re.compile(r'plugin type="([^"]+)"|for plugin "([^"]+)"')


@diagnostic(
    code="KD1023",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(Event, Node, Pod, DEFINITION, *WORKLOADS),
    when=not_ready,
    explains=(*CONSEQUENCES, Explains("affects", ("KD1201", "KD1204", "KD1215", "KD2001", "KD2101"))),
    symptoms=(
        "FailedCreatePodSandBox",
        "FailedCreatePodContainer",
        "ContainerCreating",
        "NetworkNotReady",
        "failed to assign an IP address",
    ),
)
def sandbox_not_created(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if not active(pod) or not pod.spec.node_name or not nothing_created(pod) or _has_a_sandbox(pod):
        return
    event = newest_event(pod, cluster, "FailedCreatePodSandBox", "FailedCreatePodContainer")
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
    node = pod.spec.node_name
    reading = read_message(Message(text=event.message, reason=event.reason, kind="Pod"))
    kind = reading.message_class if reading is not None and reading.known else None
    named = _PLUGIN.search(event.message)
    plugin = f"`{named[1] or named[2]}`" if named else "of the node"
    reason = shown_reason(event.message, 240)
    of_its_own = pod.spec.host_users is False and is_of_a_user_namespace(event.message)
    at_node = _node_at_fault(pod, kind, reading, cluster) if not of_its_own else None
    attachment = failed_attachment(pod, event.message, cluster) if kind is MessageClass.SANDBOX_NO_ADDRESSES else None
    at_node = at_node if attachment is None else None
    workload = at_fault(pod, cluster)
    about = ref(at_node) if at_node is not None else workload
    words = None
    if attachment is not None:
        about, words = about_attachment(attachment, workload), used_up(attachment, event.message)
    elif kind is MessageClass.SANDBOX_ATTACHMENT:
        words = missing_definition(pod, event.message, workload, cluster)
    by_plugin = at_node is not None and kind in BY_THE_PLUGIN
    network = network_plugin(at_node, cluster, reason) if by_plugin and at_node is not None else None
    stated = sandbox_words(kind, event.message, plugin, network)
    own_range = kind is MessageClass.SANDBOX_NO_ADDRESSES and attachment is None
    used = use_of_the_range(pod, event.message, cluster) if own_range else None
    detail = (
        used.clause if used is not None else f"; {network.summary}" if network is not None and network.summary else ""
    )
    blamed = blamed_node(pod) if reading is None or reading.fault is not Culprit.TEMPLATE else ()
    if at_node is not None:
        blamed = (ref(network.suspect),) if network is not None and network.suspect is not None else ()
    if words is not None:
        blamed = ()
    where = "it" if at_node is not None else f"node {node}"
    runtime_class = pod.spec.runtime_class_name
    sandbox = f"sandbox of RuntimeClass {runtime_class}" if runtime_class else "sandbox"
    return Finding(
        about=about,
        summary=f"no {sandbox} can be created on {where}: {words.clause if words is not None else f'{stated}{reason}{detail}'}",
        confidence=Confidence.CERTAIN,
        evidence=(
            quote(event, "message", f"seen {times(event.times)}"),
            quote(pod, "spec.nodeName", "the node that cannot create it"),
            *(
                [quote(pod, "spec.hostUsers", "the pod requests a user namespace")]
                if pod.spec.host_users is False
                else ()
            ),
            *([quote(pod, "spec.runtimeClassName", "how its containers run")] if runtime_class else ()),
            *(network.evidence if network is not None else ()),
            *(used.evidence if used is not None else ()),
            *(words.evidence if words is not None else ()),
        ),
        affects=(workload,) if about != workload and at_node is None else (),
        fixes=(words.fix,)
        if words is not None
        else (used.fix,)
        if used is not None
        else sandbox_fixes(kind, event, node, about, network),
        commands=(look_at_pod(pod, "the events of the sandbox"), *look_at_plugin(network)),
        because_of=blamed,
    )


def _node_at_fault(
    pod: Pod, kind: MessageClass | None, reading: MessageReading | None, cluster: Cluster
) -> Node | None:
    """The node, where the message blames what it has or lacks, and no pod got its sandbox there since."""
    if kind is None or kind is MessageClass.SANDBOX_RUNTIME_HANDLER:
        return None
    if reading is None or reading.fault is Culprit.TEMPLATE:
        return None
    node = cluster.maybe.get(Node, "", pod.spec.node_name)
    since = pod.status.start_time or pod.metadata.creation_timestamp
    if node is None or since is None:
        return node
    later = (other.status.start_time for other in cluster.maybe.pods_on(node.name) if _has_a_sandbox(other))
    return None if any(start is not None and start > since for start in later) else node
