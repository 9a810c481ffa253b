"""A database that is to be created in the root of a volume, where its file system keeps directories of its own."""

from __future__ import annotations

import re

from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import Cluster, Container, Pod
from kubedoctor.findings import Ref, fix_by_hand, quote_spec

_NOT_EMPTY = re.compile(r"not empty|has files in it|lost\+found", re.IGNORECASE)


def not_empty(pod: Pod, container: Container, path: str, message: str, about: Ref, cluster: Cluster) -> Story | None:
    """None where the directory is not the root of a volume."""
    if not _NOT_EMPTY.search(message):
        return None
    mounts = [mount for mount in container.volume_mounts or () if not mount.sub_path and len(mount.mount_path) > 1]
    mount = next((one for one in mounts if one.mount_path.rstrip("/") == (path or one.mount_path).rstrip("/")), None)
    if mount is None or (not path and "lost+found" not in message):
        return None
    where = f"volumeMounts[mountPath={mount.mount_path}].mountPath"
    return Story(
        f"its data directory is the root of volume {mount.name}, which is not empty: {message}",
        evidence=tuple(quote_spec(pod, cluster, about, container.name, where, "the volume is mounted there")),
        fixes=(
            fix_by_hand(
                about,
                f"Set a subPath in the mount of volume {mount.name}, or let the program use a directory below"
                f" {mount.mount_path} (PGDATA of PostgreSQL): the root of a new file system has a directory lost+found",
            ),
        ),
    )
