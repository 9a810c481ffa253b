"""NetworkPolicy blocks DNS lookups.

## What it means
NetworkPolicies isolate the pods, and no policy allows UDP port 53 to the DNS servers. Every DNS lookup times out or is
refused, even for targets that the policies allow.

## Why it happens
- A default-deny egress policy was added without a rule for DNS.
- The DNS rule has no `protocol`: the default is TCP, but DNS uses UDP.
- The selectors of the DNS rule match no DNS server: a wrong label, or a `podSelector` without `namespaceSelector`, which
  selects pods of the policy's own namespace only.
- The DNS servers use `hostNetwork`, or NodeLocal DNSCache answers: only an `ipBlock` or a rule without `to` matches them.
- A policy in the namespace of the DNS servers denies ingress from the pods.

## How to fix it
Allow UDP and TCP port 53 to the DNS servers, in one policy for all pods of the namespace. Policies are additive: traffic
is allowed if any policy allows it.

## References
- https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.networking._blocked import what_blocks
from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster import Cluster, DaemonSet, Namespace, NetworkPolicy, Pod, Service, not_ready
from kubedoctor.findings import (
    Command,
    Confidence,
    Effect,
    Evidence,
    Explains,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    has_path,
    kubectl,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.dns.blocking import Blocked, allowing_change, blocked_pods, resolves
from kubedoctor.replay.dns.lookups import failed_lookup
from kubedoctor.replay.dns.servers import Resolvers, resolvers
from kubedoctor.replay.network import ADMIN_KINDS, EGRESS
from kubedoctor.replay.network.enforcers import certainly_enforced, none_enforces


def _restricts(policy: NetworkPolicy) -> bool:
    """Policies for egress; policies for ingress matter only in the namespaces of the DNS servers, which are few."""
    types = policy.spec.policy_types or ()
    return (
        EGRESS in types
        or bool(policy.spec.egress and not types)
        or policy.namespace in ("kube-system", "openshift-dns")
    )


@diagnostic(
    code="KD2201",
    subject=NetworkPolicy,
    severity=Severity.CRITICAL,
    reads=(NetworkPolicy, *ADMIN_KINDS, Namespace, Pod, Service, DaemonSet),
    when=_restricts,
    explains=(Explains("isolates", ("KD1003", "KD1012", "KD1013", "KD1014", "KD1016", "KD1029")),),
    symptoms=("NetworkPolicy", "could not resolve host", "Temporary failure in name resolution", "i/o timeout"),
)
def egress_without_dns(policy: NetworkPolicy, cluster: Cluster) -> Iterator[Finding]:
    dns = resolvers(cluster)
    if dns is None:
        return
    for blocked in blocked_pods(policy, dns, cluster):
        if none_enforces(cluster):
            return
        # Policies that isolate the same pods share one nearest policy: the finding is about that policy.
        if ref(blocked.policy) == ref(policy) or blocked.direction != EGRESS:
            yield _finding(blocked, dns, cluster)


def _finding(blocked: Blocked, dns: Resolvers, cluster: Cluster) -> Finding:
    policy = blocked.policy
    failed = failed_lookup(blocked.pods, cluster)
    evidence = [*_rule(blocked), *_isolation(blocked)]
    evidence.append(
        quote(
            dns.service,
            "spec.clusterIP" if dns.service.spec.cluster_ip else "metadata.name",
            "address of the DNS Service",
        )
    )
    if failed is not None:
        evidence.append(quote_line(failed.tail, failed.index, "a failed lookup"))
    return Finding(
        about=ref(policy),
        summary=what_blocks(blocked, dns),
        confidence=Confidence.CERTAIN if failed is not None else Confidence.LIKELY,
        severity=None if failed is not None else _severity(blocked),
        detail=""
        if failed is not None
        else "Lookups still work if another kind of policy allows them."
        if certainly_enforced(cluster)
        else "Lookups still work if the network plugin does not enforce NetworkPolicies, or if another kind of policy allows them.",
        evidence=tuple(evidence),
        affects=tuple(ref(pod) for pod in blocked.pods),
        fixes=(_fix(blocked, dns, cluster),),
        commands=(
            Command(
                kubectl("describe", "networkpolicy", namespace=policy.namespace), "all NetworkPolicies of the namespace"
            ),
            Command(
                kubectl(
                    "debug",
                    blocked.pods[0].name,
                    "-it",
                    "--image=busybox",
                    "--",
                    "nslookup",
                    "kubernetes.default",
                    namespace=blocked.pods[0].namespace,
                ),
                "try a lookup from the pod; adds a container to the pod",
                Effect.CHANGES,
            ),
        ),
    )


def _rule(blocked: Blocked) -> list[Evidence]:
    """The nearest rule, and its field that does not match."""
    if blocked.miss.rule is None:
        return []
    side, field = ("egress", "to") if blocked.direction == EGRESS else ("ingress", "from")
    rule = f"spec.{side}[{blocked.miss.rule.index}]"
    path, shows = f"{rule}.{field}", "does not match the DNS servers"
    if not (blocked.miss.port and blocked.miss.protocol):
        path, shows = f"{rule}.ports", "does not allow UDP to the DNS port"
    return [quote(blocked.policy, path, shows)] if has_path(blocked.policy, path) else []


def _isolation(blocked: Blocked) -> list[Evidence]:
    types = "spec.policyTypes" if has_path(blocked.policy, "spec.policyTypes") else "metadata.name"
    shows = "isolates the egress of the pods" if blocked.direction == EGRESS else "isolates the DNS servers"
    return [quote(blocked.policy, types, shows)]


def _fix(blocked: Blocked, dns: Resolvers, cluster: Cluster) -> Fix:
    policy = blocked.policy
    change = allowing_change(blocked, dns)
    fix = Fix(
        "Allow egress to the DNS servers" if blocked.direction == EGRESS else "Allow ingress to the DNS servers",
        command_line(change, policy),
    )
    return proven(fix, prove(change, cluster, lambda after: resolves(blocked, dns, after)))


def _severity(blocked: Blocked) -> Severity:
    """Pods that are isolated completely, and healthy, are probably isolated on purpose; pods that may send to others
    need DNS."""
    if any(not_ready(pod) for pod in blocked.pods):
        return Severity.WARNING
    return Severity.WARNING if blocked.about_dns or blocked.reaches_by_name else Severity.NOTICE
