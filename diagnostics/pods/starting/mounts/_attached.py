"""A volume that is attached to another node: which pod uses it there, and what its claim allows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from kubedoctor.answers.rollouts.strategy import recreate_fix
from kubedoctor.cluster import (
    Cluster,
    Deployment,
    Event,
    Node,
    PersistentVolumeClaim,
    Pod,
    VolumeAttachment,
    condition,
    controller_of,
    ref,
    terminating,
    workload_of,
)
from kubedoctor.findings import Effect, Evidence, Fix, Ref, has_path, kubectl, quote
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.reader import read_message

_HELD_BY = (
    re.compile(r"already being used by '[^']*/instances/(?P<name>[\w.-]+)'"),
    re.compile(r"(?:already )?attached to (?:node|VM)\W+[^)'\"]*/virtualMachines/(?P<name>[A-Za-z][\w.-]+)"),
    re.compile(
        r"attached to (?:a different |another )?(?:instance|server|node|droplet)\W+(?P<name>i-[0-9a-f]+|[0-9a-f]{8}-[0-9a-f-]{27})"
    ),
)
"""Compute Engine, Azure, EC2 and OpenStack."""
_USED_BY = re.compile(r"is already used by pod\(s\) (.+?)(?: and \d+ pod\(s\) in different namespaces)?$")
"""After `Multi-Attach error for volume`, or `Waiting for detach for volume` in newer versions
(`pkg/controller/volume/attachdetach/reconciler`, reportMultiAttachError, v1.37)."""


OUT_OF_SERVICE: Final = "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute"


class Attached(NamedTuple):
    """`words`: to follow the controller's message. `fixes`: empty where there is none of its own. `blamed`: the
    attachments to other nodes that do not end."""

    words: str
    fixes: tuple[Fix, ...]
    evidence: tuple[Evidence, ...]
    blamed: tuple[Ref, ...] = ()


def holders(pod: Pod, event: Event, cluster: Cluster) -> tuple[Pod, ...]:
    """The pods that the message names as users of the volume."""
    names = _USED_BY.search(event.message)
    found = [cluster.maybe.get(Pod, pod.namespace, name.strip()) for name in names[1].split(",")] if names else []
    return tuple(holder for holder in found if holder is not None)


def attached_elsewhere(pod: Pod, event: Event, volume: str, about: Ref, cluster: Cluster) -> Attached | None:
    """None for a message of another kind. volume: as the message names it, a volume of the pod or a PersistentVolume."""
    reading = read_message(Message(text=event.message, reason=event.reason, kind="Pod"))
    if reading is None or reading.message_class is not MessageClass.ATTACH_IN_USE:
        return None
    words, fixes, evidence = "", list[Fix](), list[Evidence]()
    holder = next((user for user in holders(pod, event, cluster) if user.spec.node_name), None)
    if holder is not None:
        words += f"; pod {holder.name} uses it on node {holder.spec.node_name}"
        evidence.append(quote(holder, "spec.nodeName", "where the volume is attached"))
    machine = _machine(event.message) if holder is None else ""
    if machine:
        node = _node_of(machine, cluster)
        if node is not None:
            words += f"; it is attached to node {node.name}"
            evidence.append(quote(node, "metadata.name", "the machine that holds it"))
        elif cluster.maybe.all(Node):
            words += f"; {machine} is not a node of this cluster"
            fixes.append(
                Fix(f"Detach the disk from {machine} at the provider, or delete that machine if nothing needs it")
            )
    claim = _claim(pod, volume, cluster)
    blamed: tuple[Ref, ...] = ()
    if holder is None and not machine:
        for attachment in _attachments(pod, volume, claim, cluster)[:1]:
            node_name = attachment.spec.node_name
            gone = bool(cluster.maybe.all(Node)) and cluster.maybe.get(Node, "", node_name) is None
            words += f"; it is still attached to node {node_name}{', which is no node of this cluster any more' if gone else ''}"
            evidence.append(quote(attachment, "spec.nodeName", "where the volume is attached"))
            blamed = (ref(attachment),)
            fixes += _left_behind(attachment, cluster)
    if claim is not None and claim.spec.access_modes == ("ReadWriteOnce",) and has_path(claim, "spec.accessModes"):
        words += f"; claim {claim.name} is ReadWriteOnce: only pods of one node can use it"
        evidence.append(quote(claim, "spec.accessModes", "what the claim allows"))
    deployment = cluster.maybe.get_ref(about)
    if holder is not None and isinstance(deployment, Deployment) and _rolls_out(pod, holder, about, cluster):
        words += "; the rolling update starts the new pod before the old pod ends"
        fixes += [recreate_fix(deployment), Fix("Or use a claim with ReadWriteMany")]
    elif holder is not None:
        fixes += _beside(pod, holder, cluster)
    return Attached(words, tuple(fixes), tuple(evidence), blamed)


def _beside(pod: Pod, holder: Pod, cluster: Cluster) -> Iterator[Fix]:
    """For a pod that is not to follow the other one."""
    node = holder.spec.node_name
    machine = cluster.maybe.get(Node, "", node)
    stated = condition(machine.status.conditions, "Ready") if machine is not None else None
    if terminating(holder) and stated is not None and stated.status != "True":
        yield Fix(f"Let node {node} answer again: pod {holder.name} does not end before")
        yield Fix(
            f"Or, if its machine is off for certain, taint node {node} out of service: its pods end and their volumes are"
            " detached. A machine that still runs may go on writing and damage the data",
            kubectl("taint", "nodes", node, OUT_OF_SERVICE),
            Effect.DISRUPTS,
            changes=Ref("Node", "", node),
        )
        return
    if terminating(holder):
        yield Fix(f"Wait until pod {holder.name} has ended on node {node}: its volume is detached then")
        return
    same = workload_of(holder, cluster) == workload_of(pod, cluster) != ref(pod)
    yield Fix(
        f"Run one replica, or all replicas on one node: pod {holder.name} of the same workload keeps the volume"
        if same
        else f"End pod {holder.name} first, or run pod {pod.name} on node {node} too"
    )
    yield Fix("Or use a claim with ReadWriteMany, if its driver offers it")


def _left_behind(attachment: VolumeAttachment, cluster: Cluster) -> Iterator[Fix]:
    """For an attachment to a node where no pod uses the volume any more."""
    name, node_name = ref(attachment), attachment.spec.node_name
    node = cluster.maybe.get(Node, "", node_name)
    stated = condition(node.status.conditions, "Ready") if node is not None else None
    if node is not None and stated is not None and stated.status != "True":
        yield Fix(
            f"If machine {node_name} is off for certain, taint its node out of service, so that its volumes are detached. A"
            " machine that still runs may go on writing and damage the data",
            kubectl("taint", "nodes", node_name, OUT_OF_SERVICE),
            Effect.DISRUPTS,
            changes=ref(node),
        )
    elif attachment.metadata.deletion_timestamp is None:
        yield Fix(
            f"Wait some minutes: the volume is detached from node {node_name} once the kubelet there has unmounted it; if it is"
            f" not, look at {name.title} and at the log of the driver's attacher"
        )
    else:
        yield Fix(f"Find out in {name.title} why the driver does not detach the volume from node {node_name}")


def _attachments(
    pod: Pod, volume: str, claim: PersistentVolumeClaim | None, cluster: Cluster
) -> list[VolumeAttachment]:
    """Those of the volume to other nodes. volume: as the message names it; its PersistentVolume where a claim has one."""
    name = claim.spec.volume_name if claim is not None and claim.spec.volume_name else volume
    return [
        one
        for one in cluster.maybe.all(VolumeAttachment)
        if one.spec.source.persistent_volume_name == name and one.spec.node_name != pod.spec.node_name
    ]


def _machine(message: str) -> str:
    """The machine that holds the disk, as the provider names it; empty where the message does not tell."""
    found = next(filter(None, (pattern.search(message) for pattern in _HELD_BY)), None)
    return found["name"] if found is not None else ""


def _node_of(machine: str, cluster: Cluster) -> Node | None:
    """By its name, or by the end of its id at the provider."""
    for node in cluster.maybe.all(Node):
        if node.name == machine or node.spec.provider_id.rpartition("/")[2] == machine:
            return node
    return None


def _rolls_out(pod: Pod, holder: Pod, about: Ref, cluster: Cluster) -> bool:
    """The holder is of an older revision of the same workload, and is not being deleted."""
    older = controller_of(holder) != controller_of(pod) and not terminating(holder)
    return older and workload_of(holder, cluster) == about


def _claim(pod: Pod, volume: str, cluster: Cluster) -> PersistentVolumeClaim | None:
    for declared in pod.spec.volumes or ():
        name = declared.claim_of(pod.name)
        claim = cluster.maybe.get(PersistentVolumeClaim, pod.namespace, name) if name is not None else None
        if claim is not None and volume in (declared.name, claim.spec.volume_name):
            return claim
    return None
