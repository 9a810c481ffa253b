"""Which mount or working directory of a container a runtime's message is about, and what is wrong with it."""

from __future__ import annotations

import re

from kubedoctor.cluster import Container, VolumeMount, visible

_ERRORS = re.compile(
    r"not a directory|is a directory|no such file or directory|file exists|permission denied|operation not permitted"
    r"|read-only file system|stale (?:nfs )?file handle|transport endpoint is not connected|input/output error",
    re.IGNORECASE,
)
_PLACE = re.compile(r'(?:to rootfs at |\bdst=)\\?"?(/[^\s",\\]+)')
_VOLUME_MOUNT = re.compile(r'subPath \w*\s*for volumeMount "([^"]+)"')
"""`pkg/kubelet/kubelet_pods.go`, makeMounts, v1.37."""
_OTHER_TYPE = "not a directory"
_READ_ONLY = "read-only file system"


def mount_in(container: Container, message: str) -> VolumeMount | None:
    """The mount whose path the message names: the longest; of a subPath that the kubelet could not prepare, by its volume."""
    of_volume = _VOLUME_MOUNT.search(message)
    if of_volume is not None:
        return next((mount for mount in container.volume_mounts or () if mount.name == of_volume[1]), None)
    named = [mount for mount in container.volume_mounts or () if _names(message, mount.mount_path)]
    return max(named, key=lambda mount: len(mount.mount_path), default=None)


def is_of_working_directory(container: Container, message: str) -> bool:
    """Whether the message names the working directory, which the runtime creates, and no mount at or below it."""
    return _names(message, container.working_dir) and mount_in(container, message) is None


def mount_error(message: str) -> str:
    """What the kernel answered: `not a directory`; empty where the message does not have it."""
    errors = _ERRORS.findall(message)
    return str(errors[-1]) if errors else ""


def read_only_above(container: Container, mount: VolumeMount | None, message: str) -> VolumeMount | None:
    """The read-only mount in which the mount's directory would have to be made; None where another error stands."""
    if mount is None or mount_error(message).lower() != _READ_ONLY:
        return None
    above = [
        other
        for other in container.volume_mounts or ()
        if other.mount_path != mount.mount_path and mount.mount_path.startswith(f"{other.mount_path.rstrip('/')}/")
    ]
    return max(above, key=lambda other: len(other.mount_path), default=None)


def mount_words(mount: VolumeMount | None, message: str) -> str:
    """The mount that failed, and why; empty where the message names no place or no error. mount: that of the container
    at this place, if it has one."""
    if mount is not None and mount.sub_path and _VOLUME_MOUNT.search(message):
        return f"subPath {visible(mount.sub_path)} of volume {mount.name} cannot be made or used: the kubelet gives no reason"
    place = _PLACE.search(message)
    path = mount.mount_path if mount is not None else place[1] if place is not None else ""
    error = mount_error(message)
    if not path or not error:
        return ""
    why = f"{error} (a directory over a file, or a file over a directory)" if error == _OTHER_TYPE else error
    return (
        f"volume {mount.name} cannot be mounted at {visible(path)}: {why}"
        if mount
        else f"a mount at {visible(path)} fails: {why}"
    )


def _names(message: str, path: str) -> bool:
    """Whether the path stands in the message as a whole."""
    if len(path) < 2:
        return False
    return re.search(rf"(?<![\w./-]){re.escape(path.rstrip('/'))}/?(?![\w./-])", message) is not None
