"""Who enforces network policies in a cluster, if anyone: recognised by the DaemonSets that network plug-ins run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.kinds.apps import DaemonSet
from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.seen.reading import Cluster

_KUBE_ROUTER: Final = "kube-router"
_K3S: Final = "+k3s"
_ENFORCING: Final = (
    (r"canal", "Canal"),
    (r"calico|tigera", "Calico"),
    (r"cilium|anetd", "Cilium"),
    (r"antrea", "Antrea"),
    (r"kube-ovn|ovnkube|ovn-kubernetes|\bovs-ovn", "OVN-Kubernetes"),
    (_KUBE_ROUTER, _KUBE_ROUTER),
    (r"kube-network-policies", "kube-network-policies"),
    (r"weave", "Weave Net"),
    (r"azure-npm", "Azure NPM"),
    (r"network-?polic\w*-?(?:agent|engine|controller)|\bnpc\b|romana|nsx|\bsdn\b", "a network policy agent"),
)
"""By the names of DaemonSets, containers and images. Those of Canal name both Calico and flannel."""
_FLANNEL: Final = compiled_later(r"flannel")
_AWS: Final = compiled_later(r"aws-node|amazon-k8s-cni|aws-vpc-cni")
_AWS_AGENTS: Final = compiled_later(r"aws-network-policy-agent|aws-eks-nodeagent")
_AWS_SWITCH: Final = "--enable-network-policy=true"
"""Off by default, as the manifests of the agent say too."""
_KINDNET: Final = compiled_later(r"kindnetd?(?::v(?P<day>\d{8}))?")
_KINDNET_ENFORCES: Final = "20240813"
"""The date of the image of kind 0.24, the first whose kindnetd enforces policies."""


class PolicyEnforcer(msgspec.Struct, frozen=True):
    """A network plug-in. enforces: None where its version or settings do not tell."""

    name: str
    enforces: bool | None
    about: Ref


def policy_enforcer(daemon_sets: Iterable[DaemonSet]) -> PolicyEnforcer | None:
    """The plug-in that enforces policies, else one that does not; None where none is recognised."""
    found = [plugin for row in daemon_sets if (plugin := _recognised(row)) is not None]
    return max(found, key=lambda plugin: (plugin.enforces is True, plugin.enforces is None), default=None)


def none_enforces(cluster: Cluster) -> bool:
    """Whether the network plug-in ignores policies, and no other agent enforces them."""
    found = policy_enforcer(cluster.maybe.all(DaemonSet))
    return found is not None and found.enforces is False


def certainly_enforced(cluster: Cluster) -> bool:
    """Whether an agent is seen that enforces policies."""
    found = policy_enforcer(cluster.maybe.all(DaemonSet))
    return found is not None and found.enforces is True


def refuses_what_it_denies(cluster: Cluster) -> bool:
    """Whether a connection that policies deny is refused at once and does not time out: so does kube-router (`REJECT`), which
    is part of k3s (`pkg/controllers/netpol`)."""
    found = policy_enforcer(cluster.maybe.all(DaemonSet))
    if found is not None:
        return found.name == _KUBE_ROUTER
    return any(_K3S in node.status.node_info.kubelet_version for node in cluster.maybe.all(Node))


def ignores_policies(daemon_set: DaemonSet) -> bool:
    """Whether the DaemonSet is a network plug-in that enforces no policy."""
    found = _recognised(daemon_set)
    return found is not None and found.enforces is False


def _recognised(row: DaemonSet) -> PolicyEnforcer | None:
    words = " ".join(_words(row))
    containers = row.spec.template.spec.containers
    if _AWS.search(words):
        agents = [container for container in containers if _AWS_AGENTS.search(f"{container.name} {container.image}")]
        enforces = any(_AWS_SWITCH in (agent.args or ()) for agent in agents)
        return PolicyEnforcer("AWS VPC CNI", enforces, ref(row))
    for pattern, name in _ENFORCING:
        if re.search(pattern, words):
            return PolicyEnforcer(name, True, ref(row))
    if _FLANNEL.search(words):
        return PolicyEnforcer("flannel", False, ref(row))
    kindnet = tuple(_KINDNET.finditer(words))
    if kindnet:
        days = [match["day"] for match in kindnet if match["day"]]
        return PolicyEnforcer("kindnet", max(days) >= _KINDNET_ENFORCES if days else None, ref(row))
    return None


def _words(row: DaemonSet) -> Iterator[str]:
    yield row.name
    for container in row.spec.template.spec.containers:
        yield container.name
        yield container.image.partition("@")[0]
