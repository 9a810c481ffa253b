"""Volume cannot be mounted (FailedMount, FailedAttachVolume).

## What it means
The kubelet mounts all volumes before it creates the first container. A mount keeps failing, and the pod stays in
`ContainerCreating`. Missing ConfigMaps, Secrets and PersistentVolumeClaims have their own pages.

## Why it happens
- A `hostPath` or the directory of a local PersistentVolume does not exist on the node, or is not a directory.
- The disk is still attached to another node, or its CSI driver does not answer.
- An NFS server or other file server cannot be reached, or denies access.

## How to fix it
1. Read the event: it names the volume and the reason.
2. For a `hostPath`: set `type: DirectoryOrCreate` to create the directory. A PersistentVolume is better.

## References
- https://kubernetes.io/docs/concepts/storage/volumes/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from diagnostics.pods._consequences import CONSEQUENCES
from diagnostics.pods._node import blamed_node
from diagnostics.pods.starting._creation import nothing_created
from diagnostics.pods.starting.mounts._attached import attached_elsewhere, holders
from diagnostics.pods.starting.mounts._local_disk import missing_local_disk
from diagnostics.pods.starting.mounts._node_plugin import CLASS, at_attacher, at_node, class_elsewhere
from diagnostics.pods.starting.mounts._repairs import repair_of
from diagnostics.storage._backend import VOLUME_KINDS, backend_of, system_of
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    Event,
    HostPathSource,
    Lease,
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    Volume,
    VolumeAttachment,
    not_ready,
    ref,
    terminating,
    times,
)
from kubedoctor.findings import (
    Confidence,
    Finding,
    Fix,
    Ref,
    Severity,
    active,
    at_fault,
    diagnostic,
    fix_by_hand,
    has_path,
    look_at_pod,
    quote,
    quote_pod_spec,
)
from kubedoctor.replay.kubelet.container_errors import missing_reference, volume_named
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.reader import read_message
from kubedoctor.replay.messages.shown import shown_reason

REASONS = frozenset({"FailedMount", "FailedAttachVolume", "FailedMapVolume"})
FRESH = timedelta(minutes=5)
"""The kubelet tries again within minutes. The controller that attaches volumes writes its event once (Multi-Attach), so
that an older event counts until something shows that the volumes are there."""
PATIENCE = timedelta(minutes=1)
MANY = 3
_AFTER_VOLUMES = frozenset({"FailedCreatePodSandBox", "Pulling", "Pulled", "Created", "Started", "Failed", "BackOff"})
_FOUND_TYPE = re.compile(r", it's an? (\w+)")
_CREATED = {"": "DirectoryOrCreate", "Directory": "DirectoryOrCreate", "File": "FileOrCreate"}
"""The type under which the kubelet creates what is missing, by the type that a hostPath has."""
_PASSES = re.compile(r"timed out waiting for the condition|not registered|failed to sync \w+ cache", re.IGNORECASE)
_CLAIM = re.compile(r'persistentvolumeclaim "[^"]*" not found', re.IGNORECASE)


@diagnostic(
    code="KD1019",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(
        *(Event, Lease, Node, CLASS),
        PersistentVolume,
        PersistentVolumeClaim,
        Pod,
        VolumeAttachment,
        *VOLUME_KINDS,
        *WORKLOADS,
    ),
    when=not_ready,
    explains=CONSEQUENCES,
    symptoms=("FailedMount", "ContainerCreating", "FailedAttachVolume", "Multi-Attach error", "Waiting for detach"),
)
def volume_not_mounted(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if not active(pod) or not pod.spec.node_name or not nothing_created(pod):
        return
    reported = set()
    for event in reversed(cluster.events_about(ref(pod))):
        name = volume_named(event.message)
        if event.reason in REASONS and name and name not in reported and _counts(pod, event, cluster):
            reported.add(name)
            yield _finding(pod, event, name, cluster)


def _counts(pod: Pod, event: Event, cluster: Cluster) -> bool:
    """False for a short delay at the start, and for events that other diagnostics report."""
    seen_at, since = event.seen_at, pod.status.start_time
    made = pod.metadata.creation_timestamp or since  # What attaches volumes may see the pod before the kubelet does.
    if missing_reference(event.message) or _CLAIM.search(event.message) or not has_path(event, "message"):
        return False
    if seen_at is None or (made is not None and seen_at < made):
        return False
    if cluster.taken_at - seen_at > FRESH and _mounted_since(pod, event, cluster):
        return False
    long = since is not None and cluster.taken_at - since >= PATIENCE
    return long or (event.times >= MANY and not _PASSES.search(event.message))


def _mounted_since(pod: Pod, event: Event, cluster: Cluster) -> bool:
    """Whether a later step has begun: the volumes come before the sandbox, which gives the pod its address, and before
    its images."""
    if pod.status.start_time is None or (pod.status.pod_ip and not pod.spec.host_network):
        return True
    events = cluster.events_about(ref(pod))
    later = events[events.index(event) + 1 :]
    name = volume_named(event.message)
    return any(
        other.reason in _AFTER_VOLUMES or (other.reason == "SuccessfulAttachVolume" and name in other.message)
        for other in later
    )


def _finding(pod: Pod, event: Event, name: str, cluster: Cluster) -> Finding:
    about = at_fault(pod, cluster)
    volume = _declared(pod, name, cluster)
    claim = volume.claim_of(pod.name) if volume is not None and volume.name != name else None
    why = " ".join(event.message.split()).partition(f'for volume "{name}" : ')[2] or event.message
    base = f"spec.volumes[name={volume.name if volume is not None else name}]"
    evidence = [quote(event, "message", f"seen {times(event.times)}")]
    for field in ("hostPath.path", "hostPath.type", "persistentVolumeClaim.claimName", "csi.driver", "nfs"):
        evidence += quote_pod_spec(pod, cluster, about, f"{base}.{field}", "the volume")
    attached = attached_elsewhere(pod, event, name, about, cluster)
    disk = missing_local_disk(pod, _message(event), name, cluster)
    place, elsewhere = at_node(pod, event, cluster), class_elsewhere(pod, event, cluster)
    attacher = at_attacher(event, cluster)
    backend = backend_of(pod, event, volume, name, cluster)
    where = f"{disk.words if disk else ''}{place.words}{elsewhere.words}{attacher.words}{backend.words}"
    done = "attached" if event.reason == "FailedAttachVolume" else "mounted"
    which = f"volume {name}{f' (claim {claim})' if claim else ''}"
    summary = (
        f"{which} cannot be {done}: {shown_reason(why, 240).rstrip('.') if where else shown_reason(why, 240)}{where}"
    )
    return Finding(
        about=about,
        summary=summary + attached.words if attached else summary,
        confidence=Confidence.CERTAIN,
        evidence=(
            *evidence,
            *(attached.evidence if attached else ()),
            *(disk.evidence if disk else ()),
            *place.evidence,
            *elsewhere.evidence,
            *attacher.evidence,
            *backend.evidence,
        ),
        fixes=(attached and attached.fixes)
        or (disk and disk.fixes)
        or place.fixes
        or attacher.fixes
        or backend.fixes
        or (_fix(pod, event, volume, about, system_of(pod, volume, name, cluster)),),
        affects=backend.affects,
        commands=(look_at_pod(pod, "the mount errors, under Events"),),
        aspect=name,
        because_of=(
            *place.blamed,
            *attacher.blamed,
            *(attached.blamed if attached else ()),
            *_claim(pod, volume),
            *_node_of_the_holder(pod, event, cluster),
        ),
    )


def _declared(pod: Pod, name: str, cluster: Cluster) -> Volume | None:
    """The pod's volume of this name, or whose claim has the PersistentVolume of this name."""
    volumes = pod.spec.volumes or ()
    own = next((one for one in volumes if one.name == name), None)
    if own is not None:
        return own
    for one in volumes:
        claim_name = one.claim_of(pod.name)
        claim = cluster.maybe.get(PersistentVolumeClaim, pod.namespace, claim_name) if claim_name is not None else None
        if claim is not None and claim.spec.volume_name == name:
            return one
    return None


