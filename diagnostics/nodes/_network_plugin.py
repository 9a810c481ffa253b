"""The network plugin of a node whose network is not ready: the DaemonSet that should set it up, and its pod there."""

from __future__ import annotations

import re
from typing import NamedTuple

from kubedoctor.cluster import (
    Cluster,
    DaemonSet,
    Evidence,
    Node,
    Pod,
    Ref,
    controller_of,
    finished,
    has_path,
    quote,
    ready,
    ref,
)
from kubedoctor.findings import Command, Effect, Fix, kubectl, look_at_log

_FOLDER = re.compile(r"/cni(-network)?(/|$)")
"""In the folders of plug-ins' configuration and programs: /etc/cni/net.d and /opt/cni/bin, those of OpenShift
(/etc/kubernetes/cni/net.d, /var/lib/cni/bin), k3s (/var/lib/rancher/k3s/agent/etc/cni/net.d) and MicroK8s
(/var/snap/microk8s/current/args/cni-network)."""


_NAMES = ("app", "app.kubernetes.io/name", "k8s-app")
"""Labels with the name of the program, whatever a DaemonSet is called."""
_ANYBODY = frozenset({"", "agent", "cni", "controller", "daemon", "network", "node", "plugin", "pod", "proxy"})
"""Words that name no particular DaemonSet."""


class NetworkPlugin(NamedTuple):
    """summary: what is wrong with it on the node. suspect: the DaemonSet, where its pod on the node fails or is missing.
    pod: where it is ready on the node, although the network is not. by_name: the message of the plugin names it."""

    summary: str
    fixes: tuple[Fix, ...]
    suspect: DaemonSet | None = None
    evidence: tuple[Evidence, ...] = ()
    pod: Pod | None = None
    by_name: bool = False


def network_plugin(node: Node, cluster: Cluster, message: str = "") -> NetworkPlugin:
    """Why the network of a node is not ready, as far as DaemonSets show it. message: what a network plugin says; an
    agent that it names decides."""
    on_node = {owner: pod for pod in cluster.maybe.pods_on(node.name) if (owner := controller_of(pod)) is not None}
    if message and (named := _named_agent(message, node, on_node, cluster)) is not None:
        return named
    candidates = [daemon for daemon in cluster.maybe.all(DaemonSet) if daemon.spec.template.spec.host_network]
    plugins = [daemon for daemon in candidates if _installs(daemon)]
    suspects = []
    for daemon in plugins or candidates:
        pod = on_node.get(ref(daemon))
        if pod is None:
            missing = daemon.status.current_number_scheduled < daemon.status.desired_number_scheduled
            if missing:
                suspects.append(_missing(daemon, node))
        elif not _runs(pod) and not finished(pod):
            suspects.append(_failing(daemon, pod))
    if len(suspects) == 1 or (suspects and plugins):
        return suspects[0]
    if plugins:
        return _at_work(plugins, on_node)
    if any(gap.kind in ("DaemonSet", "Pod") for gap in cluster.gaps) or candidates:
        return NetworkPlugin(
            "", (Fix("Check why the network plugin's pod on this node fails, or whether there is one"),)
        )
    return NetworkPlugin("", (Fix("Install or repair the network plugin: no DaemonSet of the cluster sets one up"),))


def _named_agent(message: str, node: Node, on_node: dict[Ref, Pod], cluster: Cluster) -> NetworkPlugin | None:
    """The DaemonSet that the message names, as `no ztunnel connection` does, where its pod on the node fails."""
    words = {word.strip(".") for word in re.split(r"[^\w.-]+", message.lower())}
    for daemon in cluster.maybe.all(DaemonSet):
        names = {daemon.name, *(daemon.labels.get(label, "") for label in _NAMES)}
        if words & (names - _ANYBODY):
            pod = on_node.get(ref(daemon))
            if pod is not None and not _runs(pod) and not finished(pod):
                return _failing(daemon, pod)._replace(by_name=True)
            if pod is None and daemon.status.current_number_scheduled < daemon.status.desired_number_scheduled:
                return _missing(daemon, node)._replace(by_name=True)
    return None


def _runs(pod: Pod) -> bool:
    """The node controller calls every pod of a node unready that has become NotReady; its containers tell the truth."""
    statuses = pod.status.container_statuses or ()
    return ready(pod) or (bool(statuses) and all(status.ready for status in statuses))


def _at_work(plugins: list[DaemonSet], on_node: dict[Ref, Pod]) -> NetworkPlugin:
    """A plugin writes its program and configuration when its pod starts."""
    names = ", ".join(ref(daemon).title for daemon in plugins)
    read = Fix(f"Check why {names} does not set up the network of this node: read the log of its pod here")
    pods = [(daemon, pod) for daemon in plugins if (pod := on_node.get(ref(daemon))) is not None and _runs(pod)]
    if len(pods) != 1:
        return NetworkPlugin("", (read,))
    daemon, pod = pods[0]
    again = Fix(
        f"Delete pod {pod.name}: {ref(daemon).title} creates it again, and a network plugin writes its configuration"
        " when it starts",
        kubectl("delete", "pod", pod.name, namespace=pod.namespace),
        Effect.DISRUPTS,
    )
    return NetworkPlugin("", (again, read), pod=pod)


def look_at_plugin(network: NetworkPlugin | None) -> tuple[Command, ...]:
    """The log of its pod on the node, where that runs."""
    if network is None or network.pod is None:
        return ()
    container = network.pod.spec.containers[0].name
    return (look_at_log(network.pod, container, previous=False, why="the log of the network plugin on the node"),)


def _installs(daemon: DaemonSet) -> bool:
    paths = [volume.host_path.path for volume in daemon.spec.template.spec.volumes or () if volume.host_path]
    return any(_FOLDER.search(path) for path in paths)


def _failing(daemon: DaemonSet, pod: Pod) -> NetworkPlugin:
    title = ref(daemon).title
    return NetworkPlugin(
        f"pod {pod.name} of {title} is not ready on it",
        (Fix(f"Fix pod {pod.name} of {title}: the node's network depends on it"),),
        daemon,
        _state(pod),
    )


def _missing(daemon: DaemonSet, node: Node) -> NetworkPlugin:
    title = ref(daemon).title
    return NetworkPlugin(
        f"{title} has no pod on it",
        (Fix(f"Fix {title}: it cannot create its pod on {node.name}"),),
        daemon,
        _counted(daemon),
    )


def _counted(daemon: DaemonSet) -> tuple[Evidence, ...]:
    paths = {"status.currentNumberScheduled": "pods that exist", "status.desiredNumberScheduled": "pods that should"}
    return tuple(quote(daemon, path, shows) for path, shows in paths.items() if has_path(daemon, path))


def _state(pod: Pod) -> tuple[Evidence, ...]:
    path = "status.conditions[type=Ready].status"
    return (quote(pod, path, "the pod of the network plugin on this node"),) if has_path(pod, path) else ()
