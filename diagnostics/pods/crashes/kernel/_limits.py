"""Limits and settings of the kernel that a program meets: those of its node, and the shared memory of its container."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from diagnostics.pods._node import blamed_node
from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import Cluster, Container, Node, Pod, all_containers
from kubedoctor.findings import Evidence, Fix, Ref, fix_by_hand, has_path, quote, quote_pod_spec
from kubedoctor.replay.logs.families.machine import THREADS, THREADS_REFUSED

SHARED_MEMORY_PATH: Final = "/dev/shm"
IN_MEMORY: Final = f"{SHARED_MEMORY_PATH}/"
OF_THE_KERNEL: Final = ("/proc/sys/", "/sys/")
_MORE_THREADS = "Start fewer threads, or raise the limit of processes (podPidsLimit of the kubelet, or ulimit -u)"
_NEWER_RUNTIME = (
    "Update the container runtime and libseccomp of the nodes (containerd 1.5.6, Docker 20.10.10 or newer), or use an"
    " image with an older C library"
)
_SETTING = re.compile(r"[a-z_]+(?:\.[\w-]+)+")
_SERVER = re.compile(r"could not resize shared memory segment", re.IGNORECASE)


class _Limit(NamedTuple):
    """Words that tell a limit, what it is, and the setting of the node that raises it."""

    words: re.Pattern[str]
    text: str
    setting: str
    relief: str = "run fewer pods there that watch files"


_LIMITS = (
    _Limit(
        re.compile(r"aio-max-nr|async(?:hronous)? I/O|\bio_setup\b|\baio\b", re.I),
        "no requests for asynchronous I/O left (fs.aio-max-nr, which all pods of the node share)",
        "fs.aio-max-nr",
        "run fewer databases there",
    ),
    _Limit(
        re.compile(r"inotify.{0,80}(?:no space|watches)|file watchers|ENOSPC: System limit", re.I),
        "no inotify watches left",
        "fs.inotify.max_user_watches",
    ),
    _Limit(
        re.compile(r"inotify|\b(?:fs)?notify\b|watcher", re.I),
        "no inotify instances left",
        "fs.inotify.max_user_instances",
    ),
    _Limit(
        re.compile(r"too many open files|\bEMFILE\b", re.I),
        "no open files or inotify instances left",
        "fs.inotify.max_user_instances, or the limit of open files of its container runtime",
    ),
)
"""The kernel gives one error (EMFILE) for open files and for inotify instances, which all pods of a user share."""


def limit_of_the_node(pod: Pod, subject: str, message: str, cluster: Cluster) -> Story:
    """message: as the log has it."""
    if subject == THREADS:
        return Story(f"it cannot start another thread: {message}", fixes=(Fix(_MORE_THREADS),))
    if subject == THREADS_REFUSED:
        return _threads_refused(pod, message, cluster)
    evidence = _its_node(pod)
    limit = next((limit for limit in _LIMITS if limit.words.search(message)), None)
    node = f"node {pod.spec.node_name}" if pod.spec.node_name else "its node"
    if limit is None:
        fixes = (Fix(f"Raise {subject} on {node} (sysctl)"),) if _SETTING.fullmatch(subject) else ()
        return Story(f"a limit of the node is too low: {message}", evidence=evidence, fixes=fixes)
    fix = Fix(f"Raise {limit.setting} on {node}, or {limit.relief}")
    return Story(f"{node} has {limit.text}: {message}", evidence=evidence, fixes=(fix,))


def _threads_refused(pod: Pod, message: str, cluster: Cluster) -> Story:
    """Runtimes before clone3 answer that it is forbidden instead of unknown: moby/moby#42680."""
    node = cluster.maybe.get(Node, "", pod.spec.node_name)
    path = "status.nodeInfo.containerRuntimeVersion"
    runtime = (quote(node, path, "the runtime whose profile applies"),) if node and has_path(node, path) else ()
    shown = f" ({runtime[0].value})" if runtime else ""
    return Story(
        f"a seccomp profile, as that of an old container runtime{shown}, forbids the way its C library starts threads"
        f" (clone3): {message}",
        evidence=runtime,
        fixes=(Fix(_NEWER_RUNTIME),),
    )


def _its_node(pod: Pod) -> tuple[Evidence, ...]:
    return (quote(pod, "spec.nodeName", "the node whose limit it is"),) if blamed_node(pod) else ()


def too_little_shared_memory(pod: Pod, container: str, message: str, about: Ref, cluster: Cluster) -> Story:
    """`/dev/shm` has 64Mi unless a volume in memory is mounted there."""
    if (full := _volume_in_memory(pod, container, message, about, cluster)) is not None:
        return full
    if _SERVER.search(message):
        text = (
            f"the database server has too little shared memory (/dev/shm, 64Mi unless a volume is mounted): {message}"
        )
        fix = Fix("Mount an emptyDir with medium: Memory at /dev/shm of the database server's container")
        return Story(text, fixes=(fix,))
    text = f"the container has too little shared memory (/dev/shm, 64Mi unless a volume is mounted): {message}"
    return Story(
        text, fixes=(fix_by_hand(about, f"Mount an emptyDir with medium: Memory at /dev/shm of `{container}`"),)
    )


def _volume_in_memory(pod: Pod, container: str, message: str, about: Ref, cluster: Cluster) -> Story | None:
    """A volume is mounted there: that is full. Its files count as memory of the container."""
    mounts = next((one.volume_mounts or () for one in all_containers(pod) if one.name == container), ())
    name = next((mount.name for mount in mounts if mount.mount_path == SHARED_MEMORY_PATH), "")
    volume = next((one for one in pod.spec.volumes or () if name and one.name == name), None)
    if volume is None or volume.empty_dir is None:
        return None
    limit = volume.empty_dir.size_limit
    path = f"spec.volumes[name={name}].emptyDir"
    fix = f"Raise sizeLimit of volume {name}, within the memory limit of `{container}`"
    if not limit:
        in_memory = volume.empty_dir.medium == "Memory"
        fix = (
            f"Raise the memory limit of `{container}`: volume {name} has no sizeLimit, so its files may take that memory"
            if in_memory
            else f"Set sizeLimit and medium: Memory on volume {name}: now its files are on the disk of the node"
        )
    return Story(
        f"its shared memory is full: volume {name} at {SHARED_MEMORY_PATH}{f' has {limit}' if limit else ''}: {message}",
        evidence=tuple(quote_pod_spec(pod, cluster, about, path, "the shared memory of the container")),
        fixes=(fix_by_hand(about, fix),),
    )


def kernel_setting_denied(container: Container, path: str) -> tuple[str, str]:
    """The clause and the fix of a setting of the kernel that the container may not write."""
    setting = path.removeprefix("/proc/sys/").strip("/").replace("/", ".")
    context = container.security_context
    on_the_node = f"set {setting} on the node, and let the program not set it"
    if context is not None and context.privileged:
        return (
            f"it may not set the kernel setting {setting} (permission denied on {path}), although it is privileged",
            f"The kernel lets only the host set it: {on_the_node}",
        )
    return (
        f"it may not set the kernel setting {setting} (permission denied on {path})",
        f"Run container `{container.name}` as privileged, or {on_the_node}",
    )
