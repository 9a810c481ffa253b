"""Which connections network policies allow: `PolicySet(policies).judge(source, destination, port, protocol)`, all ports of
a pair (`connectivity`), all pairs (`connectivity_matrix`)."""

from kubedoctor.replay.network.admin import ADMIN_KINDS, BASELINE_TIERS, NETWORK_POLICY, AdminPolicy, AnyAdminPolicy
from kubedoctor.replay.network.matrix import ConnectivityMatrix, connectivity_matrix
from kubedoctor.replay.network.parties import METADATA_NAME, Party
from kubedoctor.replay.network.policies import EGRESS, INGRESS, NetworkPolicyRule, Policy, compile_policy
from kubedoctor.replay.network.port_sets import EVERY_PORT, NO_PORT, PortSet
from kubedoctor.replay.network.verdicts import ConnectionVerdict, Miss, PolicySet, Side

__all__ = [
    "ADMIN_KINDS",
    "BASELINE_TIERS",
    "EGRESS",
    "EVERY_PORT",
    "INGRESS",
    "METADATA_NAME",
    "NETWORK_POLICY",
    "NO_PORT",
    "AdminPolicy",
    "AnyAdminPolicy",
    "ConnectionVerdict",
    "ConnectivityMatrix",
    "Miss",
    "NetworkPolicyRule",
    "Party",
    "Policy",
    "PolicySet",
    "PortSet",
    "Side",
    "compile_policy",
    "connectivity_matrix",
]
