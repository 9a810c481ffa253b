"""Pod's devices cannot be prepared (FailedPrepareDynamicResources).

## What it means
The pod claims devices (dynamic resource allocation), and the scheduler has allocated them on a node. Before the first
container, the kubelet there asks the plug-in of the devices' driver to prepare them. That fails, so that the pod stays
ContainerCreating. The kubelet tries again.

## Why it happens
- The driver's plug-in does not run on the node, or crashes: it is not registered with the kubelet.
- The plug-in cannot prepare the device: it is lost, in use, or configured wrongly.
- The claim was deleted or freed, or belongs to another pod by now.

## How to fix it
1. Look at the driver's pod on the node, and at its log. Pods that wait continue by themselves once it is registered.
2. If the plug-in names the device: look at the device on the node.

## References
- https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from diagnostics.pods._consequences import CONSEQUENCES
from diagnostics.pods._node import blamed_node
from diagnostics.pods.starting._creation import nothing_created
from diagnostics.pods.starting.mounts._node_plugin import device_plugin_pod
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    DaemonSet,
    Event,
    Pod,
    not_ready,
    ref,
    times,
    visible_end,
    workload_of,
)
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Fix,
    Severity,
    active,
    at_fault,
    diagnostic,
    has_path,
    kubectl,
    look_at_log,
    look_at_pod,
    newest_event,
    quote,
)

REASON = "FailedPrepareDynamicResources"
PATIENCE = timedelta(minutes=1)
"""A plug-in registers within seconds of its own start."""
LONGEST_REASON = 240
_WRAPPERS = re.compile(
    r"^(?:Failed to prepare dynamic resources: |prepare dynamic resources: |NodePrepareResources failed: )+"
)
_DRIVER = re.compile(
    r"DRA driver (?P<new>\S+) is not registered|plugin name (?P<old>\S+) not found in the list of registered DRA"
)
"""`pkg/kubelet/cm/dra/plugin`, v1.34 and before."""


@diagnostic(
    code="KD1027",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(DaemonSet, Event, Pod, *WORKLOADS),
    when=not_ready,
    explains=CONSEQUENCES,
    symptoms=("FailedPrepareDynamicResources", "ContainerCreating", "DRA driver is not registered"),
)
def devices_not_prepared(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    since = pod.status.start_time
    if not active(pod) or not pod.spec.resource_claims or not pod.spec.node_name or not nothing_created(pod):
        return
    event = newest_event(pod, cluster, REASON)
    if event is None or not has_path(event, "message") or since is None or cluster.taken_at - since < PATIENCE:
        return
    node = pod.spec.node_name
    found = _DRIVER.search(event.message)
    driver = (found["new"] or found["old"]) if found is not None else ""
    plugin = device_plugin_pod(driver, node, cluster) if driver else None
    reason = _WRAPPERS.sub("", " ".join(event.message.split()))
    words = visible_end(reason, LONGEST_REASON)
    if driver:
        words = f"its driver {driver} is not registered with the kubelet of node {node}"
        words += f"; the driver's pod {plugin.namespace}/{plugin.name} there is not ready" if plugin is not None else ""
    yield Finding(
        about=at_fault(pod, cluster),
        summary=f"the claimed devices cannot be prepared: {words}",
        confidence=Confidence.CERTAIN,
        evidence=(
            quote(event, "message", f"seen {times(event.times)}"),
            quote(pod, "spec.nodeName", "where they were allocated"),
            quote(pod, "spec.resourceClaims", "what it claims"),
            *((quote(plugin, "spec.nodeName", "where the driver's pod runs"),) if plugin is not None else ()),
        ),
        fixes=(
            (Fix(f"Repair the pod of driver {driver} on {node}: pods that wait continue by themselves"),)
            if driver
            else (Fix(f"Repair the device on {node} that the message names, or the plug-in of its driver"),)
        ),
        commands=(
            *(
                (
                    look_at_log(
                        plugin, plugin.spec.containers[0].name, previous=False, why="why the driver does not run"
                    ),
                )
                if plugin is not None
                else (
                    Command(
                        kubectl("get", "pods", "-A", "-o", "wide", "--field-selector", f"spec.nodeName={node}"),
                        "whether the driver's pod runs there",
                    ),
                )
            ),
            look_at_pod(pod, "the events of the pod"),
        ),
        because_of=(
            *((ref(plugin), workload_of(plugin, cluster)) if plugin is not None else ()),
            *blamed_node(pod),
        ),
    )
