"""The pod of a volume driver on a node: whether it is there, and where on the node a mount fails; and the driver's attacher."""

from __future__ import annotations

import re
from typing import Final

from diagnostics.storage.drivers._driver import ATTACHER, idle_sidecar
from diagnostics.storage.drivers._node_part import AtNode, plugin_of, texts_of, unregistered
from kubedoctor.cluster import Cluster, DaemonSet, Event, Pod, pods_of, ready
from kubedoctor.findings import Fix, quote
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.reader import read_message

_DRIVER: Final = re.compile(
    r"driver name (\S+) not found in the list of registered CSI drivers|cannot find NodeID for driver \"([^\"]+)\""
    r"|does not contain driver (\S+)|driver (?:name )?\"?(\S+?)\"? not (?:found|registered)"
)
"""`pkg/volume/csi/csi_client.go`, newCsiDriverClient, v1.37; `kubernetes-csi/external-attacher`, GetNodeIDFromCSINode."""
_STALE: Final = re.compile(r"stale (?:nfs )?file handle|transport endpoint is not connected", re.IGNORECASE)
"""ESTALE and ENOTCONN of a mount whose server or daemon was restarted."""
_ON_THE_NODE: Final = frozenset(
    {MessageClass.MOUNT_BUSY, MessageClass.MOUNT_HELPER_MISSING, MessageClass.MOUNT_FILESYSTEM}
)


def at_node(pod: Pod, event: Event, cluster: Cluster) -> AtNode:
    """What the node has to do with a mount that fails; nothing for trouble of the storage."""
    reading = read_message(Message(text=event.message, reason=event.reason, kind="Pod"))
    message_class = reading.message_class if reading is not None else None
    node = pod.spec.node_name
    if _STALE.search(event.message):
        return AtNode(
            f" (node {node} has the mount of before the server restarted until it is unmounted)",
            (quote(pod, "spec.nodeName", "where the old mount is"),),
            fixes=(
                Fix(
                    f"Unmount the path of the message on node {node} (umount -f -l), or let the pod start on another node; the"
                    " data on the server is not touched"
                ),
            ),
        )
    if message_class in _ON_THE_NODE:
        return AtNode(f" (on node {node})", (quote(pod, "spec.nodeName", "where it fails"),))
    found = _DRIVER.search(event.message)
    driver = next(filter(None, found.groups()), "") if found is not None else ""
    if not driver:
        return AtNode("", ())
    return unregistered(driver, node, (quote(pod, "spec.nodeName", "where it is not registered"),), cluster)


_WAITS: Final = re.compile(r"timed out waiting for external-attacher of (?P<driver>\S+) CSI driver")
"""`pkg/volume/csi/csi_attacher.go`, waitForVolumeAttachmentInternal, v1.37."""


def at_attacher(event: Event, cluster: Cluster) -> AtNode:
    """Why the driver's attacher has not attached a volume in time; nothing for one that is at work."""
    found = _WAITS.search(event.message)
    if found is None:
        return AtNode("", ())
    state = idle_sidecar(found["driver"], ATTACHER, cluster)
    return AtNode(state.clause, state.evidence, state.because_of, state.fixes)


CLASS: Final = "SecretProviderClass.secrets-store.csi.x-k8s.io"
_CLASS: Final = re.compile(r"SecretProviderClass\S* \"(?P<name>[^\"]+)\" not found")
"""`kubernetes-sigs/secrets-store-csi-driver`, `pkg/secrets-store`: a pod uses the classes of its own namespace."""


def class_elsewhere(pod: Pod, event: Event, cluster: Cluster) -> AtNode:
    """A SecretProviderClass that is in another namespace than the pod."""
    found = _CLASS.search(event.message)
    if found is None:
        return AtNode("", ())
    kind, _, group = CLASS.partition(".")
    for other in cluster.maybe.custom(kind, group):
        if other.name == found["name"] and other.namespace != pod.namespace:
            words = f"; {kind} {other.namespace}/{other.name} is not used: it has to be in namespace {pod.namespace}"
            return AtNode(words, (quote(other, "metadata.namespace", "where it is"),))
    return AtNode("", ())


_REGISTRY: Final = "/var/lib/kubelet/plugins_registry"
"""Where plug-ins of drivers register with the kubelet, those of volumes too."""


def device_plugin_pod(driver: str, node: str, cluster: Cluster) -> Pod | None:
    """The pod on the node that should have registered a driver of devices, and is not ready: of the DaemonSet that names
    the driver, else of the only one that registers there and is not a driver of volumes (CSI)."""
    named = plugin_of(driver, cluster)
    candidates = [
        one
        for one in cluster.maybe.all(DaemonSet)
        if any(_REGISTRY in text for text in texts_of(one))
        and not any("csi" in text for text in (*texts_of(one), *(c.image for c in one.spec.template.spec.containers)))
    ]
    for daemon_set in [named] if named is not None else candidates if len(candidates) == 1 else []:
        for pod in pods_of(daemon_set, cluster.maybe):
            if pod.spec.node_name == node and not ready(pod):
                return pod
    return None
