"""What a failure to create a sandbox means in words, and what repairs it, by the class of its message."""

from __future__ import annotations

import re

from diagnostics.nodes._disk import DISK_READ_ONLY, REPAIR_DISK, says_read_only
from diagnostics.nodes._network_plugin import NetworkPlugin
from kubedoctor.cluster import Event
from kubedoctor.findings import Fix, Ref, fix_by_hand
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.messages.pods.sandbox import HOST_COMPUTE_SERVICE, HOST_NETWORK_SERVICE, VIRTUAL_MACHINE

_OTHER_RANGE = re.compile(r'"([\w.-]+)" already has an IP address different from')
"""Of the plug-in `bridge` (`plugins/main/bridge`, v1.9)."""
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
    MessageClass.SANDBOX_PLUGIN_MISSING: "Install the CNI program on {node}, as the network plugin's DaemonSet or package does",
    MessageClass.SANDBOX_AGENT_DOWN: "Repair the network plugin's pod on {node}",
    MessageClass.SANDBOX_API_ACCESS: "Restart the network plugin's pod on {node}, and check its role",
    MessageClass.SANDBOX_PAUSE_IMAGE: "Make the sandbox image reachable from {node}, or set another in its runtime",
    MessageClass.SANDBOX_RUNTIME_HANDLER: "Configure the handler in the container runtime of {node}",
    MessageClass.SANDBOX_RUNTIME: "Check the container runtime of {node}",
    MessageClass.SANDBOX_NODE: "Correct the setting on {node}",
    MessageClass.START_MEMORY_TOO_SMALL: "Raise the memory limit of the pod's containers",
}
_OF_THE_SYSTEM = (
    (
        re.compile(r"(?:mkdir|create|creating)\b.{0,80}/cgroup/.{1,300}no space left on device", re.I),
        "the kernel has no cgroups left, which old kernels lose with each container (not of disk space): ",
        "Restart {node}, and update its kernel",
    ),
    (
        re.compile(r"(?:unshare|user ?namespace|clone).{0,120}no space left on device", re.I),
        "the kernel allows no more user namespaces (user.max_user_namespaces), which hostUsers: false needs (not of disk"
        " space): ",
        "Raise user.max_user_namespaces on {node}, or remove hostUsers: false",
    ),
    (
        re.compile(
            r"user ?namespaces?\b.{0,60}not support|not support.{0,20} user ?namespaces?|idmap|cannot be mapped to a host ID",
            re.I,
        ),
        "the pod's user namespace (hostUsers: false) cannot be set up there: ",
        "Remove hostUsers: false, or use nodes whose kernel and container runtime support user namespaces",
    ),
    (
        re.compile(r"timed out waiting for (?:OVS port binding|OVS flows|ovs flows)|ovn-installed"),
        "OVN does not connect the pod's port to the switch of the node in time: ",
        "Look into ovn-controller and ovnkube-node of {node} (its connection to the OVN database, and its load), and restart their"
        " pod there",
    ),
    (
        re.compile(HOST_NETWORK_SERVICE),
        "its Host Network Service (HNS of Windows) does not set up the pod's network: ",
        "Restart the service hns on {node} (Restart-Service hns), or drain and restart the node",
    ),
    (
        re.compile(HOST_COMPUTE_SERVICE),
        "its Host Compute Service (HCS of Windows) does not start the pod's container: ",
        "Check memory, paging file and disk of {node}, or drain and restart the node",
    ),
    (
        re.compile(VIRTUAL_MACHINE, re.I),
        "the pod's virtual machine does not start, or does not answer: ",
        "Check on {node} that it can run virtual machines: /dev/kvm (nested virtualization), the module vhost_vsock, and"
        " enough memory and space in /dev/shm",
    ),
)
"""What the error of the kernel, of Windows or of a virtual machine means there, by the words around it, and what repairs it."""
_USER_NAMESPACE = _OF_THE_SYSTEM[1:3]
BY_THE_PLUGIN = frozenset(
    {MessageClass.SANDBOX_PLUGIN_MISSING, MessageClass.SANDBOX_AGENT_DOWN, MessageClass.SANDBOX_API_ACCESS}
)
"""What the network plugin's pod on the node should have set up."""


def is_of_a_user_namespace(message: str) -> bool:
    """Whether only pods with a user namespace of their own meet the failure."""
    return any(words.search(message) for words, *_ in _USER_NAMESPACE)


def sandbox_words(kind: MessageClass | None, message: str, plugin: str, network: NetworkPlugin | None) -> str:
    """What stands in front of the message; empty where it has no class."""
    for words, text, _ in _OF_THE_SYSTEM:
        if words.search(message):
            return text
    if kind is MessageClass.SANDBOX_AGENT_DOWN and network is not None and network.by_name:
        return f"network plugin {plugin} cannot set up the pod's network: "
    if kind is MessageClass.SANDBOX_AGENT_DOWN and network is not None and network.pod is not None:
        return f"network plugin {plugin} does not set up the pod's network, although its pod there is ready: "
    if kind is MessageClass.SANDBOX_NODE and says_read_only(message):
        return f"{DISK_READ_ONLY.format(node='the node')}: "
    return _WORDS[kind].format(plugin=plugin) + ": " if kind in _WORDS else ""


def sandbox_fixes(
    kind: MessageClass | None, event: Event, node: str, about: Ref, network: NetworkPlugin | None
) -> tuple[Fix, ...]:
    """What repairs it, the best first."""
    for words, _, fix in _OF_THE_SYSTEM:
        if words.search(event.message):
            return (Fix(fix.format(node=node)),)
    if kind is None or kind not in _FIXES:
        return (fix_by_hand(about, "Correct what the message names, or remove it from the pod"),)
    if bridge := _OTHER_RANGE.search(event.message):
        return (
            Fix(
                f"On {node}, delete {bridge[1]} (`ip link delete {bridge[1]}`): the network plugin creates it again with an"
                " address of the new range. Pods of the old range on the node must be recreated"
            ),
        )
    if kind is MessageClass.SANDBOX_NODE and says_read_only(event.message):
        return (Fix(REPAIR_DISK.format(node=node)),)
    if network is not None and (network.suspect is not None or network.pod is not None):
        return network.fixes
    return (Fix(_FIXES[kind].format(node=node)),)
