"""The part of a volume driver on a node: which DaemonSet runs it, and why it is not registered there."""

from __future__ import annotations

from typing import Final, NamedTuple

from kubedoctor.cluster import Cluster, DaemonSet, Node, pods_of, ready, ref, untolerated
from kubedoctor.findings import Evidence, Fix, Ref, has_path, quote

_COMMON: Final = frozenset(
    {"csi", "com", "io", "org", "net", "driver", "storage", "k8s", "aws", "azure", "cloud", "node"}
)
"""Parts of names of drivers that tell none of them."""


class AtNode(NamedTuple):
    """`words`: to follow a message. `blamed`: what runs the driver there."""

    words: str
    evidence: tuple[Evidence, ...]
    blamed: tuple[Ref, ...] = ()
    fixes: tuple[Fix, ...] = ()


def unregistered(driver: str, node: str, where: tuple[Evidence, ...], cluster: Cluster) -> AtNode:
    """Why a driver is not registered on a node. where: what names the node."""
    plugin = plugin_of(driver, cluster)
    if plugin is None:
        return AtNode(f"; no pod on node {node} has registered the driver", where)
    there = [one for one in pods_of(plugin, cluster.maybe) if one.spec.node_name == node]
    if not there:
        return AtNode(
            f"; {ref(plugin).title} has no pod on node {node}{_why_not(plugin, node, cluster)}",
            (*where, *_taints(plugin, node, cluster)),
            (ref(plugin),),
        )
    unready = next((one for one in there if not ready(one)), None)
    if unready is None:
        return AtNode(
            f"; its pod {ref(there[0]).title.partition(' ')[2]} runs on node {node} and has not registered it",
            (quote(there[0], "spec.nodeName", "where the driver's pod runs"),),
        )
    return AtNode(
        f"; its pod {ref(unready).title.partition(' ')[2]} on node {node} is not ready",
        (quote(unready, "spec.nodeName", "where the driver's pod runs"),),
        (ref(unready), ref(plugin)),
    )


def plugin_of(driver: str, cluster: Cluster) -> DaemonSet | None:
    """The DaemonSet whose template names the driver: in an argument, a variable, or the path of its socket; else the only one of
    CSI whose own name has a word of the driver's: `ebs-csi-node` of `ebs.csi.aws.com`."""
    all_of_them = cluster.maybe.all(DaemonSet)
    named = next((one for one in all_of_them if any(driver in text for text in texts_of(one))), None)
    if named is not None:
        return named
    words = [word for word in driver.split(".") if word not in _COMMON]
    alike = [one for one in all_of_them if "csi" in one.name and any(word in one.name for word in words)]
    return alike[0] if len(alike) == 1 else None


def texts_of(daemon_set: DaemonSet) -> list[str]:
    """Where a template names what it serves."""
    spec = daemon_set.spec.template.spec
    texts = [volume.host_path.path for volume in spec.volumes or () if volume.host_path is not None]
    for container in spec.containers:
        texts += [*(container.args or ()), *(container.command or ())]
        texts += [variable.value for variable in container.env or ()]
    return texts


def _why_not(plugin: DaemonSet, name: str, cluster: Cluster) -> str:
    node = cluster.maybe.get(Node, "", name)
    if node is None:
        return ""
    taint = untolerated(plugin.spec.template.spec.tolerations, node.spec.taints or ())
    if taint is not None:
        return f": it does not tolerate taint {taint.key}{f'={taint.value}' if taint.value else ''}:{taint.effect}"
    wrong = [
        f"{key}={value}"
        for key, value in (plugin.spec.template.spec.node_selector or {}).items()
        if node.labels.get(key) != value
    ]
    return f": the node lacks label {', '.join(wrong)}" if wrong else ""


def _taints(plugin: DaemonSet, name: str, cluster: Cluster) -> tuple[Evidence, ...]:
    node = cluster.maybe.get(Node, "", name)
    if node is None or not has_path(node, "spec.taints"):
        return ()
    return (quote(node, "spec.taints", f"of the node; {plugin.name} has to tolerate them"),)
