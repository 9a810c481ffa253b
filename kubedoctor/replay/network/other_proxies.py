"""Who sends Service addresses to pods beside kube-proxy: network plug-ins that can do its work."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.kinds.apps import DaemonSet
from kubedoctor.cluster.kinds.core import ConfigMap, Node
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.seen.reading import Cluster

CILIUM_CONFIG: Final = "cilium-config"
_CILIUM: Final = compiled_later(r"cilium(?:-agent)?(?:[:@]|$)")
_KUBE_ROUTER: Final = compiled_later(r"kube-router(?:[:@]|$)")
_CALICO: Final = compiled_later(r"calico[-/]node(?:[:@]|$)")
_KUBE_PROXY: Final = compiled_later(r"(?:^|/)(?:hardened-)?kube-proxy(?:[-:@]|$)|/hyperkube(?:[:@]|$)")
_WITHIN: Final = "+k3s"
_OFF: Final = ("false", "disabled", "")


def other_proxy(cluster: Cluster) -> str:
    """The plug-in that may send to Services as well as kube-proxy; empty where none is seen.

    Cilium by `kube-proxy-replacement` of its ConfigMap, or where that is not seen; kube-router unless
    `--run-service-proxy=false`; Calico with eBPF.
    """
    return next(filter(None, (proxy_of(row, cluster) for row in cluster.maybe.all(DaemonSet))), "")


def kube_proxy_runs(cluster: Cluster) -> bool:
    """Whether kube-proxy is seen, as a DaemonSet, a manifest on the nodes or a part of k3s."""
    return any(_KUBE_PROXY.search(box.image) for pod in cluster.maybe.all(Pod) for box in pod.spec.containers) or any(
        _WITHIN in node.status.node_info.kubelet_version for node in cluster.maybe.all(Node)
    )


def proxy_of(row: DaemonSet, cluster: Cluster) -> str:
    """The plug-in of a DaemonSet that does kube-proxy's work; empty for others."""
    for container in row.spec.template.spec.containers:
        if _CILIUM.search(container.image):
            config = cluster.maybe.get(ConfigMap, row.namespace, CILIUM_CONFIG)
            off = config is not None and (config.data or {}).get("kube-proxy-replacement", "") in _OFF
            return "" if off else "Cilium"
        if _KUBE_ROUTER.search(container.image):
            arguments = (*(container.command or ()), *(container.args or ()))
            return "" if "--run-service-proxy=false" in arguments else "kube-router"
        if _CALICO.search(container.image):
            settings = {variable.name: variable.value for variable in container.env or ()}
            return "Calico" if settings.get("FELIX_BPFENABLED", "").lower() == "true" else ""
    return ""
