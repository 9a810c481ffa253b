"""Taints that a new node has until a component of the cluster has set it up, and that component's pods."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from kubedoctor.cluster import Cluster, Pod, Ref
from kubedoctor.cluster.relations.workloads import workload_of
from kubedoctor.cluster.triage import not_ready
from kubedoctor.findings import Fix


class _Component(NamedTuple):
    """What removes the taint, in words and by the images of its containers."""

    words: str
    image: re.Pattern[str]


_COMPONENTS: Final = {
    "node.cloudprovider.kubernetes.io/uninitialized": _Component(
        "the cloud controller manager",
        re.compile(r"cloud-controller-manager|cloud-node-manager|\bccm\b|cloud-provider-\w+", re.I),
    ),
    "node.cilium.io/agent-not-ready": _Component("Cilium's agent", re.compile(r"/cilium(?:-ci)?[:@]", re.I)),
    "ebs.csi.aws.com/agent-not-ready": _Component("the EBS CSI driver's pod on the node", re.compile(r"ebs-csi", re.I)),
    "efs.csi.aws.com/agent-not-ready": _Component("the EFS CSI driver's pod on the node", re.compile(r"efs-csi", re.I)),
    "karpenter.sh/unregistered": _Component("Karpenter", re.compile(r"karpenter", re.I)),
}
"""By the key of the taint, as the components document them."""


class StartTaint(NamedTuple):
    """words: who removes the taint. suspects: its workloads with a pod that is not ready."""

    words: str
    suspects: tuple[Ref, ...]

    @property
    def clause(self) -> str:
        return f", which {self.words} removes once the node is set up"

    @property
    def fix(self) -> Fix:
        at = f": {', '.join(one.title for one in self.suspects)}" if self.suspects else ""
        return Fix(f"Repair {self.words}{at}; it then removes the taint itself")


def start_taint(key: str, cluster: Cluster) -> StartTaint | None:
    """None for taints of people and of other components."""
    component = _COMPONENTS.get(key)
    if component is None:
        return None
    broken = (pod for pod in cluster.maybe.all(Pod) if not_ready(pod) and _runs(pod, component))
    return StartTaint(component.words, tuple(dict.fromkeys(workload_of(pod, cluster) for pod in broken)))


def _runs(pod: Pod, component: _Component) -> bool:
    return any(component.image.search(container.image) for container in pod.spec.containers)
