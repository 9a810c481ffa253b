"""Which connections network policies allow: `PolicySet(policies).judge(source, destination, port, protocol)`."""

from kubedoctor.replay.network.parties import METADATA_NAME, Party
from kubedoctor.replay.network.policies import EGRESS, INGRESS, Policy, Rule, compile_policy
from kubedoctor.replay.network.verdicts import Miss, PolicySet, Side, Verdict

__all__ = [
    "EGRESS",
    "INGRESS",
    "METADATA_NAME",
    "Miss",
    "Party",
    "Policy",
    "PolicySet",
    "Rule",
    "Side",
    "Verdict",
    "compile_policy",
]
