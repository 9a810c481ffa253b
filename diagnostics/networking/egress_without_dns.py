"""Network policies keep pods from the cluster's DNS.

## What it means
The pods may send only what their network policies allow, and no policy allows UDP port 53 to the
DNS servers. Every lookup of a name times out, or is refused, although the targets are allowed.

## Why it happens
- A default-deny policy for egress was added, and DNS was forgotten.
- The DNS rule has no `protocol`: then it means TCP, and lookups use UDP.
- The DNS rule's selectors match no DNS server: a wrong label, or `podSelector` without
  `namespaceSelector`, which looks in the policy's own namespace only.
- The DNS servers are on their nodes' network, or NodeLocal DNSCache answers: no selector matches
  these, only an `ipBlock` or a rule without `to`.
- A policy beside the DNS servers does not let the pods in.

## How to fix it
Allow UDP and TCP port 53 to the DNS servers, in one policy for all pods of the namespace. Policies
add up: what one allows is allowed.

## References
- https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

from diagnostics.networking._blocked import what_blocks
from kubedoctor.cluster.kinds.core import Namespace, Service
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import not_ready
from kubedoctor.findings import (
    Command,
    Confidence,
    Effect,
    Evidence,
    Explains,
    Finding,
    Fix,
    Severity,
    diagnostic,
    has_path,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.dns import Resolvers, resolvers
from kubedoctor.replay.dns.blocking import Blocked, allowing_change, blocked_pods
from kubedoctor.replay.dns.lookups import failed_lookup
from kubedoctor.replay.network import EGRESS


def _restricts(policy: NetworkPolicy) -> bool:
    """Egress of any pods; ingress matters only beside the DNS servers, which are in few namespaces."""
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
    reads=(NetworkPolicy, Namespace, Pod, Service),
    when=_restricts,
    explains=(Explains("isolates", ("KD1003", "KD1012", "KD1013", "KD1014", "KD1016")),),
    symptoms=("NetworkPolicy", "could not resolve host", "Temporary failure in name resolution", "i/o timeout"),
)
def egress_without_dns(policy: NetworkPolicy, cluster: Cluster) -> Iterator[Finding]:
    dns = resolvers(cluster)
    if dns is None:
        return
    for blocked in blocked_pods(policy, dns, cluster):
        # Policies that isolate the same pods all come to the same nearest one: it speaks for them.
        if ref(blocked.policy) == ref(policy) or blocked.direction != EGRESS:
            yield _finding(blocked, dns, cluster)


def _finding(blocked: Blocked, dns: Resolvers, cluster: Cluster) -> Finding:
    policy = blocked.policy
    failed = failed_lookup(blocked.pods, cluster)
    evidence = [*_rule(blocked), *_isolation(blocked)]
    evidence.append(quote(dns.service, "spec.clusterIP" if dns.service.spec.cluster_ip else "metadata.name", "the DNS"))
    if failed is not None:
        evidence.append(quote_line(failed.tail, failed.index, "a lookup that failed"))
    return Finding(
        about=ref(policy),
        summary=what_blocks(blocked, dns),
        confidence=Confidence.CERTAIN if failed is not None else Confidence.LIKELY,
        severity=None if failed is not None else _severity(blocked),
        detail="" if failed is not None else "A network plug-in that does not enforce policies, or another kind of policy that allows it, would let lookups through.",
        evidence=tuple(evidence),
        affects=tuple(ref(each) for each in blocked.pods),
        fixes=(_fix(blocked, dns),),
        commands=(
            Command(f"kubectl describe networkpolicy -n {policy.namespace}", "all policies of the namespace"),
            Command(
                f"kubectl debug -n {blocked.pods[0].namespace} {blocked.pods[0].name} -it --image=busybox -- nslookup kubernetes.default",
                "try a lookup from the pod; adds a container to it",
                Effect.CHANGES,
            ),
        ),
    )  # fmt: skip


def _rule(blocked: Blocked) -> list[Evidence]:
    """The rule that comes nearest, where it is wrong."""
    if blocked.miss.rule is None:
        return []
    side, field = ("egress", "to") if blocked.direction == EGRESS else ("ingress", "from")
    rule = f"spec.{side}[{blocked.miss.rule.index}]"
    path, shows = f"{rule}.{field}", "does not match"
    if not (blocked.miss.port and blocked.miss.protocol):
        path, shows = f"{rule}.ports", "allows, and not UDP to this port"
    return [quote(blocked.policy, path, shows)] if has_path(blocked.policy, path) else []


def _isolation(blocked: Blocked) -> list[Evidence]:
    types = "spec.policyTypes" if has_path(blocked.policy, "spec.policyTypes") else "metadata.name"
    shows = "isolates the pods' egress" if blocked.direction == EGRESS else "isolates the DNS servers"
    return [quote(blocked.policy, types, shows)]


def _fix(blocked: Blocked, dns: Resolvers) -> Fix:
    policy = blocked.policy
    change = allowing_change(blocked, dns)
    patch = shlex.quote(json.dumps(change.patch, separators=(",", ":")))
    return Fix(
        "allow lookups" if blocked.direction == EGRESS else "let lookups in",
        f"kubectl patch networkpolicy {policy.name} -n {policy.namespace} --type=json -p {patch}",
        verified=change.verified,
    )


def _severity(blocked: Blocked) -> Severity:
    """Pods that were shut in wholly, and work, were probably meant to be; those that may send to others need names."""
    if any(not_ready(pod) for pod in blocked.pods):
        return Severity.WARNING
    return Severity.WARNING if blocked.about_dns or blocked.reaches_by_name else Severity.NOTICE
