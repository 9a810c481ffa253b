"""Who enforces network policies in a cluster, if anyone: recognised by the DaemonSets that network plug-ins run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from kubedoctor.cluster.kinds.apps import DaemonSet
from kubedoctor.cluster.kinds.references import Ref, ref

_ENFORCING: Final = {
    "calico-node": "Calico",
    "canal": "Canal",
    "cilium": "Cilium",
    "cilium-agent": "Cilium",
    "antrea-agent": "Antrea",
    "ovnkube-node": "OVN-Kubernetes",
    "kube-router": "kube-router",
    "kube-network-policies": "kube-network-policies",
    "weave-net": "Weave Net",
    "azure-npm": "Azure NPM",
    "aws-network-policy-agent": "AWS network policy agent",
}
_NOT_ENFORCING: Final = {"kube-flannel-ds": "flannel", "kube-flannel": "flannel", "flannel": "flannel"}
_AWS: Final = "aws-node"
_AWS_AGENTS: Final = ("aws-network-policy-agent", "aws-eks-nodeagent")
_KINDNET: Final = "kindnet"
_DATED: Final = re.compile(r":v(\d{4})(\d{2})\d{2}")
_KINDNET_ENFORCES: Final = (2024, 8)
"""The month of the image of kind 0.24, the first whose kindnetd enforces policies."""


class PolicyEnforcer(msgspec.Struct, frozen=True):
    """A network plug-in. enforces: None where its version or settings do not tell."""

    name: str
    enforces: bool | None
    about: Ref


def policy_enforcer(daemon_sets: Iterable[DaemonSet]) -> PolicyEnforcer | None:
    """The plug-in that enforces policies, else one that does not; None where none is recognised."""
    found = [plugin for row in daemon_sets if (plugin := _recognised(row)) is not None]
    return max(found, key=lambda plugin: (plugin.enforces is True, plugin.enforces is None), default=None)


def _recognised(row: DaemonSet) -> PolicyEnforcer | None:
    if (name := _ENFORCING.get(row.name)) is not None:
        return PolicyEnforcer(name, True, ref(row))
    if (name := _NOT_ENFORCING.get(row.name)) is not None:
        return PolicyEnforcer(name, False, ref(row))
    containers = row.spec.template.spec.containers
    if row.name == _AWS:
        agents = [container for container in containers if container.name in _AWS_AGENTS]
        switched = {word for agent in agents for word in agent.args or ()}
        enforces = bool(agents) and "--enable-network-policy=false" not in switched
        return PolicyEnforcer("AWS VPC CNI", enforces, ref(row))
    if row.name == _KINDNET:
        dates = [_DATED.search(container.image) for container in containers]
        known = [(int(date[1]), int(date[2])) for date in dates if date is not None]
        return PolicyEnforcer("kindnet", known[0] >= _KINDNET_ENFORCES if known else None, ref(row))
    return None
