"""Whether anything in the cluster enforces NetworkPolicies: by the agents that run on its nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from kubedoctor.cluster.kinds.apps import DaemonSet
from kubedoctor.cluster.kinds.containers import Container
from kubedoctor.cluster.seen.reading import Cluster

_ENGINE: Final = re.compile(
    r"calico|canal|cilium|antrea|ovn|kube-router|weave|npc\b|azure-npm|network-?polic|anetd|romana|tigera|\bsdn\b|nsx"
)
"""Agents that enforce policies. Canal is flannel with Calico's; kube-network-policies works beside any plugin."""
_FLANNEL: Final = re.compile(r"flannel")
_AWS: Final = re.compile(r"aws-node|amazon-k8s-cni|aws-vpc-cni")
_AWS_AGENT: Final = re.compile(r"aws-(?:network-policy-agent|eks-nodeagent)")
_AWS_ON: Final = "--enable-network-policy=true"
_KINDNET: Final = re.compile(r"kindnetd?(?::v(?P<day>\d{8}))?")
_KINDNET_ENFORCES_FROM: Final = "20240813"
"""The date in the tag of its first image with policies (kind 0.24)."""


class Enforcement(NamedTuple):
    """`enforced`: None where no agent is known. `by`: the agent that enforces policies, or the plugin that does not."""

    enforced: bool | None
    by: DaemonSet | None = None

    @property
    def caveat(self) -> str:
        """What else would allow the traffic, as a clause."""
        if self.enforced:
            return "if another kind of policy allows it"
        return "if the network plugin does not enforce NetworkPolicies, or if another kind of policy allows it"


def enforcement(cluster: Cluster) -> Enforcement:
    """Whether an agent on the nodes enforces NetworkPolicies."""
    without = None
    for daemon_set in cluster.maybe.all(DaemonSet):
        enforces = _enforces(daemon_set)
        if enforces:
            return Enforcement(True, daemon_set)
        if enforces is False:
            without = without or daemon_set
    return Enforcement(False, without) if without is not None else Enforcement(None)


def ignores_policies(daemon_set: DaemonSet) -> bool:
    """Whether the DaemonSet is a network plugin that enforces no NetworkPolicy."""
    return _enforces(daemon_set) is False


def _enforces(daemon_set: DaemonSet) -> bool | None:
    """None for what is no network plugin."""
    words = list(_words(daemon_set))
    if any(_AWS.search(word) for word in words):
        agents = [row for row in _containers(daemon_set) if _AWS_AGENT.search(f"{row.name} {row.image}")]
        return any(_AWS_ON in (row.args or ()) for row in agents)
    if any(_ENGINE.search(word) for word in words):
        return True
    if any(_FLANNEL.search(word) for word in words):
        return False
    kindnet = [match for word in words if (match := _KINDNET.search(word))]
    days = [match["day"] for match in kindnet if match["day"]]
    return max(days) >= _KINDNET_ENFORCES_FROM if days else None


def _words(daemon_set: DaemonSet) -> Iterator[str]:
    yield daemon_set.name
    for container in _containers(daemon_set):
        yield container.name
        yield container.image.partition("@")[0]


def _containers(daemon_set: DaemonSet) -> tuple[Container, ...]:
    return tuple(daemon_set.spec.template.spec.containers)
