"""A volume that is full: the claim that the program writes to, its size, and how it grows."""

from __future__ import annotations

from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import (
    Cluster,
    Container,
    PersistentVolumeClaim,
    Pod,
    StorageClass,
    amount_of,
    format_bytes,
    has_path,
    quote,
    ref,
)
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Effect, Fix, Ref, command_line, edit_command, quote_measured
from kubedoctor.replay.storage.usage import use_of

_SIZE = "status.capacity[storage]"
_TIMES = 2
"""How much larger the example is."""


def full_volume(pod: Pod, container: Container | None, path: str, about: Ref, cluster: Cluster) -> Story:
    """What is full, where only claims can be: those mounted above the path, all where the path is not known."""
    claims = _claims(pod, container, path) if container is not None else ()
    text = f"no space left on device{f' to write {path}' if path else ''}"
    seen = [one for name in claims if (one := cluster.maybe.get(PersistentVolumeClaim, name.namespace, name.name))]
    tail = cluster.volumes_of_node(pod.spec.node_name) if seen and pod.spec.node_name else None
    measured = {claim.name: use for claim in seen if tail is not None and (use := use_of(claim, tail)) is not None}
    if len(claims) > 1 and (full := [name for name in claims if name.name in measured and measured[name.name].is_full]):
        claims = tuple(full)
    sized = [claim for claim in seen if has_path(claim, _SIZE) and ref(claim) in claims]
    if len(claims) != 1 or not sized:
        return Story(text, because_of=claims)
    claim = sized[0]
    size = quote(claim, _SIZE, "size of the volume")
    use, words = measured.get(claim.name), f"the volume of claim {claim.name} has {size.text}"
    if use is not None and use.is_without_inodes:
        words += ", and no inode is left for another file"
    return Story(
        f"{text}: {words}",
        because_of=claims,
        evidence=(size, *((quote_measured(tail, use.line, "measured by the kubelet"),) if use and tail else ())),
        fixes=growing(pod, claim, about, cluster),
    )


def growing(pod: Pod, claim: PersistentVolumeClaim, about: Ref, cluster: Cluster) -> tuple[Fix, ...]:
    """How a claim that a pod fills becomes larger, and what else helps. about: the workload of the pod."""
    storage_class = cluster.maybe.get(StorageClass, "", claim.spec.storage_class_name or "")
    free = Fix("Or delete files on it that are no longer needed")
    if storage_class is not None and not storage_class.allow_volume_expansion:
        return (
            Fix(f"Move the data to a larger volume: class {storage_class.name} does not let claims grow"),
            free,
        )
    if owner := _operator_of(pod, claim, about, cluster):
        return (Fix(f"Enlarge the storage in {owner}, whose operator then enlarges claim {claim.name}"), free)
    size = amount_of((claim.status.capacity or {}).get("storage"))
    if size is None:
        return (Fix(f"Enlarge claim {claim.name}", edit_command(ref(claim)), Effect.CHANGES), free)
    wanted = amount_of((claim.spec.resources.requests or {}).get("storage"))
    if wanted is not None and wanted > size:
        asked = quote(claim, "spec.resources.requests[storage]").text
        return (Fix(f"Wait until claim {claim.name} has grown to {asked}, which it requests already"), free)
    larger = str(format_bytes(int(size.value()) * _TIMES))
    change = put(ref(claim), ("spec", "resources", "requests", "storage"), larger)
    text = f"Enlarge claim {claim.name}, to {larger} for example: it cannot be made smaller again"
    return (Fix(text, command_line(change, claim), Effect.CHANGES, changes=ref(claim)), free)


def _operator_of(pod: Pod, claim: PersistentVolumeClaim, about: Ref, cluster: Cluster) -> str:
    """The custom resource whose operator sets the size: it controls the claim, the pod, or the pod's workload."""
    workload = cluster.maybe.get_ref(about)
    for obj in (claim, pod, workload):
        for owner in (obj.metadata.owner_references or ()) if obj is not None else ():
            if owner.controller and "." in owner.api_version.partition("/")[0]:
                return f"{owner.kind} {pod.namespace}/{owner.name}"
    return ""


def _claims(pod: Pod, container: Container, path: str) -> tuple[Ref, ...]:
    """The claims that the container writes to: those mounted above the path, all where the path is not known."""
    claims = {volume.name: volume.persistent_volume_claim for volume in pod.spec.volumes or ()}
    mounted = {
        mount.mount_path: claim.claim_name
        for mount in container.volume_mounts or ()
        if (claim := claims.get(mount.name)) is not None and not mount.read_only
    }
    above = (
        [claim for place, claim in mounted.items() if path.startswith(place.rstrip("/") + "/")]
        if path.startswith("/")
        else []
    )
    return tuple(Ref("PersistentVolumeClaim", pod.namespace, name) for name in above or mounted.values())
