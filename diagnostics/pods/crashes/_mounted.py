"""What lies behind a path in a container: a key of a ConfigMap or Secret."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

import msgspec

from kubedoctor.cluster import Container, Pod, Volume


class MountedKey(msgspec.Struct, frozen=True):
    """A key of a ConfigMap or Secret as a file. `alone`: mounted by `subPath`, so that the kubelet makes a directory where
    the key does not exist. `mount_path`: of the mount."""

    kind: str
    name: str
    key: str
    volume: str
    mount_path: str
    alone: bool


def mount_of(container: Container, path: str) -> str | None:
    """The `mountPath` of the mount that a path lies in: the longest."""
    paths = [mount.mount_path for mount in container.volume_mounts or () if _inside(mount.mount_path, path) is not None]
    return max(paths, key=len, default=None)


def mounted_key(pod: Pod, container: Container, path: str) -> MountedKey | None:
    """The key behind a path; None where no ConfigMap or Secret is mounted there."""
    mount_path = mount_of(container, path)
    mount = next((one for one in container.volume_mounts or () if one.mount_path == mount_path), None)
    volume = next((one for one in pod.spec.volumes or () if mount is not None and one.name == mount.name), None)
    if mount is None or volume is None:
        return None
    inside = _inside(mount.mount_path, path) or ""
    alone = bool(mount.sub_path) and inside == "."
    if mount.sub_path:
        inside = posixpath.normpath(posixpath.join(mount.sub_path, inside))
    elif inside == ".":
        inside = posixpath.basename(path)
    for kind, name, key in _keys(volume, inside):
        return MountedKey(kind, name, key, volume.name, mount.mount_path, alone)
    return None


def _inside(mount_path: str, path: str) -> str | None:
    """The path below the mount; None where it lies elsewhere."""
    inside = posixpath.relpath(path, mount_path or "/")
    return None if inside == ".." or inside.startswith("../") else inside


def _keys(volume: Volume, inside: str) -> Iterator[tuple[str, str, str]]:
    """The kind, name and key that a file of a volume is of."""
    sources = [("ConfigMap", volume.config_map.name, volume.config_map.items)] if volume.config_map else []
    if volume.secret is not None:
        sources.append(("Secret", volume.secret.secret_name, volume.secret.items))
    for source in (volume.projected.sources if volume.projected is not None else ()) or ():
        if source.config_map is not None:
            sources.append(("ConfigMap", source.config_map.name, source.config_map.items))
        if source.secret is not None:
            sources.append(("Secret", source.secret.name, source.secret.items))
    for kind, name, items in sources:
        for item in items or ():
            if item.path == inside:
                yield kind, name, item.key
        if not items:
            yield kind, name, inside
