"""Why a node is NotReady by the message of its kubelet, in words."""

from __future__ import annotations

from typing import NamedTuple

from kubedoctor.cluster import Condition, Node
from kubedoctor.findings import Fix
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.reader import read_message

_RUNTIMES = {"containerd": "containerd", "cri-o": "crio", "docker": "docker"}
"""The unit of systemd by the start of `status.nodeInfo.containerRuntimeVersion`."""


class Stated(NamedTuple):
    """kind: None where the message is of no known kind."""

    summary: str
    fix: Fix
    kind: MessageClass | None


def stated(node: Node, ready: Condition) -> Stated:
    """The kubelet's message of several errors names the runtime before the network: without the one there is none of
    the other."""
    message = " ".join(ready.message.split())
    reading = read_message(
        Message(
            text=message,
            reason=ready.reason,
            kind="Node",
            component="kubelet",
            condition="Ready",
            status=ready.status,
        )
    )
    kind = reading.message_class if reading is not None and reading.known else None
    meaning, fix = _words(node, message, kind)
    summary = f"{meaning} ({message})" if meaning else message or ready.reason or "the kubelet gives no reason"
    return Stated(summary, Fix(fix), kind)


def _words(node: Node, message: str, kind: MessageClass | None) -> tuple[str, str]:
    version = node.status.node_info.container_runtime_version.partition(":")[0]
    unit = _RUNTIMES.get(version, version)
    program = f"{version} " if version else ""
    restart = f": `systemctl restart {unit}`" if unit else ""
    at_the_node = f"on the node, and look why it ended: `journalctl -u {unit}`" if unit else "on the node"
    match kind:
        case MessageClass.NODE_RUNTIME_DOWN if "runtime is down" in message:
            return "the container runtime is down", f"Start the container runtime {program}{at_the_node}"
        case MessageClass.NODE_RUNTIME_DOWN if "status check" in message:
            return (
                "the container runtime does not answer",
                f"Restart the container runtime {program}on the node{restart}",
            )
        case MessageClass.NODE_RUNTIME_DOWN:
            return "the container runtime is not ready", f"Check the container runtime {program}on the node{restart}"
        case MessageClass.NODE_PLEG:
            return (
                "the container runtime answers too slowly",
                f"Restart the container runtime {program}on the node{restart}; if it hangs again, look for a slow disk or"
                " too many containers there",
            )
        case MessageClass.NODE_NETWORK_NOT_READY if "not initialized" in message:
            return "no network plugin is running", "Install or repair the network plugin"
        case MessageClass.NODE_NETWORK_NOT_READY:
            return "the network plugin is not ready", "Install or repair the network plugin"
        case MessageClass.EVICT_SHUTDOWN | MessageClass.NODE_INTERRUPTION:
            return "the node is shutting down", "Wait, or start the machine again"
    if "CSINode is not yet initialized" in message:
        return (
            "the kubelet could not register its volume drivers",
            "Check that the kubelet may create its CSINode: its certificate and the API server are in its log",
        )
    if "missing node capacity" in message:
        return (
            "the kubelet could not measure the node's resources",
            "Restart the kubelet; if that does not help, look for cAdvisor's error in its log: `journalctl -u kubelet`",
        )
    return "", "Fix what the kubelet's message names"
