"""Which connections network policies allow: `PolicySet(policies).judge(source, destination, port, protocol)`."""

from kubedoctor.replay.network.parties import METADATA_NAME, Party
from kubedoctor.replay.network.policies import EGRESS, INGRESS, NetworkPolicyRule, Policy, compile_policy
from kubedoctor.replay.network.verdicts import ConnectionVerdict, Miss, PolicySet, Side

__all__ = [
    "EGRESS",
    "INGRESS",
    "METADATA_NAME",
    "ConnectionVerdict",
    "Miss",
    "NetworkPolicyRule",
    "Party",
    "Policy",
    "PolicySet",
    "Side",
    "compile_policy",
]
