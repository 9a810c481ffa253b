"""The network plugin of a node whose network is not ready: the DaemonSet that should set it up, and its pod there."""

from __future__ import annotations

from typing import NamedTuple

from kubedoctor.cluster import (
    Cluster,
    DaemonSet,
    Evidence,
    Node,
    Pod,
    controller_of,
    finished,
    has_path,
    quote,
    ready,
    ref,
)

_FOLDERS = ("/etc/cni", "/opt/cni")
"""The folders of plug-ins' configuration and programs, unless the runtime is configured with others (`containerd`'s
`bin_dir` and `conf_dir`, CRI-O's `network_dir` and `plugin_dirs`)."""


class NetworkPlugin(NamedTuple):
    """summary: what is wrong with it on the node. fix: what to do. suspect: the DaemonSet, where its pod on the node
    fails or is missing."""

    summary: str
    fix: str
    suspect: DaemonSet | None = None
    evidence: tuple[Evidence, ...] = ()


def network_plugin(node: Node, cluster: Cluster) -> NetworkPlugin:
    """Why the network of a node is not ready, as far as DaemonSets show it."""
    on_node = {owner: pod for pod in cluster.maybe.pods_on(node.name) if (owner := controller_of(pod)) is not None}
    candidates = [daemon for daemon in cluster.maybe.all(DaemonSet) if daemon.spec.template.spec.host_network]
    plugins = [daemon for daemon in candidates if _installs(daemon)]
    suspects = []
    for daemon in plugins or candidates:
        pod = on_node.get(ref(daemon))
        if pod is None:
            missing = daemon.status.current_number_scheduled < daemon.status.desired_number_scheduled
            if missing:
                suspects.append(NetworkPlugin(*_missing(daemon, node), daemon, _counted(daemon)))
        elif not ready(pod) and not finished(pod):
            suspects.append(NetworkPlugin(*_failing(daemon, pod), daemon, _state(pod)))
    if len(suspects) == 1 or (suspects and plugins):
        return suspects[0]
    if plugins:
        names = ", ".join(ref(daemon).title for daemon in plugins)
        return NetworkPlugin(
            "", f"Check why {names} does not set up the network of this node: read the log of its pod here"
        )
    if any(gap.kind in ("DaemonSet", "Pod") for gap in cluster.gaps) or candidates:
        return NetworkPlugin("", "Check why the network plugin's pod on this node fails, or whether there is one")
    return NetworkPlugin("", "Install or repair the network plugin: no DaemonSet of the cluster sets one up")


def _installs(daemon: DaemonSet) -> bool:
    paths = [volume.host_path.path for volume in daemon.spec.template.spec.volumes or () if volume.host_path]
    return any(path == folder or path.startswith(f"{folder}/") for path in paths for folder in _FOLDERS)


def _failing(daemon: DaemonSet, pod: Pod) -> tuple[str, str]:
    title = ref(daemon).title
    return (
        f"pod {pod.name} of {title} is not ready on it",
        f"Fix pod {pod.name} of {title}: the node's network depends on it",
    )


def _missing(daemon: DaemonSet, node: Node) -> tuple[str, str]:
    title = ref(daemon).title
    return f"{title} has no pod on it", f"Fix {title}: it cannot create its pod on {node.name}"


def _counted(daemon: DaemonSet) -> tuple[Evidence, ...]:
    paths = {"status.currentNumberScheduled": "pods that exist", "status.desiredNumberScheduled": "pods that should"}
    return tuple(quote(daemon, path, shows) for path, shows in paths.items() if has_path(daemon, path))


def _state(pod: Pod) -> tuple[Evidence, ...]:
    path = "status.conditions[type=Ready].status"
    return (quote(pod, path, "the pod of the network plugin on this node"),) if has_path(pod, path) else ()
