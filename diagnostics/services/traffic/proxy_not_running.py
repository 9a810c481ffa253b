"""kube-proxy does not run on a node.

## What it means
kube-proxy writes the rules that send Service addresses to pods. Where it does not run, the rules stay in the kernel as they
were, and on a node that was started since there are none: from pods of this node, and through node ports of it, Services
that changed lead to pods that are gone. Even `kubernetes.default`, the API server, may time out there. Pods on other nodes
work.

A network plug-in may do this work as well (Cilium with `kubeProxyReplacement`, kube-router, Calico with eBPF): then Services
are reached without kube-proxy.

## Why it happens
- Its pod crashes: a wrong value in the ConfigMap `kube-proxy`, a mode (`ipvs`, `nftables`) that the node's kernel does not
  support, conntrack limits that it may not set.
- Its pod cannot start on this node: image, taint, no memory.

## How to fix it
Repair the pod of kube-proxy on this node: its own finding and its log say why it does not run.

## References
- https://kubernetes.io/docs/reference/networking/virtual-ips/
- https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/#is-the-kube-proxy-working
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from diagnostics.services._triage import is_kube_proxy
from kubedoctor.cluster import (
    Cluster,
    ConfigMap,
    DaemonSet,
    Node,
    Pod,
    condition,
    finished,
    has_path,
    listed,
    quote,
    ready,
    ref,
    terminating,
)
from kubedoctor.findings import (
    Command,
    Confidence,
    Explains,
    Finding,
    Severity,
    diagnostic,
    kubectl,
)
from kubedoctor.replay.network.other_proxies import other_proxy
from kubedoctor.replay.services.starting import still_starting

_NAME: Final = "kube-proxy"
_SHOWN: Final = 3


@diagnostic(
    code="KD2011",
    subject=DaemonSet,
    severity=Severity.CRITICAL,
    reads=(DaemonSet, Pod, Node, ConfigMap),
    when=is_kube_proxy,
    explains=(Explains("proxied", ("KD1003", "KD1012", "KD1013", "KD1014", "KD1016", "KD1029")),),
    symptoms=("kube-proxy", "i/o timeout", "no route to host", "ClusterIP"),
)
def proxy_not_running(daemon_set: DaemonSet, cluster: Cluster) -> Iterator[Finding]:
    pods = [pod for pod in cluster.owned_by(Pod, ref(daemon_set)) if not finished(pod) and not terminating(pod)]
    running = {pod.spec.node_name for pod in pods if ready(pod)}
    down = [pod for pod in pods if not ready(pod) and not still_starting(pod, cluster.taken_at)]
    # A manifest says nothing of how its pod is.
    down = [pod for pod in down if has_path(pod, "status.phase")]
    down = [pod for pod in down if pod.spec.node_name and pod.spec.node_name not in running]
    # A node that is not ready has a finding of its own.
    down = [pod for pod in down if _runs(pod.spec.node_name, cluster)]
    if not down:
        return
    nodes = sorted({pod.spec.node_name for pod in down})
    where = f"node {nodes[0]}" if len(nodes) == 1 else f"nodes {listed(nodes, _SHOWN)}"
    other = other_proxy(cluster)
    path = "status.conditions[type=Ready].message"
    yield Finding(
        about=ref(daemon_set),
        summary=f"kube-proxy does not run on {where}: its rules for Services are not updated there, so those may be missing or"
        " lead to pods that are gone",
        severity=Severity.WARNING if other else None,
        confidence=Confidence.LIKELY if other else Confidence.CERTAIN,
        would_disprove=f"{other} sends to Services on this node, and the rules of kube-proxy are not used"
        if other
        else "",
        evidence=tuple(
            quote(pod, path if has_path(pod, path) else "status.phase", f"kube-proxy on node {pod.spec.node_name}")
            for pod in down[:_SHOWN]
        ),
        affects=tuple(map(ref, down)),
        because_of=tuple(map(ref, down)),
        commands=(
            Command(
                kubectl("get", "pods", "-l", f"k8s-app={_NAME}", "-o", "wide", namespace=daemon_set.namespace),
                "kube-proxy on each node",
            ),
        ),
    )


def _runs(name: str, cluster: Cluster) -> bool:
    """Whether the node is ready, or not seen."""
    node = cluster.maybe.get(Node, "", name)
    if node is None:
        return not cluster.has_all(Node, "")
    stated = condition(node.status.conditions, "Ready")
    return stated is None or stated.status == "True"
