"""What lies behind a path in a container: a key of a ConfigMap or Secret."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from kubedoctor.cluster import Cluster, ConfigMap, Container, Pod, Secret, Volume
from kubedoctor.replay.kubelet.references import keys_of


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


class MountedFile(NamedTuple):
    """A file of a ConfigMap or Secret in the container."""

    kind: str
    name: str
    path: str
    mount_path: str


def mounted_files(pod: Pod, container: Container, cluster: Cluster) -> Iterator[MountedFile]:
    """What ConfigMaps and Secrets put into the container; nothing of those that cannot be seen."""
    volumes = {volume.name: volume for volume in pod.spec.volumes or ()}
    for mount in container.volume_mounts or ():
        for kind, name, items in _sources(volumes[mount.name]) if mount.name in volumes else ():
            holder = cluster.maybe.get(ConfigMap if kind == "ConfigMap" else Secret, pod.namespace, name)
            keys = keys_of(holder) if isinstance(holder, (ConfigMap, Secret)) else ()
            for file in (path for _, path in items) if items else keys:
                if not mount.sub_path:
                    yield MountedFile(kind, name, posixpath.join(mount.mount_path, file), mount.mount_path)
                elif mount.sub_path == file:
                    yield MountedFile(kind, name, mount.mount_path, mount.mount_path)


def _inside(mount_path: str, path: str) -> str | None:
    """The path below the mount; None where it lies elsewhere."""
    inside = posixpath.relpath(path, mount_path or "/")
    return None if inside == ".." or inside.startswith("../") else inside


def _keys(volume: Volume, inside: str) -> Iterator[tuple[str, str, str]]:
    """The kind, name and key that a file of a volume is of."""
    for kind, name, items in _sources(volume):
        for key, path in items:
            if path == inside:
                yield kind, name, key
        if not items:
            yield kind, name, inside


def _sources(volume: Volume) -> Iterator[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """The ConfigMaps and Secrets of a volume, with each key that it takes and its path: none where it takes all."""
    sources = [("ConfigMap", volume.config_map.name, volume.config_map.items)] if volume.config_map else []
    if volume.secret is not None:
        sources.append(("Secret", volume.secret.secret_name, volume.secret.items))
    for source in (volume.projected.sources if volume.projected is not None else ()) or ():
        if source.config_map is not None:
            sources.append(("ConfigMap", source.config_map.name, source.config_map.items))
        if source.secret is not None:
            sources.append(("Secret", source.secret.name, source.secret.items))
    for kind, name, items in sources:
        yield kind, name, tuple((item.key, item.path) for item in items or ())
