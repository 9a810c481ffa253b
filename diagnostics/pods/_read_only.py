"""What a program cannot write because its file system is read-only: by its own setting, its volume's, or the node's."""

from __future__ import annotations

from typing import Final

from diagnostics.nodes._disk import DISK_READ_ONLY, REPAIR_DISK
from diagnostics.pods._node import blamed_node
from diagnostics.pods.crashes._story import Story
from diagnostics.pods.crashes.files._mounted import mount_of
from kubedoctor.cluster import Cluster, Container, Pod, Volume, VolumeMount
from kubedoctor.findings import Fix, Ref, fix_by_hand, quote, quote_spec

_OF_THE_KERNEL: Final = ("/proc/", "/sys/")
"""Read-only in every container that is not privileged."""


def cannot_write(pod: Pod, container: Container | None, path: str, about: Ref, cluster: Cluster) -> Story:
    """path: the file that the log names; may be empty."""
    text = f"cannot write {path or 'a file'}: read-only file system"
    if container is None or not path.startswith("/"):
        return Story(text, fixes=(_mount_one(path, about),))
    where = mount_of(container, path)
    mount = next((one for one in container.volume_mounts or () if one.mount_path == where), None)
    volume = next((one for one in pod.spec.volumes or () if mount is not None and one.name == mount.name), None)
    if mount is not None and volume is not None:
        return _on_a_volume(pod, mount, volume, text, path, about)
    evidence = quote_spec(pod, cluster, about, container.name, "securityContext.readOnlyRootFilesystem")
    if path.startswith(_OF_THE_KERNEL):
        fix = f"Run container `{container.name}` as privileged, or let the program not write to {path}"
        return Story(text, evidence=tuple(evidence), fixes=(fix_by_hand(about, fix),))
    context = container.security_context
    if (context is not None and context.read_only_root_filesystem) or not pod.spec.node_name:
        return Story(text, evidence=tuple(evidence), fixes=(_mount_one(path, about),))
    return _on_the_node(pod, f"{text}, which no setting of the pod makes it")


def _on_a_volume(pod: Pod, mount: VolumeMount, volume: Volume, text: str, path: str, about: Ref) -> Story:
    named = f"volume {volume.name}, mounted at {mount.mount_path}"
    if volume.config_map is not None or volume.secret is not None or volume.projected is not None:
        return Story(f"{text}, in {named}, which is never writable", fixes=(_mount_one(path, about),))
    if mount.read_only:
        fix = fix_by_hand(about, f"Remove readOnly from the mount of volume {volume.name}")
        return Story(f"{text}, in {named} with readOnly", fixes=(fix,))
    if volume.persistent_volume_claim is not None:
        claim = Ref("PersistentVolumeClaim", pod.namespace, volume.persistent_volume_claim.claim_name)
        fix = Fix(
            f"Check the volume of claim {claim.name}: file systems are remounted read-only after an error of their disk"
        )
        return Story(f"{text}, in {named}", because_of=(claim,), fixes=(fix,))
    if volume.empty_dir is not None and volume.empty_dir.medium != "Memory" and pod.spec.node_name:
        return _on_the_node(pod, f"{text}, in {named}, which is an emptyDir")
    if volume.host_path is not None:
        directory = volume.host_path.path
        fix = fix_by_hand(
            about, f"Mount a directory of the node that is writable, instead of {directory}, or an emptyDir"
        )
        return Story(f"{text}, in {named}, which is {directory} of its node", because_of=blamed_node(pod), fixes=(fix,))
    return Story(f"{text}, in {named}")


def _on_the_node(pod: Pod, text: str) -> Story:
    node = f"node {pod.spec.node_name}"
    return Story(
        f"{text}: {DISK_READ_ONLY.format(node=node)}",
        because_of=blamed_node(pod),
        evidence=(quote(pod, "spec.nodeName", "the node whose disk it writes to"),),
        fixes=(Fix(REPAIR_DISK.format(node=node)),),
    )


def _mount_one(path: str, about: Ref) -> Fix:
    return fix_by_hand(about, f"Mount an emptyDir volume at the directory of {path or 'the file'}")