def _message(event: Event) -> Message:
    return Message(text=event.message, reason=event.reason, kind="Pod")


def _fix(pod: Pod, event: Event, volume: Volume | None, about: Ref, system: str) -> Fix:
    if volume is not None and volume.host_path is not None:
        return fix_by_hand(about, _host_path_words(pod, volume.host_path, event.message))
    reading = read_message(_message(event))
    message_class = reading.message_class if reading is not None else None
    words = repair_of(event.message, message_class, pod.spec.node_name, system)
    text = words or "Fix the cause that the event message names"
    # Events may name a PersistentVolume, of which the template has nothing, and of a claim it has only the name; what is
    # wrong at a node or a provider no template repairs.
    elsewhere = volume is None or volume.claim_of(pod.name) is not None
    if elsewhere or (words and message_class is not MessageClass.MOUNT_PATH_MISSING):
        return Fix(text)
    return fix_by_hand(about, text)


def _host_path_words(pod: Pod, source: HostPathSource, message: str) -> str:
    """By the type that the path was found to have (pkg/volume/hostpath): older kubelets do not tell it."""
    found = _FOUND_TYPE.search(message)
    if found:
        return f"Set the volume's hostPath type to {found[1]}, or correct its path {source.path}"
    created = _CREATED.get(source.type or "")
    if created:
        return f"Create {source.path} on node {pod.spec.node_name}, or set the volume's type to {created}"
    return f"Correct the volume's path {source.path} or its type: node {pod.spec.node_name} has no such {source.type or 'path'}"


def _node_of_the_holder(pod: Pod, event: Event, cluster: Cluster) -> tuple[Ref, ...]:
    """The node of the pod that still holds the volume, where that pod cannot end there (Multi-Attach)."""
    stuck = [holder for holder in holders(pod, event, cluster) if terminating(holder) or not_ready(holder)]
    return tuple(node for holder in stuck for node in blamed_node(holder))


def _claim(pod: Pod, volume: Volume | None) -> tuple[Ref, ...]:
    name = volume.claim_of(pod.name) if volume is not None else None
    return (Ref("PersistentVolumeClaim", pod.namespace, name),) if name is not None else ()
