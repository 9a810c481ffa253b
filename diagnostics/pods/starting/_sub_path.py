"""A file that is mounted by subPath and was replaced since: the kubelet mounts it again only in a new pod."""

from __future__ import annotations

from typing import NamedTuple

from diagnostics.pods.starting._mount_failure import mount_error
from kubedoctor.cluster import Pod, Volume, VolumeMount, visible
from kubedoctor.findings import Fix, Ref, fix_by_hand, restart


class ReplacedSubPath(NamedTuple):
    """What follows "cannot be started: ", and what repairs it."""

    words: str
    fixes: tuple[Fix, ...]


def replaced_sub_path(pod: Pod, mount: VolumeMount | None, message: str, about: Ref) -> ReplacedSubPath:
    """`pkg/volume/util/atomic_writer.go` replaces the directory of the files at each change of their object, and
    `pkg/volume/util/subpath` keeps the mount of the old file: kubernetes/kubernetes#68211."""
    volume = next((one for one in pod.spec.volumes or () if mount is not None and one.name == mount.name), None)
    source = _source(volume)
    path = f"subPath {visible(mount.sub_path)}" if mount is not None and mount.sub_path else "its subPath"
    place = f" at {visible(mount.mount_path)}" if mount is not None else ""
    error = mount_error(message)
    if source:
        words = (
            f"{source} was changed after the pod started, and its file ({path}{place}) can only be mounted in a new pod:"
            f" {error}"
        )
    else:
        named = f"volume {mount.name}" if mount is not None else "its volume"
        words = f"{path} of {named}{place} was removed or replaced since the pod started: {error}"
    again = restart(about, "Restart it, as only a new pod mounts the changed file")
    whole = "Mount the whole volume as a directory instead of a subPath: then changes reach running pods"
    return ReplacedSubPath(words, (again, fix_by_hand(about, whole)) if source else (again,))


def _source(volume: Volume | None) -> str:
    """The object whose files the kubelet writes into the volume; empty for volumes of files that others write."""
    if volume is None:
        return ""
    if volume.config_map is not None:
        return f"ConfigMap {volume.config_map.name}"
    if volume.secret is not None:
        return f"Secret {volume.secret.secret_name}"
    return f"a source of the projected volume {volume.name}" if volume.projected is not None else ""


def sub_path_fixes(mount: VolumeMount | None, message: str, about: Ref) -> tuple[Fix, ...]:
    """Where the kubelet could not make or open the directory in the volume, as on shares that let no root write."""
    if mount is None or not mount.sub_path or "for volumeMount" not in message:
        return ()
    path = visible(mount.sub_path)
    return (
        Fix(f"Create {path} in volume {mount.name}, or let the nodes' root write there (NFS: no_root_squash)"),
        fix_by_hand(about, "Or correct the subPath: a file may be in the place of a directory"),
    )
