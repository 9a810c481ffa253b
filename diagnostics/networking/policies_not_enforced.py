"""NetworkPolicies have no effect.

## What it means
The network plugin of the cluster does not enforce NetworkPolicies, and no other agent does. The API server accepts the
policies, and all traffic is allowed as if there were none.

## Why it happens
- Flannel connects pods and ignores policies.
- The VPC plugin of Amazon enforces them only with its policy agent switched on (`enableNetworkPolicy`).
- kindnet of kind before 0.24 ignores them.
- Charts often contain policies, whether or not the cluster enforces them.

## How to fix it
1. If the policies are only part of charts, and no traffic has to be denied, leave it.
2. Else add an agent that enforces them: Calico's policy engine beside flannel (Canal), kube-network-policies, or another
   plugin. For Amazon's plugin set `enableNetworkPolicy` to `true`.
3. Before that, look at what the policies would block: connections that work today may end.

## References
- https://kubernetes.io/docs/concepts/services-networking/network-policies/#prerequisites
- https://github.com/flannel-io/flannel/blob/master/Documentation/netpol.md
- https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import Cluster, DaemonSet, NetworkPolicy, counted
from kubedoctor.findings import Command, Confidence, Finding, Severity, diagnostic, quote, ref
from kubedoctor.replay.network.enforcers import ignores_policies, policy_enforcer


@diagnostic(
    code="KD2203",
    subject=DaemonSet,
    severity=Severity.NOTICE,
    reads=(DaemonSet, NetworkPolicy),
    when=ignores_policies,
    symptoms=("NetworkPolicy", "flannel"),
)
def policies_not_enforced(plugin: DaemonSet, cluster: Cluster) -> Iterator[Finding]:
    policies = cluster.all(NetworkPolicy)
    found = policy_enforcer(cluster.all(DaemonSet))
    if not policies or found is None or found.about != ref(plugin):
        return
    one = len(policies) == 1
    yield Finding(
        about=ref(plugin),
        summary=f"{counted(len(policies), 'NetworkPolicy', 'NetworkPolicies')} {'has' if one else 'have'} no effect: "
        f"{found.name} does not enforce NetworkPolicies, and no other agent does",
        confidence=Confidence.LIKELY,
        evidence=(
            quote(plugin, "spec.template.spec.containers[0].image", "the network plugin"),
            quote(policies[0], "metadata.name", "a policy without effect"),
        ),
        would_disprove="an agent that is no DaemonSet, or one of another kind, enforces policies",
        commands=(
            Command("kubectl get networkpolicies -A", "the policies"),
            Command("kubectl get daemonsets -A", "the agents on the nodes"),
        ),
    )
